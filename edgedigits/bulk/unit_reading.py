"""Read one unit and write its part: what every worker does, whoever started it."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits.bulk.attempts import Attempt
from edgedigits.bulk.carried import CarriedModel
from edgedigits.bulk.folders import Folder, content_of, open_folder
from edgedigits.bulk.kinds import About, open_kind
from edgedigits.bulk.parts import counts_of, writing_part
from edgedigits.bulk.plan_files import load_unit
from edgedigits.bulk.summary import Summary
from edgedigits.predicting.pictures import Outcome, ReaderOptions, Task, read_each
from edgedigits.predicting.pool import MAX_CHUNK
from edgedigits_runtime.errors import EdgedigitsError, PictureEndsReader, ShardBroken, SourceError, SourceNotFound
from edgedigits_runtime.sources.files import Source

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reader

CHUNK_BYTES = 32_000_000
"""Pictures that are held as bytes while those before them are read, unless a single one is larger."""


@dataclass(frozen=True)
class Job:
    """What a worker has to know.

    Attributes:
        reading: how to open the reader; its model is the one that is carried.
        about: what holds for all units.
        out: the output's address.
        run: names the run whose output it is; where `out` holds no such run, it is another folder.
        session: names the run of the driver.
        seen: local files and folders that have to be there.
    """

    reading: ReaderOptions
    model: CarriedModel
    about: About
    out: str
    run: str
    session: str
    seen: tuple[str, ...] = ()


class Worker:
    """Reads units, one after the other, with one reader."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._folder: Folder = open_folder(job.out)
        self._reader: Reader | None = None

    def read(self, number: int) -> Summary:
        """Read a unit, write its part and return its counts; where a lost worker wrote it already, only its counts.

        Raises:
            EdgedigitsError: the reader cannot be opened, the output not be written, or a source does not answer.
        """
        if self._reader is None:
            self._look_around()
        if done := counts_of(self._folder, number):
            return done
        attempt = Attempt(self._folder, number, self._job.session)
        # Opened only now: what ends the process while it opens is counted as well.
        self._reader = self._reader or self._job.model.unpacked(self._job.reading).open()
        summary = read_unit(number, self._job, self._folder, self._reader, attempt)
        attempt.done()
        return summary

    def _look_around(self) -> None:
        """Raise where this machine does not see what the one that planned did."""
        here = socket.gethostname()
        written = content_of(self._folder, "_run.json")
        if written is None or self._job.run.encode() not in written:
            raise EdgedigitsError(
                f"{here} does not see the output {self._job.out}; --out has to be a folder that all machines share, or"
                " an address such as s3://..."
            )
        for path in self._job.seen:
            if not Path(path).exists():
                raise EdgedigitsError(f"{here} does not see {path}; put it where all machines do")


def read_unit(number: int, job: Job, folder: Folder, reader: "Reader", attempt: Attempt) -> Summary:
    """Read a unit and write its part; a shard that ends in the middle has a row of its own, after what it held."""
    unit = load_unit(folder, number)
    index = 0
    with writing_part(folder, number, job.model.name) as part:
        sources = open_kind(unit.kind).pictures(unit, job.about)
        try:
            for chunk in _ahead(_chunks(sources, 1 if attempt.careful else MAX_CHUNK)):
                for outcome in _outcomes(chunk, reader) if attempt.reads(index) else _given_up(chunk):
                    part.write(outcome)
                index += len(chunk)
        except (ShardBroken, SourceNotFound) as error:
            part.broken(Outcome(unit.address, error=str(error), kind=type(error).__name__))
    return part.summary


def _outcomes(chunk: list[Source], reader: "Reader") -> Iterator[Outcome]:
    return read_each(reader, [Task(source) for source in chunk])


def _given_up(chunk: list[Source]) -> Iterator[Outcome]:
    for source in chunk:
        line = f"reading {source.name} ended the process that did, again and again, mostly for lack of memory"
        yield Outcome(source.name, error=line, kind=PictureEndsReader.__name__)


def _chunks(sources: Iterator[Source], most: int) -> Iterator[list[Source]]:
    """Yield pictures that are read together; what was found before an error comes before the error."""
    chunk: list[Source] = []
    size = 0
    failed: SourceError | None = None
    while failed is None:
        try:
            source = next(sources)
        except StopIteration:
            break
        except SourceError as error:
            failed = error
            continue
        chunk.append(source)
        size += len(source.content) if isinstance(source.content, bytes) else 0
        if len(chunk) >= most or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
    if failed:
        raise failed


def _ahead(chunks: Iterator[list[Source]]) -> Iterator[list[Source]]:
    """Yield the same, the next one being fetched meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        due = pool.submit(next, chunks, None)
        while (chunk := due.result()) is not None:
            due = pool.submit(next, chunks, None)
            yield chunk
