"""Read pictures with one reader. An unreadable picture becomes an outcome with an error and stops no other."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from edgedigits.model_files import DEFAULT_FINDER
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.sources.files import Source

if TYPE_CHECKING:
    from edgedigits.predicting.drawings import Drawings
    from edgedigits_runtime.engine_options import EngineOptions
    from edgedigits_runtime.reading.candidates import Expect
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.results import Reading

Result = TypeVar("Result")

MAX_CHUNK = 64
"""Pictures that are read at a time. Small ones are classified together."""


@dataclass(frozen=True)
class ReaderOptions:
    """Options that open a reader, here or in another process. The fields are those of `edgedigits.load` and of Reader.

    Attributes:
        expect: "one", "number", "page" or "auto".
        length: the number of digits, if known.
        finder: a finder's file, None for rules, or the shipped one.
    """

    model: str = "base"
    engine: str | None = None
    device: str = "auto"
    engine_options: "EngineOptions | None" = None
    min_confidence: float | None = None
    max_pixels: int | None = None
    top_k: int = 3
    expect: "Expect" = "auto"
    length: int | None = None
    finder: str | None = DEFAULT_FINDER

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
            min_confidence=self.min_confidence,
            max_pixels=self.max_pixels,
            expect=self.expect,
            length=self.length,
            finder=self.finder,
        )
        reader.top_k = self.top_k
        return reader


class Task(NamedTuple):
    """One picture to read, and the drawings to make of it."""

    source: Source
    drawings: "Drawings | None" = None


class Outcome(NamedTuple):
    """The result for one picture: a reading, or an error message and the name of the error's class."""

    name: str
    reading: "Reading | None" = None
    error: str = ""
    kind: str = ""


def read_each(reader: "Reader", tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Yield the outcome of each task, in order."""
    batch = [(task.source.content, task.source.name) for task in tasks if task.source.content and not task.drawings]
    readings = reader.read_many((content for content, _ in batch), names=(name for _, name in batch))
    for task in tasks:
        source = task.source
        try:
            if not source.content:
                raise source.error or EdgedigitsError(f"nothing to read in {source.name}")
            if task.drawings:
                result: Reading | EdgedigitsError = task.drawings.read_and_draw(reader, source.content, source.name)
            else:
                result = next(readings)
        except EdgedigitsError as error:
            result = error
        if isinstance(result, EdgedigitsError):
            yield Outcome(source.name, error=str(result), kind=type(result).__name__)
        else:
            yield Outcome(source.name, result)


def map_here(
    function: Callable[[Outcome], Result], tasks: Iterable[Task], options: ReaderOptions
) -> Generator[Sequence[Result]]:
    """Yield the function's result for each task's outcome, in order; for several processes see pool.map_outcomes.

    Raises:
        EdgedigitsError: the reader cannot be opened.
    """
    rest = iter(tasks)
    reader = options.open()
    while chunk := list(islice(rest, MAX_CHUNK)):
        for outcome in read_each(reader, chunk):
            yield (function(outcome),)


def unchanged(outcome: Outcome) -> Outcome:
    """Return the outcome itself, for those who want no other result of it."""
    return outcome
