"""Read many pictures one after the other; one that cannot be read stops no other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.sources.files import Source

if TYPE_CHECKING:
    from edgedigits.bulk.drawings import Drawings
    from edgedigits_runtime.engines.engine import EngineOptions
    from edgedigits_runtime.reading.reader import Reader, Reading
    from edgedigits_runtime.reading.reject import Expect


@dataclass(frozen=True)
class ReaderOptions:
    """How to open a reader, here or in another process; the fields are those of `edgedigits.load` and of Reader.

    Attributes:
        expect: "one", "number", "page" or "auto".
        length: how many digits a number has, where it is known.
    """

    model: str = "base"
    engine: str | None = None
    device: str = "auto"
    engine_options: "EngineOptions | None" = None
    contract: Path | None = None
    min_confidence: float | None = None
    max_pixels: int | None = None
    top_k: int = 3
    expect: "Expect" = "auto"
    length: int | None = None

    def open(self) -> "Reader":
        """Return the reader.

        Raises:
            EdgedigitsError: see edgedigits.load.
        """
        from edgedigits import load

        reader = load(
            self.model,
            engine=self.engine,
            device=self.device,
            options=self.engine_options,
            contract=self.contract,
            min_confidence=self.min_confidence,
            max_pixels=self.max_pixels,
            expect=self.expect,
            length=self.length,
        )
        reader.top_k = self.top_k
        return reader


@dataclass(frozen=True)
class Task:
    """One picture to read, and what to draw of it."""

    source: Source
    drawings: "Drawings | None" = None


@dataclass(frozen=True)
class Outcome:
    """What came of a picture: a reading, or the line that says why there is none."""

    name: str
    reading: "Reading | None" = None
    error: str = ""


def read_all(tasks: Iterable[Task], options: ReaderOptions, jobs: int = 1) -> Iterator[Outcome]:
    """Yield an outcome for each task, in their order; tasks are taken only as they become due.

    Args:
        tasks: what to read.
        options: how to open the reader.
        jobs: how many processes read.

    Raises:
        EdgedigitsError: the reader cannot be opened, or a process died.
    """
    if jobs > 1:
        from edgedigits.bulk.processes import read_in_processes

        yield from read_in_processes(tasks, options, jobs)
        return
    reader = options.open()
    for task in tasks:
        yield read_one(reader, task)


def read_one(reader: "Reader", task: Task) -> Outcome:
    """Read one picture and draw what the task asks for; an error becomes the outcome's."""
    source = task.source
    try:
        if source.content is None:
            raise source.error or EdgedigitsError(f"nothing to read in {source.name}")
        if task.drawings is None:
            return Outcome(source.name, reader.read(source.content, name=source.name))
        return Outcome(source.name, task.drawings.read_and_draw(reader, source.content, source.name))
    except EdgedigitsError as error:
        return Outcome(source.name, error=str(error))
