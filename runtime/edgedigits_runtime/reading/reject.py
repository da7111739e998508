"""Decide which candidates are digits, by the model's confidence, by shape, and by their neighbours."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import (
    DOUBTED,
    Candidate,
    Criteria,
    Layout,
    Verdict,
    doubt,
    length_note,
    surplus_note,
)
from edgedigits_runtime.reading.shape import shape_faults

# A candidate higher than this many median digits is a line or a drawing.
LARGEST = 2.5
FEWEST_NEIGHBOURS = 3
# Largest gap within a word, in heights. Some people print letters farther apart: then it is WORD_GAPS times the median
# gap of the line, up to WIDEST_WORD_GAP.
WORD_GAP = 0.5
WORD_GAPS = 1.5
WIDEST_WORD_GAP = 1.2
# In a word, more than this share of the marks are doubted by the network; its O, I and S are not digits.
LETTERS = 0.5
FEWEST_LETTERS = 2
DOUBT = 0.5


def judge(layout: Layout, framed: NDArray[np.uint8], confidences: NDArray[np.float32], criteria: Criteria) -> Verdict:
    """Decide which of N candidates are digits, by images uint8 [N, 28, 28] and confidences float32 [N, classes]."""
    candidates = layout.candidates
    if not candidates:
        return Verdict((), (), layout.note or length_note(0, criteria.length))
    sure = confidences.max(axis=1)
    faults = shape_faults(layout, framed, sure)
    if len(candidates) == 1 and criteria.length is None:
        # There are no other candidates and no neighbours.
        return Verdict((0,), (faults[0] or doubt(float(sure[0]), criteria.threshold),))
    # Here, so that one digit is read without it.
    from edgedigits_runtime.reading.segments import best_one, chosen

    if criteria.expect == "one":
        best = best_one(layout, sure, np.array([not fault for fault in faults]))
        return Verdict((best,), (faults[best] or doubt(float(sure[best]), criteria.threshold),))
    if criteria.expect == "number":
        line = _longest_line(layout, sure, faults, criteria.threshold)
        faults = [
            fault or ("" if candidate.line == line else "on another line")
            for fault, candidate in zip(faults, candidates, strict=True)
        ]
    possible = np.array([not fault for fault in faults])
    if criteria.length is not None and (path := chosen(layout, sure, possible, criteria.length)):
        why = ["" if counted else faults[k] or "less likely than the others" for k, counted in path]
        found = criteria.length + sum(
            not counted and not faults[k] and sure[k] >= criteria.threshold for k, counted in path
        )
        return Verdict(tuple(k for k, _ in path), tuple(why), surplus_note(found, criteria.length))
    order = [k for k, _ in chosen(layout, sure, possible)]
    why = [faults[k] or doubt(float(sure[k]), criteria.threshold) for k in order]
    why = _without_large(order, _without_words(order, why, layout, sure), candidates)
    return Verdict(tuple(order), tuple(why), length_note(sum(not reason for reason in why), criteria.length))


def _without_words(order: list[int], why: list[str], layout: Layout, sure: NDArray[np.float32]) -> list[str]:
    """Reject digits in a word of letters."""
    why = list(why)
    ordered = [layout.candidates[k] for k in order]
    # Operators are beside digits, so candidates rejected by shape are not letters.
    may_be_letter = [not reason or reason.startswith(DOUBTED) for reason in why]
    doubted = [may and float(sure[k]) < DOUBT for may, k in zip(may_be_letter, order, strict=True)]
    for word in words([candidate.box for candidate in ordered], [candidate.line for candidate in ordered]):
        letters = sum(doubted[k] for k in word)
        if letters >= FEWEST_LETTERS and letters > LETTERS * sum(may_be_letter[k] for k in word):
            for k in word:
                why[k] = why[k] or "letter among letters"
    return why


def _without_large(order: list[int], why: list[str], candidates: Sequence[Candidate]) -> list[str]:
    """Reject candidates much higher than the picture's digits."""
    heights = np.array([candidates[k].box.height for k in order], np.float64)
    kept = np.array([not reason for reason in why])
    if np.count_nonzero(kept) <= FEWEST_NEIGHBOURS:
        return why
    large = heights > LARGEST * np.median(heights[kept])
    return [reason or ("large beside its neighbours" if tall else "") for reason, tall in zip(why, large, strict=True)]


def _longest_line(layout: Layout, sure: NDArray[np.float32], faults: list[str], threshold: float) -> int:
    """Return the line with the most digits, the first if equal."""
    from edgedigits_runtime.reading.segments import chosen

    possible = np.array([not fault for fault in faults])
    path = chosen(layout, sure, possible)
    lines = [layout.candidates[k].line for k, counted in path if counted and sure[k] >= threshold]
    return max(sorted(set(lines)), key=lines.count, default=0)


def words(boxes: Sequence[Box], lines: Sequence[int]) -> list[list[int]]:
    """Return the indices of boxes, in reading order, grouped into words."""
    gaps = [(box.x - before.right) / max(box.height, before.height) for before, box in pairwise(boxes)]
    found: list[list[int]] = []
    for k, line in enumerate(lines):
        within = [gap for j, gap in enumerate(gaps) if lines[j] == lines[j + 1] == line]
        if k and lines[k - 1] == line and gaps[k - 1] <= _word_gap(within):
            found[-1].append(k)
        else:
            found.append([k])
    return found


def _word_gap(gaps: list[float]) -> float:
    """Return the largest gap within a word, in heights, for a line with these gaps."""
    return min(max(WORD_GAP, WORD_GAPS * float(np.median(gaps))), WIDEST_WORD_GAP)
