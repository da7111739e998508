"""A worker: reads units and writes their parts."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits.bulk.addresses import RUN_FILE
from edgedigits.bulk.folders import Folder, content_of, open_folder
from edgedigits.bulk.kinds import open_kind
from edgedigits.bulk.packed_model import PackedModel
from edgedigits.bulk.parts import Summary, summary_of, writing_part
from edgedigits.bulk.plan import load_unit
from edgedigits.bulk.retries import Attempt
from edgedigits.bulk.units import SourceOptions
from edgedigits.predicting.pictures import MAX_CHUNK, Outcome, ReaderOptions, Task, read_each
from edgedigits_runtime.errors import EdgedigitsError, PictureEndsReader, ShardBroken, SourceError, SourceNotFound
from edgedigits_runtime.sources.files import Source

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reader

CHUNK_BYTES = 32_000_000
"""Bytes of pictures that are fetched ahead, unless a single picture is larger."""


@dataclass(frozen=True)
class Job:
    """Description of the work for every worker of a run.

    Attributes:
        reading: how to open the reader; its model is `model`.
        sources: options for all units.
        out: address of the output.
        run: the run's name. A worker that does not find it in `out` sees another folder.
        session: name of this run of the driver.
        needed: local files and folders that must exist.
    """

    reading: ReaderOptions
    model: PackedModel
    sources: SourceOptions
    out: str
    run: str
    session: str
    needed: tuple[str, ...] = ()


class Worker:
    """Reads units one by one with one reader."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._folder: Folder = open_folder(job.out)
        self._reader: Reader | None = None

    def read(self, number: int) -> Summary:
        """Read a unit, write its part, and return its summary. A part that exists is not read again."""
        if self._reader is None:
            self._check_machine()
        if done := summary_of(self._folder, number):
            return done
        attempt = Attempt(self._folder, number, self._job.session)
        # Opened after the note, so that a reader that kills the process while opening is counted.
        self._reader = self._reader or self._job.model.unpack(self._job.reading).open()
        summary = read_unit(number, self._job, self._folder, self._reader, attempt)
        attempt.done()
        return summary

    def _check_machine(self) -> None:
        """Raise if this machine does not see the output or the sources."""
        here = socket.gethostname()
        manifest = content_of(self._folder, RUN_FILE)
        if manifest is None or self._job.run.encode() not in manifest:
            raise EdgedigitsError(
                f"{here} does not see the output {self._job.out}; --out must be a folder that all machines share, or"
                " an address such as s3://..."
            )
        for path in self._job.needed:
            if not Path(path).exists():
                raise EdgedigitsError(f"{here} does not see {path}; put it where all machines can read it")


def read_unit(number: int, job: Job, folder: Folder, reader: "Reader", attempt: Attempt) -> Summary:
    """Read a unit and write its part. A damaged shard adds an error row after its readable pictures."""
    unit = load_unit(folder, number)
    index = 0
    with writing_part(folder, number, job.model.name) as part:
        sources = open_kind(unit.kind).pictures(unit, job.sources)
        try:
            for chunk in _prefetched(_chunks(sources, 1 if attempt.careful else MAX_CHUNK)):
                may_read = attempt.may_read(index)
                for outcome in read_each(reader, [Task(each) for each in chunk]) if may_read else _given_up(chunk):
                    part.write(outcome)
                index += len(chunk)
        except (ShardBroken, SourceNotFound) as error:
            part.write(Outcome(unit.address, error=str(error), kind=type(error).__name__))
            part.summary.broken.append(str(error))
    return part.summary


def _given_up(chunk: list[Source]) -> Iterator[Outcome]:
    for source in chunk:
        error = f"processes that read {source.name} were killed, probably because memory ran out"
        yield Outcome(source.name, error=error, kind=PictureEndsReader.__name__)


def _chunks(sources: Iterator[Source], most: int) -> Iterator[list[Source]]:
    """Yield pictures to read together. An error is raised after the pictures before it."""
    chunk: list[Source] = []
    size = 0
    failed: SourceError | None = None
    try:
        for source in sources:
            chunk.append(source)
            size += len(source.content) if isinstance(source.content, bytes) else 0
            if len(chunk) >= most or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
    except SourceError as error:
        failed = error
    if chunk:
        yield chunk
    if failed:
        raise failed


def _prefetched(chunks: Iterator[list[Source]]) -> Iterator[list[Source]]:
    """Yield the chunks while a thread fetches the next one."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, chunks, None)
        while (chunk := pending.result()) is not None:
            pending = pool.submit(next, chunks, None)
            yield chunk
