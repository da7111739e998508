"""The candidates of a picture, before they are classified."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.preprocessing import Probabilities
from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.criteria import Criteria, Verdict, doubt

Judge = Callable[[Probabilities, Criteria], Verdict]


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search of a picture gives.

    Attributes:
        ink: see Trace; empty with a finder.
        boxes: of the candidates.
        framed: images as the model takes them.
        judge: returns the verdict, with the lines, by the candidates' confidences.
        as_it_is: the picture was framed already.
        scores: float32 [N, 2], the finder's of a digit and of a letter; None without a finder.
    """

    ink: NDArray[np.uint8]
    boxes: list[Box]
    framed: NDArray[np.uint8]
    judge: Judge
    as_it_is: bool = False
    scores: NDArray[np.float32] | None = None


def judge_one(confidences: Probabilities, criteria: Criteria) -> Verdict:
    """Judge the only candidate of a picture by its confidences, float32 [1, classes]."""
    return Verdict((0,), (doubt(float(confidences.max()), criteria.threshold),), lines=(0,))
