"""Evaluate the whole reader on a folder of labelled pictures."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgedigits.data.labelled_pictures import LabelledPicture
from edgedigits.predicting.pictures import ReaderOptions, Task
from edgedigits.predicting.pool import read_all
from edgedigits.verification.alignment import Pair, align
from edgedigits.verification.reliability import Reliability, group_by_confidence
from edgedigits_runtime.errors import DatasetInvalid
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.reading.results import Digit, Reading
from edgedigits_runtime.sources.files import Source


@dataclass(frozen=True)
class Case:
    """A labelled picture, its true labels in reading order, and its reading or the error that prevented it."""

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
        """Whether exactly the true labels were read; false if the picture could not be read."""
        return self.reading is not None and self.read == self.truth

    @cached_property
    def pairs(self) -> list[Pair]:
        """Aligned true and read labels."""
        return align(self.truth, self.read)

    @property
    def confidence(self) -> float:
        """Highest confidence of a digit, 0..1; 0 if none was read."""
        return max((digit.confidence for digit in self.digits), default=0.0)


@dataclass(frozen=True)
class DigitScores:
    """Numbers of true digits, digits read, and digits read right in pictures with several digits."""

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
    """The readings of a folder of labelled pictures; those `excluded` by their note do not count."""

    model: str
    engine: str
    device: str
    providers: tuple[str, ...]
    cases: tuple[Case, ...]
    excluded: tuple[Case, ...] = ()

    @cached_property
    def single(self) -> tuple[Case, ...]:
        """Pictures with one digit."""
        return tuple(case for case in self.cases if len(case.truth) == 1)

    @cached_property
    def several(self) -> tuple[Case, ...]:
        """Pictures with more than one digit."""
        return tuple(case for case in self.cases if len(case.truth) > 1)

    @cached_property
    def no_digit(self) -> tuple[Case, ...]:
        """Pictures without a digit."""
        return tuple(case for case in self.cases if not case.truth)

    @cached_property
    def single_by_kind(self) -> dict[str, tuple[Case, ...]]:
        """Pictures with one digit, by kind in alphabetical order; empty if no picture has a kind."""
        kinds = sorted({case.picture.kind for case in self.single})
        kinds = [] if kinds == [""] else kinds
        return {kind: tuple(case for case in self.single if case.picture.kind == kind) for kind in kinds}

    @cached_property
    def digit_scores(self) -> DigitScores:
        """Counts of the digits in pictures with several digits."""
        pairs = [pair for case in self.several for pair in case.pairs]
        return DigitScores(
            true=sum(true is not None for true, _ in pairs),
            read=sum(read is not None for _, read in pairs),
            right=sum(true == read for true, read in pairs),
        )

    @cached_property
    def confusions(self) -> list[tuple[Pair, int]]:
        """Pairs (true, read) that differ, with their counts in descending order; None means no digit."""
        pairs = Counter(pair for case in self.cases if case.reading for pair in case.pairs if pair[0] != pair[1])
        return sorted(pairs.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or ""))

    @cached_property
    def misread(self) -> list[Case]:
        """Pictures not read right, by descending confidence."""
        return sorted((case for case in self.cases if not case.right), key=lambda case: -case.confidence)

    @cached_property
    def unreadable(self) -> list[Case]:
        """Pictures that could not be read; they count as wrong."""
        return [case for case in (*self.cases, *self.excluded) if case.reading is None]

    @cached_property
    def reliability(self) -> Reliability | None:
        """Accuracy of the digits read, by confidence; None if no digit was read."""
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
        return group_by_confidence(answers, np.where(right, 0, 1).astype(np.int64))

    @cached_property
    def ms(self) -> dict[str, float]:
        """Median milliseconds of each stage."""
        readings = [case.reading for case in self.cases if case.reading]
        stages = readings[0].ms if readings else {}
        return {stage: statistics.median(reading.ms[stage] for reading in readings) for stage in stages}


def share_right(cases: Sequence[Case]) -> Share | None:
    """Return the share of pictures read right with its 95% interval; None without pictures."""
    return wilson(sum(case.right for case in cases), len(cases)) if cases else None


def evaluate_pictures(
    pictures: Sequence[LabelledPicture],
    options: ReaderOptions,
    *,
    exclude: Iterable[str] = (),
    jobs: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> FolderEvaluation:
    """Read pictures and compare the readings with their labels.

    Args:
        pictures, options: the pictures, and how they are read.
        exclude: pictures with one of these words in their note are read but do not count; case is ignored.
        jobs: number of processes.
        progress: called after each picture.

    Raises:
        DatasetInvalid: the model has no such label.
        EdgedigitsError: the model cannot be used.
    """
    engine = options.open().classifier.engine
    truths = [_truth(picture, engine.contract.labels) for picture in pictures]
    words = [word.casefold() for word in exclude]
    counted: list[Case] = []
    excluded: list[Case] = []
    outcomes = read_all((Task(Source(picture.name, picture.path)) for picture in pictures), options, jobs)
    for picture, truth, outcome in zip(pictures, truths, outcomes, strict=True):
        case = Case(picture, truth, outcome.reading, outcome.error)
        (excluded if any(word in picture.note.casefold() for word in words) else counted).append(case)
        progress()
    return FolderEvaluation(
        engine.contract.name, engine.name, engine.device, tuple(engine.providers), tuple(counted), tuple(excluded)
    )


def _truth(picture: LabelledPicture, labels: Sequence[str]) -> tuple[str, ...]:
    """Return a picture's label as labels of the model: one label, or one for each character."""
    if picture.label in labels:
        return (picture.label,)
    characters = tuple("".join(picture.label.split()))
    unknown = [character for character in characters if character not in labels]
    if unknown:
        raise DatasetInvalid(
            f"{picture.name} has the label {picture.label!r}; the labels of the model are {', '.join(labels)};"
            " for a picture without a digit leave the label empty, or use a sub-folder none"
        )
    return characters
