"""Decide which found boxes are digits, by both networks, by shape and by their neighbours; and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import Criteria, Verdict, doubt, length_note, surplus_note
from edgedigits_runtime.reading.components import joined
from edgedigits_runtime.reading.found import Found
from edgedigits_runtime.reading.order import lines_of

Floats = NDArray[np.float32]

WEIGHTS = (-0.966, 1.574, 0.0, 0.416)
"""Log-odds of a digit that is read right: a constant, and factors on the log-odds of the finder's score, of its score
for a letter, and of the classifier's confidence, fitted to drawn scenes by benchmarks.finder_confidence."""
SURELY = 8.0  # Log-odds beyond are counted as these.
LEAST_SCORE = 0.2  # Boxes with a lower score are no candidates: not even a sure classifier would make them digits.
SURE_SCORE = 0.5  # A finder with a lower score is not sure.

SMALLEST = 5  # Pixels of height; lower ink is a speck.

# A solid block of ink: even a bold digit leaves this much of its box free, except a 1.
SOLID = 0.93
SOLID_WIDTH = 0.5
# Neighbours in a word are no farther apart, in heights of the lower one, and share this much of its height.
WORD_GAP = 0.5
WORD_SHARED = 0.4
# In a word the scores of letters add up to this, and to more than those of digits.
LETTERS = 1.0
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
    return np.flatnonzero(_may_be_digits(found.scores, found.letter_scores))


def _may_be_digits(scores: Floats, letter_scores: Floats) -> NDArray[np.bool_]:
    return scores >= np.maximum(LEAST_SCORE, letter_scores)


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
    scores, letter_scores, best = found.scores[index], found.letter_scores[index], classified.max(axis=1)
    sure = confidence(scores, letter_scores, best)
    in_words = _in_words(found)[index]
    faults = [
        "looks like a letter" if is_letter else _shape_fault(box, fill) or ("letter among letters" if in_word else "")
        for box, fill, is_letter, in_word in zip(
            candidates.boxes, candidates.fill.tolist(), ~_may_be_digits(scores, letter_scores), in_words, strict=True
        )
    ]
    doubts = [_doubt(*each, criteria.threshold) for each in zip(sure.tolist(), scores, best, strict=True)]
    verdict = _verdict(candidates.boxes, sure, (faults, doubts), criteria)
    return verdict._replace(sure=tuple(sure.tolist()))


def _doubt(sure: float, score: float, classified: float, threshold: float) -> str:
    """Return the reason for rejecting a candidate by its confidence, and which network doubts it; empty for a digit."""
    reason = doubt(sure, threshold)
    by_finder, by_classifier = score < SURE_SCORE, classified < threshold
    if not reason or not (by_finder or by_classifier):
        return reason
    who = "neither network is sure" if by_finder and by_classifier else "the finder is not sure"
    return f"{who if by_finder else 'the classifier is not sure'}: {reason}"


def _verdict(
    boxes: Sequence[Box], sure: Floats, reasons: tuple[Sequence[str], Sequence[str]], criteria: Criteria
) -> Verdict:
    """Return the verdict by the reasons against each candidate: faults, which are final, and doubts."""
    faults, doubts = reasons
    why = [fault or doubted for fault, doubted in zip(faults, doubts, strict=True)]
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


def _shape_fault(box: Box, fill: float) -> str:
    """Return why ink of this shape is no digit; empty where it may be one."""
    if box.height < SMALLEST:
        return "too small"
    return "a solid patch" if box.width >= SOLID_WIDTH * box.height and fill >= SOLID else ""


def _in_words(found: Found) -> NDArray[np.bool_]:
    """Return which boxes are in a word, where letters are likelier than digits, bool [N]."""
    if found.letter_scores.sum() < LETTERS:
        return np.zeros(len(found.scores), bool)
    low, high = found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]
    # Boxes that share part of their height, side by side.
    apart = np.maximum(low[:, np.newaxis], low) - np.minimum(high[:, np.newaxis], high)
    height = np.minimum(found.boxes[:, np.newaxis, 3], found.boxes[:, 3])
    near = (apart[..., 0] <= WORD_GAP * height) & (-apart[..., 1] >= WORD_SHARED * height)
    left, right = np.nonzero(np.triu(near, 1))
    words = joined(len(near), left.astype(np.int64), right.astype(np.int64))
    digits, letters = (np.bincount(words, weights=scores) for scores in (found.scores, found.letter_scores))
    of_letters = (letters >= LETTERS) & (letters > digits)
    return np.asarray(of_letters[words])
