"""Decide which found boxes are digits, by both networks, by shape and by their neighbours; and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import joined
from edgedigits_runtime.reading.criteria import Criteria, Verdict, doubt, length_note, surplus_note
from edgedigits_runtime.reading.found import Found
from edgedigits_runtime.reading.marks import Box
from edgedigits_runtime.reading.order import lines_of

Floats = NDArray[np.float32]

WEIGHTS = (0.0, 0.6, -0.2, 0.8)
"""Log-odds of a digit that is read right: a constant, and factors on the log-odds of the finder's score, of its score
for a letter, and of the classifier's confidence. Not fitted yet: benchmarks.finder_confidence prints those for
a trained finder."""
SURELY = 8.0  # Log-odds beyond are counted as these.
LEAST_SCORE = 0.05  # Boxes with a lower score are no candidates.

# A solid block of ink: even a bold digit leaves this much of its box free, except a 1.
SOLID = 0.93
SOLID_WIDTH = 0.5
# Neighbours in a word are no farther apart, in heights of the lower one, and share this much of its height.
WORD_GAP = 0.5
WORD_SHARED = 0.4
# In a word, more than this share are letters, and at least two.
LETTERS = 0.5
FEWEST_LETTERS = 2
SHARE = 1.0  # Weight of the share of area in choosing the one digit of a picture.


@dataclass(frozen=True, eq=False)
class Candidates:
    """Found boxes that may be digits.

    Attributes:
        found: all that was found.
        index: int64 [N], of the candidates in it.
        boxes: of the candidates' ink.
        fill: float32 [N], the fraction of each which is ink.
    """

    found: Found
    index: NDArray[np.int64]
    boxes: Sequence[Box]
    fill: Floats


def candidates_of(found: Found) -> NDArray[np.int64]:
    """Return the indices of boxes that may be digits, by their scores."""
    return np.flatnonzero(found.scores >= np.maximum(LEAST_SCORE, found.letter_scores))


def score_map(found: Found, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a map of a picture, uint8 [H, W]: each box as bright as its score as a digit, 0 where none is."""
    scores = np.zeros(shape[:2], np.uint8)
    corners = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], axis=1)
    for (left, top, right, bottom), score in zip(
        np.maximum(np.rint(corners), 0).astype(int).tolist(), found.scores, strict=True
    ):
        part = scores[top:bottom, left:right]
        np.maximum(part, np.uint8(255 * score), out=part)
    return scores


def confidence(scores: Floats, letter_scores: Floats, classified: Floats) -> Floats:
    """Return the confidence that a box is a digit and is read right, from the networks' answers, float32 [N] each.

    It is never above the classifier's own.
    """
    constant, *factors = WEIGHTS
    logits = [log_odds(each) for each in (scores, letter_scores, classified)]
    total = constant + sum(factor * each for factor, each in zip(factors, logits, strict=True))
    return np.minimum(1 / (1 + np.exp(-total)), classified).astype(np.float32)


def judge_found(candidates: Candidates, classified: Floats, criteria: Criteria) -> Verdict:
    """Decide which of N candidates are digits, by the classifier's confidences, float32 [N, classes]."""
    index, found = candidates.index, candidates.found
    if not len(index):
        return Verdict((), (), length_note(0, criteria.length))
    sure = confidence(found.scores[index], found.letter_scores[index], classified.max(axis=1))
    faults = [_fault(box, fill) for box, fill in zip(candidates.boxes, candidates.fill.tolist(), strict=True)]
    for k in np.flatnonzero(_in_words(found)[index]).tolist():
        faults[k] = faults[k] or "letter among letters"
    verdict = _verdict(candidates.boxes, sure, faults, criteria)
    return replace(verdict, sure=tuple(sure.tolist()))


def _verdict(boxes: Sequence[Box], sure: Floats, faults: list[str], criteria: Criteria) -> Verdict:
    why = [fault or doubt(each, criteria.threshold) for fault, each in zip(faults, sure.tolist(), strict=True)]
    if criteria.expect == "one":
        areas = np.array([box.width * box.height for box in boxes], np.float64)
        score = np.log(np.maximum(sure, 1e-6)) + SHARE * np.log(areas / areas.max())
        best = int(np.argmax(score - 100.0 * np.array([bool(fault) for fault in faults])))
        return Verdict((best,), (why[best],), lines=(0,))
    length = criteria.length
    kept = [k for k, reason in enumerate(why) if not reason]
    possible = [k for k, fault in enumerate(faults) if not fault]
    note = length_note(len(kept), length)
    if length is not None and len(possible) >= length:
        note = surplus_note(len(kept), length)
        kept = sorted(possible, key=lambda k: -sure[k])[:length]
    lines = [[kept[k] for k in line] for line in lines_of([boxes[k] for k in kept])]
    if criteria.expect == "number" and lines:
        lines = [max(lines, key=len)]
    order = [k for line in lines for k in line]
    numbers = [number for number, line in enumerate(lines) for _ in line]
    others = [k for k in range(len(boxes)) if k not in set(order)]
    left_out = "less likely than the others" if length else "on another line"
    return Verdict(
        tuple(order + others),
        ("",) * len(order) + tuple(why[k] or left_out for k in others),
        note,
        (*numbers, *[len(lines)] * len(others)),
    )


def log_odds(share: NDArray[Any]) -> NDArray[np.float64]:
    """Return the logarithm of share / (1 - share), at most SURELY either way."""
    within = np.clip(share.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.clip(np.log(within / (1 - within)), -SURELY, SURELY)


def _fault(box: Box, fill: float) -> str:
    """Return why ink of this shape is no digit; empty where it may be one."""
    return "a solid patch" if box.width >= SOLID_WIDTH * box.height and fill >= SOLID else ""


def _in_words(found: Found) -> NDArray[np.bool_]:
    """Return which boxes are in a word, of which most are letters, bool [N]."""
    letters = found.letter_scores > found.scores
    if np.count_nonzero(letters) < FEWEST_LETTERS:
        return np.zeros(len(letters), bool)
    low, high = found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]
    # Boxes that share part of their height, side by side.
    apart = np.maximum(low[:, np.newaxis], low) - np.minimum(high[:, np.newaxis], high)
    height = np.minimum(found.boxes[:, np.newaxis, 3], found.boxes[:, 3])
    near = (apart[..., 0] <= WORD_GAP * height) & (-apart[..., 1] >= WORD_SHARED * height)
    left, right = np.nonzero(np.triu(near, 1))
    words = joined(len(letters), left.astype(np.int64), right.astype(np.int64))
    sizes, letters_in = np.bincount(words), np.bincount(words, weights=letters)
    of_letters = (letters_in >= FEWEST_LETTERS) & (letters_in > LETTERS * sizes)
    return np.asarray(of_letters[words])
