"""Bulk reading on this machine: one process for each core reads units; one that is killed is replaced.

Only unit numbers and summaries pass between the processes, as in ray_reading.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from edgedigits.bulk.bulk_options import STARTING_READERS, BulkOptions, Progress
from edgedigits.bulk.parts import Summary
from edgedigits.bulk.retries import HOPELESS
from edgedigits.bulk.worker import Job, Worker
from edgedigits.predicting.pool import sigint_blocked
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.machine import core_count


@dataclass(eq=False)
class _Reader:
    """A reading process, and the unit that it reads."""

    process: SpawnProcess
    connection: Connection
    unit: int | None = None
    started: bool = False


def read_units(job: Job, numbers: list[int], options: BulkOptions, progress: Progress) -> Generator[Summary]:
    """Read units, and yield the summary of each as it is done, in any order; see bulk_reading.read_bulk."""
    progress.stage(STARTING_READERS)
    waiting, left, killed = deque(numbers), len(numbers), 0
    readers = [_start(job) for _ in range(min(options.workers or core_count(), left))]
    try:
        while left:
            ready = wait([reader.connection for reader in readers])
            for reader in [reader for reader in readers if reader.connection in ready]:
                report = _report(reader)
                if report is None:
                    # Its unit's note in the output counts how often this happened; see retries.
                    killed = 0 if reader.started else killed + 1
                    if killed > HOPELESS:
                        raise EdgedigitsError(
                            f"{killed} processes were killed while they started, probably because memory ran out;"
                            " use fewer --workers"
                        )
                    waiting.extendleft([] if reader.unit is None else [reader.unit])
                    _end(reader)
                    readers[readers.index(reader)] = _start(job)
                    continue
                if "failed" in report:
                    raise EdgedigitsError(report["failed"])
                reader.started, reader.unit = True, waiting.popleft() if waiting else None
                if reader.unit is not None:
                    # If it was killed just now, the next report is None.
                    with contextlib.suppress(OSError):
                        reader.connection.send(reader.unit)
                if "counts" in report:
                    left -= 1
                    progress.stage("reading")
                    yield Summary.from_dict(report["counts"])
    finally:
        for reader in readers:
            _end(reader)


def _start(job: Job) -> _Reader:
    ours, theirs = multiprocessing.Pipe()
    # Forking an interpreter that has threads may hang; spawning does not.
    process = multiprocessing.get_context("spawn").Process(target=_read, args=(job, theirs), daemon=True)
    with sigint_blocked():
        process.start()
    # The last copy is the process's own, so its end is the end of the connection.
    theirs.close()
    return _Reader(process, ours)


def _report(reader: _Reader) -> dict[str, Any] | None:
    """Return what a reader reports; None if it was killed."""
    try:
        report: dict[str, Any] = json.loads(reader.connection.recv())
    except (EOFError, OSError):
        return None
    return report


def _end(reader: _Reader) -> None:
    reader.connection.close()
    reader.process.kill()
    reader.process.join()


def _read(job: Job, connection: Connection) -> None:
    """Read units by their numbers; runs in the reading process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    worker, report = Worker(job), "{}"
    with contextlib.suppress(EOFError, OSError):  # The command ended.
        while True:
            connection.send(report)
            number = connection.recv()
            try:
                report = json.dumps({"counts": worker.read(number).to_dict()})
            except EdgedigitsError as error:
                report = json.dumps({"failed": str(error)})
            # Every error: the command reports it in one line.
            except Exception as error:  # noqa: BLE001
                line = " ".join(f"{type(error).__name__}: {error}".split())
                kept = "a reader failed, finished parts are kept; continue with --resume"
                report = json.dumps({"failed": f"{kept}: {line}"})


def _end_with_parent() -> None:
    """End this process when its parent was killed: it would read on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
