"""Bulk reading on Ray: Ray Data distributes units to a pool of actors with one reader each.

Only unit numbers and summaries pass through Ray. Pictures go from their source to the actor, and readings from the
actor to the output, so memory is bounded by the number of actors.
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

from edgedigits.bulk.bulk_options import STARTING_READERS, BulkOptions, Progress
from edgedigits.bulk.parts import Summary
from edgedigits.bulk.worker import Job, Worker
from edgedigits.ray_cluster import CLIENT, cluster
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.native_messages import silenced

MAX_BLOCKS = 10_000
"""Tasks given to Ray Data. Each costs it some milliseconds."""

POLL_SECONDS = 0.25
"""Time between two requests through Ray's client."""


class _WithoutRay:
    """Standard output without the messages of Ray's threads, such as that a worker died."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return len(text) if threading.current_thread().name.startswith("ray_") else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class UnitReader:
    """An actor of the pool."""

    def __init__(self, job: Job) -> None:
        # Only this: Ray would restart an actor that dies here forever.
        self._worker = Worker(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        return {"report": [self._report(int(number)) for number in batch["unit"]]}

    def _report(self, number: int) -> str:
        try:
            return json.dumps({"counts": self._worker.read(number).to_dict()})
        except EdgedigitsError as error:
            # An exception would be wrapped in Ray's traceback.
            return json.dumps({"failed": str(error)})


def read_units(job: Job, numbers: list[int], options: BulkOptions, progress: Progress) -> Generator[Summary]:
    """Read units on Ray, and yield the summary of each as it is done, in any order; see bulk_reading.read_bulk."""
    address = options.address or "local"
    local = address == "local"
    progress.stage("starting Ray" if local else f"connecting to Ray at {address}")
    needs = [("pyarrow", "ray"), ("fsspec", "ray")]
    cpus = options.workers if local else None
    # No setting of Ray silences everything that it prints while it starts and stops.
    with contextlib.redirect_stdout(_WithoutRay(sys.stdout)), contextlib.ExitStack() as silence:
        silence.enter_context(silenced())
        with cluster(address, needs=needs, cpus=cpus) as found:
            progress.stage(STARTING_READERS)
            workers = min(options.workers or max(int(found.cpus), 1), len(numbers))
            pooled = _read_through_client if address.startswith(CLIENT) else _read_in_pool
            try:
                for summary in pooled(job, numbers, workers):
                    silence.close()
                    progress.stage("reading")
                    yield summary
            finally:
                silence.enter_context(silenced())


def _read_in_pool(job: Job, numbers: list[int], workers: int) -> Generator[Summary]:
    import ray

    data = _ray_data()
    rows = [{"unit": number} for number in numbers]
    units = data.from_items(rows, override_num_blocks=min(len(rows), MAX_BLOCKS))
    # Ray Data restarts actors that died, and gives their units to others.
    reports = units.map_batches(
        UnitReader, batch_size=1, fn_constructor_args=(job,), num_cpus=1, compute=data.ActorPoolStrategy(size=workers)
    )
    try:
        for row in reports.iter_rows():
            report = json.loads(row["report"])
            if "failed" in report:
                raise EdgedigitsError(report["failed"])
            yield Summary.from_dict(report["counts"])
    except ray.exceptions.RayError as error:
        raise _failed(error) from error


class Driver:
    """An actor that runs the pool on the cluster, because Ray Data does not work through Ray's client."""

    def __init__(self, job: Job, numbers: list[int], workers: int) -> None:
        self._done: deque[Summary] = deque()
        self._error = ""
        self._thread = threading.Thread(target=self._run, args=(job, numbers, workers), daemon=True)
        self._thread.start()

    def poll(self) -> tuple[list[Summary], str, bool]:
        """Return the new summaries, the error if it failed, and whether it still runs."""
        running = self._thread.is_alive()
        return [self._done.popleft() for _ in range(len(self._done))], self._error, running

    def _run(self, job: Job, numbers: list[int], workers: int) -> None:
        try:
            for summary in _read_in_pool(job, numbers, workers):
                self._done.append(summary)
        # Every error: nothing else reports those of this thread.
        except Exception as error:  # noqa: BLE001
            self._error = " ".join(str(error).split()) or type(error).__name__


def _read_through_client(job: Job, numbers: list[int], workers: int) -> Generator[Summary]:
    import ray

    driver = ray.remote(num_cpus=0)(Driver).remote(job, numbers, workers)
    running = True
    try:
        while running:
            summaries, error, running = ray.get(driver.poll.remote())
            yield from summaries
            if error:
                raise EdgedigitsError(error)
            time.sleep(POLL_SECONDS)
    except ray.exceptions.RayError as error:
        raise _failed(error) from error


def _failed(error: BaseException) -> EdgedigitsError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return EdgedigitsError(f"Ray failed, finished parts are kept; continue with --resume: {lines[-1].strip()}")


def _ray_data() -> Any:
    import ray.data

    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray.data
