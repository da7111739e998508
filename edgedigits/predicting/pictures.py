"""Read many pictures one after the other; one that cannot be read stops no other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.sources.files import Source

if TYPE_CHECKING:
    from edgedigits.predicting.drawings import Drawings
    from edgedigits_runtime.engine_options import EngineOptions
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.reject import Expect
    from edgedigits_runtime.reading.results import Reading

Told = TypeVar("Told")

CHUNK = 64
"""Pictures that are looked up, or sent to another process, at a time; small ones are read together."""


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
        from edgedigits.loading import load

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
    """What came of a picture: a reading, or the line that says why there is none, and the class of that error."""

    name: str
    reading: "Reading | None" = None
    error: str = ""
    kind: str = ""


def read_all(tasks: Iterable[Task], options: ReaderOptions, jobs: int = 1) -> Iterator[Outcome]:
    """Yield an outcome for each task, in their order; arguments and errors are those of tell_all."""
    return chain.from_iterable(tell_all(tasks, options, _itself, jobs))


def tell_all(
    tasks: Iterable[Task], options: ReaderOptions, tell: Callable[[Outcome], Told], jobs: int = 1
) -> Iterator[Sequence[Told]]:
    """Yield what is told of each task's outcome, in their order, in blocks of what is there at a time.

    Args:
        tasks: what to read; they are taken only as they become due.
        options: how to open the reader.
        tell: called in the process that reads, so that nothing but what it returns has to be sent to this one.
        jobs: how many processes read.

    Raises:
        EdgedigitsError: the reader cannot be opened, or a process died.
    """
    if jobs > 1:
        from edgedigits.predicting.processes import tell_from_processes

        yield from tell_from_processes(tasks, options, tell, jobs)
        return
    reader, rest = options.open(), iter(tasks)
    while chunk := list(islice(rest, CHUNK)):
        for outcome in read_each(reader, chunk):
            yield (tell(outcome),)


def read_each(reader: "Reader", tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Yield the outcome of each task; an error becomes the outcome's."""
    found = [(task.source.content, task.source.name) for task in tasks if task.source.content and not task.drawings]
    readings = reader.read_many((content for content, _ in found), names=(name for _, name in found))
    for task in tasks:
        source = task.source
        try:
            if not source.content:
                raise source.error or EdgedigitsError(f"nothing to read in {source.name}")
            if task.drawings:
                read: Reading | EdgedigitsError = task.drawings.read_and_draw(reader, source.content, source.name)
            else:
                read = next(readings)
        except EdgedigitsError as error:
            read = error
        if isinstance(read, EdgedigitsError):
            yield Outcome(source.name, error=str(read), kind=type(read).__name__)
        else:
            yield Outcome(source.name, read)


def _itself(outcome: Outcome) -> Outcome:
    return outcome
