"""Hypotheses: which neighbouring pieces may be one digit, and the cost of each by its geometry.

Costs are negative log-likelihoods up to a constant; segments.py weighs them against the network's confidence. They were
tuned on pages of edgedigits_runtime.synthetic, and on MNIST's broken digits, none of which may be split.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edgedigits_runtime.reading.marks import Mark, around, distance, gap

# Up to MOST_JOINED neighbouring marks form a hypothesis, unless they are farther apart or together wider than this, in
# heights.
MOST_JOINED = 4
JOIN_GAP = 0.35
WIDEST = 1.7
# Width limit for a piece cut from touching digits, and half of the cost of a cut.
WIDEST_CUT = 1.2
CUT = 0.2
# Cost of joining two marks as high as digits that are side by side or in two lines.
SIDE_BY_SIDE = 2.0
FULL_HEIGHT = 0.75
SHARED_WIDTH = 0.25
WHOLE_MARKS = 6  # With no more marks than this in the picture, all of them may be one digit.
WHOLE_COST = 0.7  # Factor on that cost: with so few marks one digit is likelier than on a line of many.


@dataclass(frozen=True)
class Piece:
    """A mark, or a part of a mark that was cut, in search pixels.

    Attributes:
        group: index of the whole mark.
        line, height: index and height of its line.
    """

    mark: Mark
    group: int
    line: int
    height: float


class Hypothesis(NamedTuple):
    """Neighbouring pieces, from the first to the last, that may be one digit, at a cost; `cut`: part of a mark."""

    first: int
    last: int
    cost: float
    cut: bool = False


def hypotheses_of(parts: list[Piece], *, whole: bool) -> list[Hypothesis]:
    """Return all hypotheses of the pieces; `whole`: all pieces may be one digit."""
    runs = []
    for first, start in enumerate(parts):
        cost = 0.0
        for last in range(first, len(parts)):
            piece = parts[last]
            groups = piece.group - start.group
            if piece.line != start.line or groups >= MOST_JOINED:
                break
            if last > first and parts[last - 1].group != piece.group:
                apart = _apart(parts[first:last], piece)
                if apart > JOIN_GAP:
                    break
                cost += join_cost(apart) + SIDE_BY_SIDE * _side_by_side(parts[first:last], piece)
            box = around([part.mark.box for part in parts[first : last + 1]])
            width = box.width / max(start.height, box.height)
            if groups and width > WIDEST:
                break
            cuts = _is_cut(parts, first - 1) + _is_cut(parts, last)
            # A part cut from one mark does not join the next mark.
            if cuts and last > first and (groups or width > WIDEST_CUT):
                continue
            cost_of_width = width_cost(width) if groups else 0.0
            runs.append(Hypothesis(first, last, cost + CUT * cuts + cost_of_width, cuts > 0))
    if (
        whole
        and 1 < len({part.group for part in parts}) <= WHOLE_MARKS
        and (0, len(parts) - 1) not in {run[:2] for run in runs}
    ):
        runs.append(Hypothesis(0, len(parts) - 1, _whole_cost(parts)))
    return runs


def _apart(before: list[Piece], piece: Piece) -> float:
    """Return the distance of a piece from those before it in heights of the line; not exact above JOIN_GAP."""
    near = [other for other in before if gap(other.mark.box, piece.mark.box) <= JOIN_GAP * piece.height]
    return min((distance(other.mark, piece.mark) for other in near), default=np.inf) / piece.height


def _side_by_side(before: list[Piece], piece: Piece) -> bool:
    """Return whether a piece is beside those before it, and both are as high as digits of their line."""
    least = FULL_HEIGHT * piece.height
    left, right = around([other.mark.box for other in before]), piece.mark.box
    shared = left.right - right.x
    return left.height >= least and right.height >= least and shared <= SHARED_WIDTH * min(left.width, right.width)


def _is_cut(parts: list[Piece], before: int) -> bool:
    """Return whether a piece and the next one were cut from one mark."""
    return 0 <= before < len(parts) - 1 and parts[before].group == parts[before + 1].group


def join_cost(gap: float) -> float:
    """Return the cost of joining strokes that are `gap` heights apart."""
    return 10.0 * max(gap - 0.08, 0.0)


def width_cost(width: float) -> float:
    return 3.0 * max(width - 1.2, 0.0)


def _whole_cost(parts: list[Piece]) -> float:
    """Return the cost of all pieces as one digit, by the gaps between its marks."""
    joined = around([part.mark.box for part in parts])
    # The geometric mean with the whole's height, in which lines of a page would be close.
    height = np.sqrt(joined.height * max(part.mark.box.height for part in parts))
    reached, rest, cost = [parts[0]], list(parts[1:]), 0.0
    while rest:
        gaps = [min(distance(part.mark, other.mark) for other in reached) for part in rest]
        nearest = int(np.argmin(gaps))
        cost += WHOLE_COST * join_cost(gaps[nearest] / height)
        reached.append(rest.pop(nearest))
    groups = {part.group for part in parts}
    wholes = [around([part.mark.box for part in parts if part.group == group]) for group in groups]
    heights = np.array([box.height for box in wholes])
    digits = np.count_nonzero(heights >= FULL_HEIGHT * heights.max())
    return float(cost + SIDE_BY_SIDE * (digits - 1) + width_cost(joined.width / joined.height))
