"""The best division of pieces among candidates agrees with an exhaustive search."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import Candidate, Layout
from edgedigits_runtime.reading.hypotheses import CUT
from edgedigits_runtime.reading.segments import ANOTHER, ANOTHER_CUT, CUT_CERTAINTY, NO_DIGIT, best_one, chosen

INK = np.full((10, 5), 255, np.uint8)


def candidate(first: int, last: int, cost: float = 0.0, cut: bool = False, ink: NDArray[np.uint8] = INK) -> Candidate:
    box = Box(10 * first, 0, 10 * (last - first) + 5, 10)
    return Candidate(box, ink, first, last, line=0, cost=cost, cut=cut, height=1.0, stroke=2.0, fill=0.5)


def layout(*runs: tuple[int, int, float] | tuple[int, int, float, bool]) -> Layout:
    return Layout([candidate(*run) for run in runs], 1 + max(run[1] for run in runs))


def divided(of: Layout, confidence: list[float], length: int | None = None) -> list[int]:
    sure = np.array(confidence, np.float32)
    return [k for k, _ in chosen(of, sure, np.ones(len(sure), bool), length)]


def test_strokes_with_a_higher_joint_confidence_are_one_digit() -> None:
    strokes = layout((0, 0, 0.0), (0, 1, 0.2), (1, 1, 0.0))
    assert divided(strokes, [0.6, 0.99, 0.9]) == [1]
    assert divided(strokes, [0.98, 0.3, 0.97]) == [0, 2]


def test_a_cut_needs_a_better_score() -> None:
    touching = layout((0, 0, CUT, True), (0, 1, 0.0), (1, 1, CUT, True))
    assert divided(touching, [1.0, 0.8, 1.0]) == [1]
    assert divided(touching, [1.0, 0.12, 1.0]) == [0, 2]
    three = layout((0, 0, CUT, True), (1, 1, 2 * CUT, True), (2, 2, CUT, True), (0, 2, 0.0))
    assert divided(three, [1.0, 1.0, 1.0, 0.12]) == [0, 1, 2]
    # A letter's halves may look like digits, but not without doubt.
    assert divided(touching, [0.98, 0.12, 0.95]) == [1]


def test_a_length_is_met_if_it_can_be() -> None:
    touching = layout((0, 0, 1.0), (0, 1, 0.0), (1, 1, 1.0))
    assert divided(touching, [0.7, 0.99, 0.7], length=2) == [0, 2]
    assert divided(touching, [0.7, 0.99, 0.7], length=1) == [1]
    assert divided(touching, [0.7, 0.99, 0.7], length=3) == []


def test_a_length_leaves_out_the_least_likely() -> None:
    marks = layout((0, 0, 0.0), (1, 1, 0.0), (2, 2, 0.0))
    sure = np.array([0.9, 0.3, 0.8], np.float32)
    assert chosen(marks, sure, np.ones(3, bool), 2) == [(0, True), (1, False), (2, True)]


def test_candidates_with_a_shape_fault_are_not_counted() -> None:
    marks = layout((0, 0, 0.0), (1, 1, 0.0))
    possible = np.array([True, False])
    sure = np.array([0.9, 0.99], np.float32)
    assert chosen(marks, sure, possible, 1) == [(0, True), (1, False)]
    assert chosen(marks, sure, possible, 2) == []


@given(st.integers(1, 5), st.integers(0, 2**32 - 1), st.one_of(st.none(), st.integers(1, 4)))
def test_no_other_division_is_better(pieces: int, seed: int, length: int | None) -> None:
    rng = np.random.default_rng(seed)
    runs = [(a, b, float(rng.uniform(0, 2)), bool(rng.random() < 0.3)) for a in range(pieces) for b in range(a, pieces)]
    runs = [run for run in runs if run[0] == run[1] or rng.random() < 0.7]
    sure, possible = rng.uniform(0.05, 1, len(runs)).astype(np.float32), rng.random(len(runs)) < 0.8

    def score(path: list[tuple[int, bool]]) -> float:
        total = 0.0
        for k, digit in path:
            _, _, cost, cut = runs[k]
            weight = CUT_CERTAINTY if cut else 1
            total += weight * np.log(sure[k]) if digit else np.log(NO_DIGIT)
            total -= (ANOTHER_CUT if cut else ANOTHER) + cost
        return total

    def paths(start: int) -> list[list[tuple[int, bool]]]:
        if start == pieces:
            return [[]]
        nexts = [k for k, run in enumerate(runs) if run[0] == start]
        kinds = [(k, digit) for k in nexts for digit in (True, False) if possible[k] or not digit]
        return [[kind, *rest] for kind in kinds for rest in paths(runs[kind[0]][1] + 1)]

    allowed = [path for path in paths(0) if length is None or sum(digit for _, digit in path) == length]
    found = chosen(layout(*runs), sure, possible, length)
    assert bool(found) == bool(allowed)
    if allowed:
        assert score(found) == pytest.approx(max(map(score, allowed)))


def test_the_one_digit_is_sure_and_has_most_of_the_ink() -> None:
    speck = np.full((4, 4), 255, np.uint8)
    both = Layout([candidate(0, 0), candidate(1, 1, ink=speck)], 2)
    possible = np.ones(2, bool)
    assert best_one(both, np.array([0.9, 0.99], np.float32), possible) == 0
    assert best_one(both, np.array([0.15, 0.99], np.float32), possible) == 1
    assert best_one(both, np.array([0.9, 0.2], np.float32), np.array([False, True])) == 1


def test_lengths_are_met_by_every_count_of_separate_marks() -> None:
    for marks, length in itertools.product(range(1, 6), range(1, 6)):
        found = divided(layout(*((k, k, 0.0) for k in range(marks))), [0.9] * marks, length)
        assert bool(found) == (length <= marks)
