"""Shapes that no digit has."""

import numpy as np
import pytest

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import Candidate, Layout
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.reading.shape import SURE, shape_faults
from edgedigits_runtime.synthetic.handwriting import draw_digit


def candidate(ink: np.ndarray, **changed: float) -> Candidate:
    box = Box(0, 0, ink.shape[1], ink.shape[0])
    fill = np.count_nonzero(ink) / ink.size
    return Candidate(box, ink, 0, 0, 0, 0.0, False, 1.0, 5.0, fill)._replace(**changed)


def digit(value: int = 5, seed: int = 0) -> np.ndarray:
    ink = draw_digit(value, np.random.default_rng(seed), size=80)
    return ink[np.ix_(ink.any(axis=1), ink.any(axis=0))]


def faults(*candidates: Candidate, sure: float = 0.5, side: int = 100) -> list[str]:
    framed = np.array([frame_digit(candidate.ink) for candidate in candidates])
    layout = Layout(list(candidates), len(candidates), side)
    return shape_faults(layout, framed, np.full(len(candidates), sure, np.float32))


def full(height: int, width: int) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


@pytest.mark.parametrize("value", range(10))
@pytest.mark.parametrize("seed", range(8))
def test_digits_have_no_fault(value: int, seed: int) -> None:
    assert faults(candidate(digit(value, seed))) == [""]


def test_a_bold_one_has_no_fault() -> None:
    assert faults(candidate(full(60, 18))) == [""]


def test_shape_faults_are_found() -> None:
    colon = np.zeros((60, 12), np.uint8)
    colon[:14] = colon[-14:] = 255
    assert faults(candidate(full(8, 40))) == ["as flat as a minus"]
    assert faults(candidate(full(60, 50))) == ["a solid patch"]
    assert faults(candidate(colon)) == ["parts that stand apart"]
    assert faults(candidate(full(4, 2))) == ["4 pixels high"]
    assert faults(candidate(digit(), height=0.3)) == ["small beside its neighbours"]


def test_a_confident_digit_is_not_rejected_as_an_operator() -> None:
    plus = np.zeros((60, 60), np.uint8)
    plus[26:34] = plus[:, 26:34] = 255
    for mark, fault in ((full(20, 45), "as flat as a minus"), (plus, "operator shape")):
        assert faults(candidate(mark), sure=SURE - 0.01) == [fault]
        assert faults(candidate(mark), sure=SURE) != [fault]


def test_a_speck_on_a_large_page_is_dirt() -> None:
    speck = candidate(full(10, 4))
    assert faults(speck, side=600) == [""]
    assert faults(speck, side=750) == ["10 pixels high"]
    assert faults(candidate(full(13, 4)), side=3000) == [""]


def test_a_faint_streak_beside_digits_is_a_trace() -> None:
    streak = np.full((50, 3), 70, np.uint8)
    assert faults(candidate(digit(3)), candidate(digit(8)), candidate(streak))[2] == "a thin or faint trace"
    thin = candidate(full(40, 1), stroke=1.2)
    assert faults(candidate(digit(3)), candidate(digit(8)), thin)[2] == "a thin or faint trace"


def test_a_one_of_the_same_pen_is_no_trace() -> None:
    assert faults(candidate(digit(3)), candidate(digit(8)), candidate(full(60, 6), stroke=5.0))[2] == ""


def test_thin_strokes_alone_are_no_traces() -> None:
    assert faults(candidate(digit(3) // 4, stroke=1.0)) == [""]
