"""Choose the candidates that are digits by the network's answers.

Every division of the pieces among candidates is a path; dynamic programming finds the best path over candidates that
were all classified at once (Matan, Burges, LeCun and Denker, "Multi-digit recognition using a space displacement neural
network", 1991).
"""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.candidates import Layout

# A non-digit counts as a digit of this confidence. A network trained with non-digits is less sure of one, and cutting
# it into pieces that look like digits has to be much better.
NO_DIGIT = 0.3

ANOTHER = 0.5  # Cost of each digit: fewer digits explain the same ink better.
# Up to four touching digits are cheaper than a non-digit. Their pieces must look like digits without doubt, as those of
# letters rarely do: the log of their confidence is multiplied by CUT_CERTAINTY.
ANOTHER_CUT = 0.2
CUT_CERTAINTY = 40.0
SHARE = 1.0  # Weight of the share of ink in choosing the one digit of a picture.


def chosen(
    layout: Layout, confidence: NDArray[np.float32], possible: NDArray[np.bool_], length: int | None = None
) -> list[tuple[int, bool]]:
    """Return the candidates of the best division in reading order, and whether each counts as a digit.

    Args:
        confidence: float32 [N], of each candidate as a digit.
        possible: bool [N], false for non-digits by shape.
        length: required number of digits, None for any; if it cannot be met, the answer is empty.
    """
    cut = np.array([candidate.cut for candidate in layout.candidates], bool)
    another = np.where(cut, ANOTHER_CUT, ANOTHER)
    digit = np.log(np.maximum(confidence.astype(np.float64), 1e-6)) * np.where(cut, CUT_CERTAINTY, 1.0) - another
    digit = np.where(possible, digit, -np.inf)
    other = np.log(NO_DIGIT) - another
    size = 1 if length is None else length + 1
    best = np.full((layout.pieces + 1, size), -np.inf)
    best[0, 0] = 0.0
    back: list[list[tuple[int, bool]]] = [[(-1, False)] * size for _ in range(layout.pieces + 1)]
    by_end: list[list[int]] = [[] for _ in range(layout.pieces + 1)]
    for k, candidate in enumerate(layout.candidates):
        by_end[candidate.last + 1].append(k)
    for end in range(1, layout.pieces + 1):
        for k in by_end[end]:
            candidate = layout.candidates[k]
            for is_digit, score in ((True, digit[k]), (False, other[k])):
                step = int(is_digit and length is not None)
                before = best[candidate.first, : size - step] + score - candidate.cost
                for count in np.flatnonzero(before > best[end, step:]).tolist():
                    best[end, count + step] = before[count]
                    back[end][count + step] = (k, is_digit)
    if not np.isfinite(best[-1, -1]):
        return []
    path, end, count = [], layout.pieces, size - 1
    while end:
        k, is_digit = back[end][count]
        path.append((k, is_digit))
        end, count = layout.candidates[k].first, count - int(is_digit and length is not None)
    return path[::-1]


def best_one(layout: Layout, confidence: NDArray[np.float32], possible: NDArray[np.bool_]) -> int:
    """Return the candidate that is most likely the one digit of its picture: a confident one with most of the ink."""
    ink = np.array([candidate.ink.sum(dtype=np.int64) for candidate in layout.candidates], np.float64)
    cost = np.array([candidate.cost for candidate in layout.candidates])
    score = np.log(np.maximum(confidence.astype(np.float64), 1e-6)) - cost + SHARE * np.log(ink / ink.max())
    return int(np.argmax(np.where(possible, score, score - 100.0)))
