"""A bulk reading from beginning to end: plan, read the missing parts, sum up."""

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from edgedigits.bulk import local_reading, ray_reading, retries
from edgedigits.bulk.addresses import RUN_FILE, is_remote
from edgedigits.bulk.bulk_options import BulkOptions, Progress
from edgedigits.bulk.folders import Folder, can_be_locked, open_folder
from edgedigits.bulk.manifest import Manifest, find_manifest
from edgedigits.bulk.packed_model import PackedModel, pack_model
from edgedigits.bulk.parts import Summary, number_of, summary_of
from edgedigits.bulk.plan import PlanSize, plan, write_plan
from edgedigits.bulk.worker import Job
from edgedigits_runtime.errors import EdgedigitsError, MissingExtra, OutputNotWritable, RunError
from edgedigits_runtime.machine import installed_version

LOCK = "_lock"

CHECKS = 8
"""Parts that are checked at a time when a run is resumed."""

LIBRARIES = ("numpy", "pillow", "ai-edge-litert", "onnxruntime", "ray", "pyarrow")

ReadUnits = Callable[[Job, list[int], BulkOptions, Progress], Generator[Summary]]
"""Reads units by their numbers and yields the summary of each as it is done."""


def read_bulk(options: BulkOptions, progress: Progress, read_units: ReadUnits | None = None) -> Summary:
    """Read all pictures of the sources, one part for each unit, and return the summary of all parts.

    Args:
        options: what to read, how, and where to write.
        progress: progress callbacks.
        read_units: reads the units; by default on Ray if the options have its address, else on this machine.

    Raises:
        MissingExtra: Ray, pyarrow or fsspec is not installed.
        RunError: the output belongs to another run, or another process writes there.
        SourceNotFound, SourceUnavailable, DatasetInvalid: a source is missing, does not answer, or is invalid.
        AddressUnavailable: no Ray answers.
        OutputNotWritable: the folder is read-only, the disk is full, or the store refuses.
        EdgedigitsError: the model cannot be used, or the reading failed; finished parts are kept.
        KeyboardInterrupt: Ctrl-C; finished parts are kept.
    """
    if any(find_spec(package) is None for package in ("pyarrow", "fsspec")):
        raise MissingExtra("read-bulk", "ray")
    read_units = read_units or (local_reading if options.address is None else ray_reading).read_units
    folder = open_folder(options.out)
    model = pack_model(options.reading)
    requested = _manifest(options, model)
    # Before the lock, so that a refused folder gets no lock file.
    find_manifest(folder, requested, options.resume)
    with _locked(folder):
        # Again: another process may have written before the lock.
        manifest = find_manifest(folder, requested, options.resume)
        planned = manifest.planned
        if planned is None:
            progress.stage("looking for pictures")
            planned = _plan(folder, manifest)
        progress.stage("checking parts")
        done = _done(folder, planned.units)
        total = Summary()
        for summary in done.values():
            total.add(summary)
        progress.set_total(planned.pictures)
        progress.advance(total.pictures)
        missing = [number for number in range(planned.units) if number not in done]
        if missing:
            job = Job(
                options.reading, model, manifest.source_options(), folder.address, manifest.name, uuid.uuid4().hex,
                _needed(manifest),
            )  # fmt: skip
            try:
                with contextlib.closing(read_units(job, missing, options, progress)) as summaries:
                    for summary in summaries:
                        total.add(summary)
                        progress.advance(summary.pictures)
            except KeyboardInterrupt:
                parts = f"{len(_numbers(folder)):,} of {planned.units:,} parts"
                raise KeyboardInterrupt(f"stopped; {parts} are in {options.out}: continue with --resume") from None
        if lost := planned.units - len(_numbers(folder)):
            raise EdgedigitsError(f"{lost:,} of {planned.units:,} parts are missing in {options.out}; use --resume")
        folder.remove(retries.FOLDER)
        folder.remove_abandoned()
        return total


def _manifest(options: BulkOptions, model: PackedModel) -> Manifest:
    # Through JSON, because it is compared with a stored one: lists instead of tuples.
    reading = json.loads(json.dumps(asdict(options.reading), default=str))
    # Both are compared by their files.
    del reading["model"], reading["finder"]
    relative = not all(is_remote(source) or Path(source).is_absolute() for source in options.sources)
    return Manifest(
        sources=list(options.sources),
        folder=str(Path.cwd()) if relative else "",
        model=model.name,
        sha256=model.sha256,
        reading=reading,
        column=options.column,
        size=options.part_size,
        version=installed_version("edgedigits") or "",
        versions={name: version for name in LIBRARIES if (version := installed_version(name))},
    )


def _plan(folder: Folder, manifest: Manifest) -> PlanSize:
    manifest.write(folder)
    try:
        planned = write_plan(folder, plan(manifest.sources, manifest.source_options()))
    except EdgedigitsError:
        # With a wrong source, no run has begun: the right one may follow in the same folder.
        folder.remove(RUN_FILE)
        raise
    replace(manifest, planned=planned).write(folder)
    return planned


def _numbers(folder: Folder) -> list[int]:
    return [number for name in folder.names() if (number := number_of(name)) is not None]


def _done(folder: Folder, units: int) -> dict[int, Summary]:
    """Return the summaries of the undamaged parts."""
    numbers = [number for number in _numbers(folder) if number < units]
    with ThreadPoolExecutor(CHECKS) as pool:
        summaries = pool.map(lambda number: summary_of(folder, number), numbers)
        return {number: summary for number, summary in zip(numbers, summaries, strict=True) if summary is not None}


def _needed(manifest: Manifest) -> tuple[str, ...]:
    """Return the local sources that every machine must see, without patterns and removed files."""
    local = (os.path.join(manifest.folder, source) for source in manifest.sources if not is_remote(source))  # noqa: PTH118
    return tuple(path for path in local if Path(path).exists())


@contextlib.contextmanager
def _locked(folder: Folder) -> Iterator[None]:
    """Keep other processes of this machine from writing to the folder. The lock of a killed process is released."""
    if not can_be_locked(folder):
        yield
        return
    import fcntl

    path = Path(folder.address) / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file: IO[str] = path.open("w")
    except OSError as error:
        raise OutputNotWritable(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(f"another read-bulk writes to {folder.address}; choose another --out") from error
        yield
