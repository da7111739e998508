"""The loop of bulk reading with Ray behind it: Ray Data hands units to a pool of actors, each with one reader.

Nothing but numbers of units and counts goes through Ray; pictures go from their source to the actor that reads them,
and readings from there to the output. So what is under way is bounded by the number of actors.
"""

import contextlib
import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Generator
from typing import Any, TextIO

from edgedigits.bulk.bulk_reading import BulkOptions, Progress
from edgedigits.bulk.summary import Summary
from edgedigits.bulk.unit_reading import Job, Worker
from edgedigits.ray_cluster import CLIENT, cluster
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.native_messages import silenced

MOST_BLOCKS = 10_000
"""Tasks that Ray Data is given; each costs it some milliseconds."""

ASK_EVERY = 0.25
"""Seconds between two questions to a cluster that is reached through Ray's client."""


class _WithoutRay:
    """Standard output without what Ray's own threads print there, such as that a worker died."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return len(text) if threading.current_thread().name.startswith("ray_") else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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


def read_units(job: Job, numbers: list[int], options: BulkOptions, progress: Progress) -> Generator[Summary]:
    """Read units on Ray, and yield the counts of each as it is done, in any order.

    Raises:
        AddressUnavailable: no Ray answers.
        EdgedigitsError: a unit cannot be read or written for a reason that others share, or Ray ended.
    """
    local = options.address == "local"
    progress.stage("starting Ray" if local else f"connecting to Ray at {options.address}")
    needs = [("pyarrow", "ray"), ("fsspec", "ray")]
    cpus = options.workers if local else None
    # No setting keeps all that Ray says while it starts and ends from the terminal.
    with contextlib.redirect_stdout(_WithoutRay(sys.stdout)), contextlib.ExitStack() as silence:
        silence.enter_context(silenced())
        with cluster(options.address, needs=needs, cpus=cpus) as found:
            progress.stage("starting readers")
            workers = min(options.workers or max(int(found.cpus), 1), len(numbers))
            pooled = _through_client if options.address.startswith(CLIENT) else _pooled
            try:
                for summary in pooled(job, numbers, workers):
                    silence.close()
                    progress.stage("reading")
                    yield summary
            finally:
                silence.enter_context(silenced())


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
        raise _ended(error) from error


class Conductor:
    """An actor that runs the loop on the cluster: Ray Data cannot be driven through Ray's client."""

    def __init__(self, job: Job, numbers: list[int], workers: int) -> None:
        self._done: deque[Summary] = deque()
        self._failed = ""
        self._thread = threading.Thread(target=self._run, args=(job, numbers, workers), daemon=True)
        self._thread.start()

    def news(self) -> tuple[list[Summary], str, bool]:
        """Return the counts that were not returned yet, why it failed, and whether there is more to come."""
        more = self._thread.is_alive()
        return [self._done.popleft() for _ in range(len(self._done))], self._failed, more

    def _run(self, job: Job, numbers: list[int], workers: int) -> None:
        try:
            for summary in _pooled(job, numbers, workers):
                self._done.append(summary)
        # Whatever it is, it has to be told: nobody else looks at this thread.
        except Exception as error:  # noqa: BLE001
            self._failed = " ".join(str(error).split()) or type(error).__name__


def _through_client(job: Job, numbers: list[int], workers: int) -> Generator[Summary]:
    import ray

    conductor = ray.remote(num_cpus=0)(Conductor).remote(job, numbers, workers)
    more = True
    try:
        while more:
            new, failed, more = ray.get(conductor.news.remote())
            yield from new
            if failed:
                raise EdgedigitsError(failed)
            time.sleep(ASK_EVERY)
    except ray.exceptions.RayError as error:
        raise _ended(error) from error


def _ended(error: BaseException) -> EdgedigitsError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return EdgedigitsError(f"Ray ended the reading, what was read stays: {lines[-1].strip()}")


def _ray_data() -> Any:
    import ray.data

    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray.data
