"""Evaluate a model on a folder of labelled pictures: how often is what a person hands it read right?"""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgedigits.predicting.pictures import Outcome, ReaderOptions, Task
from edgedigits.predicting.pool import read_all
from edgedigits.verification.alignment import Pair, align
from edgedigits.verification.intervals import Share, wilson
from edgedigits.verification.labelled_pictures import LabelledPicture
from edgedigits.verification.reliability import Reliability, reliability
from edgedigits_runtime.errors import DatasetInvalid
from edgedigits_runtime.reading.results import Digit, Reading
from edgedigits_runtime.sources.files import Source


@dataclass(frozen=True)
class Case:
    """A labelled picture and what was read in it.

    Attributes:
        picture: with its label.
        truth: the labels that stand in it, in reading order.
        reading: None where the picture could not be read.
        error: why it could not.
    """

    picture: LabelledPicture
    truth: tuple[str, ...]
    reading: Reading | None
    error: str = ""

    @property
    def digits(self) -> tuple[Digit, ...]:
        return self.reading.digits if self.reading else ()

    @property
    def read(self) -> tuple[str, ...]:
        return tuple(digit.label for digit in self.digits)

    @property
    def right(self) -> bool:
        """Whether exactly what stands there was read; a picture that could not be read never is."""
        return self.reading is not None and self.read == self.truth

    @cached_property
    def pairs(self) -> list[Pair]:
        """Of true and read labels."""
        return align(self.truth, self.read)

    @property
    def confidence(self) -> float:
        """Of the surest digit, 0..1; 0 where none was read."""
        return max((digit.confidence for digit in self.digits), default=0.0)


@dataclass(frozen=True)
class DigitScores:
    """Digits of pictures with several, paired with those read by the fewest edits.

    Attributes:
        true, read, right: how many stand there, were read, and both.
    """

    true: int
    read: int
    right: int

    @property
    def precision(self) -> Share | None:
        return wilson(self.right, self.read) if self.read else None

    @property
    def recall(self) -> Share | None:
        return wilson(self.right, self.true) if self.true else None


@dataclass(frozen=True)
class FolderEvaluation:
    """What was read in a folder of labelled pictures.

    Attributes:
        model: its contract's name.
        engine, device, providers: where it ran.
        cases: the pictures that count.
        left_out: pictures that were read, but whose note says that they do not count.
    """

    model: str
    engine: str
    device: str
    providers: tuple[str, ...]
    cases: tuple[Case, ...]
    left_out: tuple[Case, ...] = ()

    @cached_property
    def single(self) -> tuple[Case, ...]:
        """Pictures with one digit."""
        return tuple(case for case in self.cases if len(case.truth) == 1)

    @cached_property
    def several(self) -> tuple[Case, ...]:
        """Pictures with more than one digit."""
        return tuple(case for case in self.cases if len(case.truth) > 1)

    @cached_property
    def without(self) -> tuple[Case, ...]:
        """Pictures with no digit."""
        return tuple(case for case in self.cases if not case.truth)

    @cached_property
    def single_by_kind(self) -> dict[str, tuple[Case, ...]]:
        """Pictures with one digit, by kind in alphabetical order; empty where no picture has a kind."""
        kinds = sorted({case.picture.kind for case in self.single})
        if kinds in ([], [""]):
            return {}
        return {kind: tuple(case for case in self.single if case.picture.kind == kind) for kind in kinds}

    @cached_property
    def digit_scores(self) -> DigitScores:
        """Precision and recall of the digits in pictures with several."""
        pairs = [pair for case in self.several for pair in case.pairs]
        return DigitScores(
            true=sum(true is not None for true, _ in pairs),
            read=sum(read is not None for _, read in pairs),
            right=sum(true == read for true, read in pairs),
        )

    @cached_property
    def confusions(self) -> list[tuple[Pair, int]]:
        """Pairs (true, read) that differ with their counts, the most frequent first; None stands for nothing."""
        pairs = Counter(pair for case in self.cases if case.reading for pair in case.pairs if pair[0] != pair[1])
        return sorted(pairs.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or ""))

    @cached_property
    def misread(self) -> list[Case]:
        """Pictures not read right, the most confident first."""
        return sorted((case for case in self.cases if not case.right), key=lambda case: -case.confidence)

    @cached_property
    def unreadable(self) -> list[Case]:
        """Pictures that could not be read; they count as wrong."""
        return [case for case in (*self.cases, *self.left_out) if case.reading is None]

    @cached_property
    def calibration(self) -> Reliability | None:
        """How often digits read with a confidence are right; None where no digit was read."""
        confidences, right = [], []
        for case in self.cases:
            digits = iter(case.digits)
            for true, read in case.pairs:
                if read is not None:
                    confidences.append(next(digits).confidence)
                    right.append(true == read)
        if not confidences:
            return None
        answers = np.array(confidences, np.float32)[:, np.newaxis]
        return reliability(answers, np.where(right, 0, 1).astype(np.int64))

    @cached_property
    def ms(self) -> dict[str, float]:
        """Median milliseconds of each stage over the pictures."""
        readings = [case.reading for case in self.cases if case.reading]
        stages = readings[0].ms if readings else {}
        return {stage: statistics.median(reading.ms[stage] for reading in readings) for stage in stages}


def share_right(cases: Sequence[Case]) -> Share | None:
    """Return the share of pictures read right with its 95% interval; None where there are no pictures."""
    return wilson(sum(case.right for case in cases), len(cases)) if cases else None


def evaluate_pictures(
    pictures: Sequence[LabelledPicture],
    options: ReaderOptions,
    *,
    exclude: Iterable[str] = (),
    jobs: int = 1,
    each: Callable[[], None] = lambda: None,
) -> FolderEvaluation:
    """Read the pictures and compare with their labels.

    Args:
        pictures: with their labels.
        options: how to open the reader.
        exclude: pictures with one of these words in their note are read but do not count; case does not matter.
        jobs: how many processes read.
        each: called after each picture.

    Raises:
        DatasetInvalid: a label is none that the model could read.
        EdgedigitsError: the model cannot be used.
    """
    engine = options.open().classifier.engine
    truths = [_truth(picture, engine.contract.labels) for picture in pictures]
    words = [word.casefold() for word in exclude]
    counted: list[Case] = []
    left_out: list[Case] = []
    for picture, truth, outcome in zip(pictures, truths, _read(pictures, options, jobs), strict=True):
        case = Case(picture, truth, outcome.reading, outcome.error)
        (left_out if any(word in picture.note.casefold() for word in words) else counted).append(case)
        each()
    return FolderEvaluation(
        engine.contract.name, engine.name, engine.device, tuple(engine.providers), tuple(counted), tuple(left_out)
    )


def _read(pictures: Sequence[LabelledPicture], options: ReaderOptions, jobs: int) -> Iterator[Outcome]:
    return read_all((Task(Source(picture.name, picture.path)) for picture in pictures), options, jobs)


def _truth(picture: LabelledPicture, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that a picture's label names: itself, or its characters."""
    if picture.label in labels:
        return (picture.label,)
    characters = tuple("".join(picture.label.split()))
    unknown = [character for character in characters if character not in labels]
    if unknown:
        raise DatasetInvalid(
            f"{picture.name} has the label {picture.label!r}, which this model cannot read; its labels are"
            f" {', '.join(labels)}; leave the label empty, or use a sub-folder none, where there is no digit"
        )
    return characters
