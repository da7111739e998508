"""Bulk reading from beginning to end: plan, read what is not read yet, count."""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Protocol

from edgedigits.bulk import attempts
from edgedigits.bulk.addresses import RUN_FILE, is_remote
from edgedigits.bulk.carried import CarriedModel, carry
from edgedigits.bulk.folders import TEMPORARY, Folder, can_be_locked, open_folder
from edgedigits.bulk.kinds import About
from edgedigits.bulk.parts import counts_of, number_of
from edgedigits.bulk.plan import plan
from edgedigits.bulk.plan_files import Planned, write_plan
from edgedigits.bulk.run_file import Run, find_run
from edgedigits.bulk.summary import Summary, in_all
from edgedigits.bulk.unit_reading import Job
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.errors import EdgedigitsError, MissingExtra, OutputNotWritable, RunError
from edgedigits_runtime.machine import installed_version

LOCK = "_lock"

LOOKS = 8
"""Parts that are looked through at a time, when a run goes on."""

LIBRARIES = ("numpy", "pillow", "ai-edge-litert", "onnxruntime", "ray", "pyarrow")


@dataclass(frozen=True)
class BulkOptions:
    """A bulk reading.

    Attributes:
        sources: folders, patterns, files, shards; here or at addresses that fsspec opens.
        out: the folder for the parts, likewise.
        reading: how to open the reader.
        address: of Ray; see edgedigits.ray_cluster.cluster.
        resume: go on with the run that `out` holds.
        workers: how many readers; one for each processor core of the cluster if None.
        column: of Parquet files, that holds the pictures; the only one that can if None.
        part_size: pictures of a part; grows with how many there are if None.
    """

    sources: tuple[str, ...]
    out: str
    reading: ReaderOptions = ReaderOptions()
    address: str = "local"
    resume: bool = False
    workers: int | None = None
    column: str | None = None
    part_size: int | None = None


class Progress(Protocol):
    """Somebody to tell how it goes."""

    def stage(self, words: str) -> None:
        """Something else is done from now on."""

    def total(self, pictures: int | None) -> None:
        """So many pictures there are, where that is known."""

    def read(self, pictures: int) -> None:
        """So many more have been read."""


ReadUnits = Callable[[Job, list[int], BulkOptions, Progress], Generator[Summary]]
"""Reads units by their numbers, wherever that is, and yields the counts of each as it is done."""


def read_bulk(options: BulkOptions, progress: Progress, read_units: ReadUnits | None = None) -> Summary:
    """Read all pictures of the sources, a part of the output for each unit, and return the counts of all parts.

    Args:
        options: what, where and how.
        progress: is told how it goes.
        read_units: what reads; Ray if None.

    Raises:
        MissingExtra: Ray, pyarrow or fsspec is not installed.
        RunError: the output belongs to another run, or one writes there now.
        SourceNotFound, SourceUnavailable, DatasetInvalid: a source names nothing, does not answer, or is no source.
        AddressUnavailable: no Ray answers.
        OutputNotWritable: the folder is read-only, the disk is full, or the store refuses.
        EdgedigitsError: the model cannot be used, or the reading ended; what was read stays.
        KeyboardInterrupt: Ctrl-C; what was read stays.
    """
    _need_extra()
    read = read_units or _ray_reader()
    folder = open_folder(options.out)
    model = carry(options.reading)
    asked = _run(options, model)
    # What is refused stays as it is, without a lock in it.
    find_run(folder, asked, options.resume)
    with _locked(folder):
        # Until now another one may have written there.
        run = find_run(folder, asked, options.resume)
        planned = run.planned
        if planned is None:
            progress.stage("looking for pictures")
            planned = _plan(folder, run)
        progress.stage("looking at parts")
        done = _done(folder, planned.units)
        total = in_all(done.values())
        progress.total(planned.pictures)
        progress.read(total.pictures)
        missing = [number for number in range(planned.units) if number not in done]
        if missing:
            job = Job(options.reading, model, _about(run), folder.address, run.name, uuid.uuid4().hex, _seen(run))
            try:
                with contextlib.closing(read(job, missing, options, progress)) as summaries:
                    for summary in summaries:
                        total.add(summary)
                        progress.read(summary.pictures)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(_stopped(folder, planned, options)) from None
        if lost := planned.units - sum(number_of(name) is not None for name in folder.names()):
            raise EdgedigitsError(f"{lost:,} of {planned.units:,} parts are not in {options.out}; go on with --resume")
        for left in (TEMPORARY, attempts.FOLDER):
            folder.remove(left)
        return total


def _ray_reader() -> ReadUnits:
    from edgedigits.bulk.ray_reading import read_units

    return read_units


def _need_extra() -> None:
    from importlib.util import find_spec

    for package in ("ray", "pyarrow", "fsspec"):
        if find_spec(package) is None:
            raise MissingExtra("read-bulk", "ray")


def _run(options: BulkOptions, model: CarriedModel) -> Run:
    # As it will be read back: a list where there was a tuple.
    reading = json.loads(json.dumps(asdict(options.reading), default=str))
    for carried in ("model", "contract"):
        reading.pop(carried)
    return Run(
        sources=list(options.sources),
        # Addresses do not depend on it.
        folder="" if all(map(_is_absolute, options.sources)) else str(Path.cwd()),
        model=model.name,
        sha256=model.sha256,
        reading=reading,
        contract=hashlib.sha256(model.contract).hexdigest() if model.contract is not None else None,
        column=options.column,
        size=options.part_size,
        version=installed_version("edgedigits") or "",
        versions={name: version for name in LIBRARIES if (version := installed_version(name))},
    )


def _is_absolute(source: str) -> bool:
    return is_remote(source) or Path(source).is_absolute()


def _plan(folder: Folder, run: Run) -> Planned:
    run.write(folder)
    try:
        planned = write_plan(folder, plan(run.sources, _about(run)))
    except EdgedigitsError:
        # Sources that name nothing begin no run: the right ones may follow at the same place.
        folder.remove(RUN_FILE)
        raise
    replace(run, planned=planned).write(folder)
    return planned


def _about(run: Run) -> About:
    return About(run.folder, run.column, run.size)


def _stopped(folder: Folder, planned: Planned, options: BulkOptions) -> str:
    parts = sum(number_of(name) is not None for name in folder.names())
    return f"stopped; {parts:,} of {planned.units:,} parts are in {options.out}: go on with --resume"


def _done(folder: Folder, units: int) -> dict[int, Summary]:
    """Return the counts of the parts that are there and whole."""
    numbers = [number for name in folder.names() if (number := number_of(name)) is not None and number < units]
    with ThreadPoolExecutor(LOOKS) as pool:
        counts = pool.map(lambda number: counts_of(folder, number), numbers)
        return {number: summary for number, summary in zip(numbers, counts, strict=True) if summary is not None}


def _seen(run: Run) -> tuple[str, ...]:
    """Return what of the sources has to be seen by every machine: not patterns, and not what has gone since."""
    local = (os.path.join(run.folder, source) for source in run.sources if not is_remote(source))  # noqa: PTH118
    return tuple(path for path in local if Path(path).exists())


@contextlib.contextmanager
def _locked(folder: Folder) -> Iterator[None]:
    """Let nobody else on this machine write there meanwhile; a killed process holds no lock."""
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
            raise RunError(f"another read-bulk writes to {folder.address} at this moment") from error
        yield
