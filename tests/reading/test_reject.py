"""Candidates are accepted by confidence, by their neighbours, and by the expectation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import Candidate, Criteria, Layout, Verdict
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.reading.reject import judge, words
from edgedigits_runtime.synthetic.handwriting import draw_digit

THREE = draw_digit(3, np.random.default_rng(0), size=60)
THREE = THREE[np.ix_(THREE.any(axis=1), THREE.any(axis=0))]


def judged(
    sure: list[float],
    *,
    lines: list[int] | None = None,
    step: int = 50,
    heights: list[int] | None = None,
    **rules: object,
) -> Verdict:
    """Judge marks in a row, `step` pixels apart, classified as 3 with these confidences."""
    lines = lines or [0] * len(sure)
    heights = heights or [40] * len(sure)
    candidates = [
        Candidate(Box(step * k, 100 * line, 30, height), THREE, k, k, line, 0.0, False, 1.0, 5.0, 0.4)
        for k, (line, height) in enumerate(zip(lines, heights, strict=True))
    ]
    confidences = np.zeros((len(sure), 10), np.float32)
    confidences[:, 3] = sure
    framed = np.array([frame_digit(THREE)] * len(sure))
    options = {"threshold": 0.5, **rules}
    return judge(Layout(candidates, len(sure)), framed, confidences, Criteria(**options))  # type: ignore[arg-type]


def test_no_candidates_give_an_empty_verdict() -> None:
    assert judge(Layout([], 0), np.zeros((0, 28, 28)), np.zeros((0, 10)), Criteria(0.5)) == Verdict((), ())


def test_a_texture_is_noted() -> None:
    assert (
        judge(Layout([], 0, note="a texture"), np.zeros((0, 28, 28)), np.zeros((0, 10)), Criteria(0.5)).note
        == "a texture"
    )


@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_a_digit_reaches_the_threshold(confidence: float, threshold: float) -> None:
    (why,) = judged([confidence], threshold=threshold).why
    assert why == ("" if confidence >= threshold else f"confidence {confidence:.2f} < {threshold:.2f}")


def test_a_digit_in_a_word_is_a_letter() -> None:
    assert judged([0.2, 0.99, 0.3, 0.2], step=35).why[1] == "letter among letters"
    assert judged([0.2, 0.99, 0.3, 0.2], step=90).why[1] == ""
    assert judged([0.99, 0.3, 0.98, 0.97], step=35).why == ("", "confidence 0.30 < 0.50", "", "")


def test_a_mark_much_higher_than_the_digits_is_rejected() -> None:
    assert judged([0.9] * 5, heights=[40, 44, 38, 200, 41]).why == ("", "", "", "large beside its neighbours", "")
    assert judged([0.9] * 2, heights=[40, 200]).why == ("", "")


def test_one_digit_is_expected() -> None:
    verdict = judged([0.7, 0.95, 0.2], expect="one")
    assert (verdict.order, verdict.why) == ((1,), ("",))
    assert judged([0.3, 0.4], expect="one").why == ("confidence 0.40 < 0.50",)


def test_one_number_is_expected() -> None:
    verdict = judged([0.9, 0.9, 0.9, 0.9], lines=[0, 1, 1, 1], expect="number")
    assert verdict.why == ("on another line", "", "", "")


def test_a_length_overrides_the_threshold() -> None:
    verdict = judged([0.9, 0.3, 0.2, 0.8], length=3)
    assert verdict.why == ("", "", "less likely than the others", "")
    assert verdict.note == ""


def test_digits_beyond_the_length_are_noted() -> None:
    verdict = judged([0.9, 0.7, 0.9, 0.8], length=2)
    assert verdict.why == ("", "less likely than the others", "", "less likely than the others")
    assert verdict.note == "found 4 digits, and left out the least likely: 2 were expected"


@pytest.mark.parametrize("expect", ["auto", "number", "page"])
def test_a_length_that_cannot_be_met_is_noted(expect: str) -> None:
    verdict = judged([0.9, 0.3, 0.8], length=4, expect=expect)
    assert verdict.why == ("", "confidence 0.30 < 0.50", "")
    assert verdict.note == "found 2 digits, not the 4 that were expected"


def test_words_end_at_wide_gaps_and_at_lines() -> None:
    boxes = [Box(0, 0, 20, 40), Box(25, 0, 20, 40), Box(90, 0, 20, 40), Box(95, 80, 20, 40)]
    assert words(boxes, [0, 0, 0, 1]) == [[0, 1], [2], [3]]
