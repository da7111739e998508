"""What passes between a picture's search, its classification and its verdict: candidates, criteria, reasons."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.preprocessing import Probabilities
from edgedigits_runtime.reading.box import Box

Expect = Literal["auto", "one", "number", "page"]
EXPECT: tuple[Expect, ...] = ("auto", "one", "number", "page")

DOUBTED = "confidence"

CUT_WIDTH = 0.8
"""A mark at least this wide, in heights of its line, may be two digits."""


class Criteria(NamedTuple):
    """Criteria of a digit: the least confidence (0..1), see EXPECT, and the number of digits (None for any)."""

    threshold: float
    expect: Expect = "auto"
    length: int | None = None


class Verdict(NamedTuple):
    """Candidates in reading order, and the reason why each is rejected; empty for a digit.

    Attributes:
        order, why: see above.
        note: a note for the user.
        lines: of the candidates in `order`; empty if they are known already.
        sure: confidence of each candidate, by index, where it is not the classifier's own; else empty.
    """

    order: tuple[int, ...]
    why: tuple[str, ...]
    note: str = ""
    lines: tuple[int, ...] = ()
    sure: tuple[float, ...] = ()


def doubt(confidence: float, threshold: float) -> str:
    """Return the reason for rejecting a confidence; empty if it reaches the threshold."""
    return "" if confidence >= threshold else f"{DOUBTED} {confidence:.2f} < {threshold:.2f}"


def length_note(count: int, length: int | None) -> str:
    """Return the note that not `length` digits were found; empty if any number was expected."""
    return f"found {count} digit{'s' * (count != 1)}, not the {length} that were expected" if length else ""


def surplus_note(found: int, length: int) -> str:
    """Return the note that more digits were found than expected; empty if not."""
    surplus = f"found {found} digits, and left out the least likely: {length} were expected"
    return surplus if found > length else ""


class Candidate(NamedTuple):
    """A possible digit.

    Attributes:
        box: in picture pixels, tight around its ink.
        ink: uint8 [height, width], the box without the ink of others.
        first, last: its first and last piece, of all pieces in reading order.
        line: index of its line.
        cost: negative log-likelihood of being one digit by geometry alone.
        cut: whether it was cut from a larger mark.
        height: relative to the height of its line.
        stroke: width of its strokes, in search pixels.
        fill: fraction of its box that is ink, in search pixels.
    """

    box: Box
    ink: NDArray[np.uint8]
    first: int
    last: int
    line: int
    cost: float
    cut: bool
    height: float
    stroke: float
    fill: float


def low_cost(height: int) -> float:
    """Return the cost of a digit of this height in picture pixels: hardly any are so low."""
    return 0.3 * max(13 - height, 0)


class Layout(NamedTuple):
    """All candidates of a picture, in reading order.

    Attributes:
        candidates: sorted by their first piece; a piece may be in several.
        pieces: number of pieces; a segmentation covers them all.
        side: the picture's shorter side in pixels.
        note: why nothing was located, if the search was given up.
    """

    candidates: list[Candidate]
    pieces: int
    side: int = 0
    note: str = ""

    @property
    def boxes(self) -> list[Box]:
        return [candidate.box for candidate in self.candidates]


Judge = Callable[[Probabilities, Criteria], Verdict]


class Searched(NamedTuple):
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
