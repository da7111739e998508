"""The loop of bulk reading with Ray behind it: Ray Data hands units to a pool of actors, each with one reader.

Nothing but numbers of units and counts goes through Ray; pictures go from their source to the actor that reads them,
and readings from there to the output. So what is under way is bounded by the number of actors.
"""

import json
import logging
import os
from collections.abc import Generator
from typing import Any

from edgedigits.bulk.bulk_reading import BulkOptions, Progress
from edgedigits.bulk.ray_cluster import cluster
from edgedigits.bulk.summary import Summary
from edgedigits.bulk.unit_reading import Job, Worker
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.native_messages import silenced

MOST_BLOCKS = 10_000
"""Tasks that Ray Data is given; each costs it some milliseconds."""


class UnitReader:
    """An actor of the pool; it reads the units whose numbers it is sent."""

    def __init__(self, job: Job) -> None:
        # Nothing more: an actor that ends here would be started again for ever.
        self._worker = Worker(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        return {"report": [self._report(int(number)) for number in batch["unit"]]}

    def _report(self, number: int) -> str:
        try:
            return json.dumps({"counts": self._worker.read(number).to_dict()})
        except EdgedigitsError as error:
            # An exception would come with Ray's traceback around it.
            return json.dumps({"failed": str(error)})


def quiet() -> None:
    """Keep Ray from writing to the terminal; its logs stay where it keeps them. Has to come before Ray is imported."""
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


def read_units(job: Job, numbers: list[int], options: BulkOptions, progress: Progress) -> Generator[Summary]:
    """Read units on Ray, and yield the counts of each as it is done, in any order.

    Raises:
        AddressUnavailable: no Ray answers.
        EdgedigitsError: a unit cannot be read or written for a reason that others share, or Ray ended.
    """
    local = options.address == "local"
    progress.stage("starting Ray" if local else f"connecting to Ray at {options.address}")
    needs = [("pyarrow", "ray"), ("fsspec", "ray")]
    # No setting keeps all of Ray's messages from the terminal.
    with silenced(), cluster(options.address, needs=needs, cpus=options.workers if local else None) as found:
        progress.stage("reading")
        yield from _pooled(job, numbers, min(options.workers or max(int(found.cpus), 1), len(numbers)))


def _pooled(job: Job, numbers: list[int], workers: int) -> Generator[Summary]:
    import ray

    data = _ray_data()
    rows = [{"unit": number} for number in numbers]
    units = data.from_items(rows, override_num_blocks=min(len(rows), MOST_BLOCKS))
    # Ray Data starts actors that ended again, and sends their units to others meanwhile.
    reports = units.map_batches(
        UnitReader, batch_size=1, fn_constructor_args=(job,), num_cpus=1, compute=data.ActorPoolStrategy(size=workers)
    )
    try:
        for row in reports.iter_rows():
            report = json.loads(row["report"])
            if "failed" in report:
                raise EdgedigitsError(report["failed"])
            yield Summary.of_dict(report["counts"])
    except ray.exceptions.RayError as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EdgedigitsError(f"Ray ended the reading: {lines[-1].strip()}") from error


def _ray_data() -> Any:
    import ray.data

    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray.data
