"""Found boxes are judged by both networks and by their neighbours, and read in order."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import Criteria, Verdict
from edgedigits_runtime.reading.found import Found
from edgedigits_runtime.reading.judge import Candidates, candidates_of, confidence, judge_found

Floats = NDArray[np.float32]
SHARES = st.floats(0, 1, width=32)
BOXES = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 60), st.integers(1, 60))


def found(boxes: Sequence[tuple[int, ...]], scores: Sequence[float], letters: Sequence[float] | None = None) -> Found:
    letters = [0.01] * len(scores) if letters is None else letters
    return Found(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(letters, np.float32)
    )


def judged(what: Found, sure: float = 0.99, fill: float = 0.3, **criteria: object) -> Verdict:
    """Return the verdict on what was found; the classifier is equally sure of all."""
    index = candidates_of(what)
    boxes = [Box(*map(int, what.boxes[k])) for k in index]
    classified = np.full((len(index), 10), (1 - sure) / 9, np.float32)
    classified[:, 3] = sure
    fills = np.full(len(index), fill, np.float32)
    return judge_found(Candidates(what, index, boxes, fills), classified, Criteria(0.4, **criteria))  # type: ignore[arg-type]


def read(what: Found, verdict: Verdict) -> list[list[int]]:
    """Return the digits line by line, as indices of what was found."""
    index = candidates_of(what).tolist()
    kept = [(line, index[k]) for k, why, line in zip(verdict.order, verdict.why, verdict.lines, strict=True) if not why]
    return [[k for line, k in kept if line == number] for number in sorted({line for line, _ in kept})]


ROW = [(10 + 40 * k, 20, 20, 30) for k in range(5)]


def test_digits_are_read_line_by_line() -> None:
    two = found([*ROW[::-1], *[(x, y + 60, w, h) for x, y, w, h in ROW]], [0.9] * 10)
    assert read(two, judged(two)) == [[4, 3, 2, 1, 0], [5, 6, 7, 8, 9]]


@pytest.mark.parametrize("degrees", range(-15, 16, 5))
def test_turned_lines(degrees: int) -> None:
    turn = np.deg2rad(degrees)
    places = [(100 + 45 * k, 200 + 60 * line) for line in range(4) for k in range(7)]
    turned = [(x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)) for x, y in places]
    boxes = found([(int(x) + 200, int(y) + 200, 20, 30) for x, y in turned], [0.9] * len(places))
    assert read(boxes, judged(boxes)) == np.arange(28).reshape(4, 7).tolist()


def test_a_large_and_a_small_digit_stay_two() -> None:
    two = found([(10, 10, 100, 160), (130, 120, 25, 40)], [0.9, 0.9])
    assert sorted(k for line in read(two, judged(two)) for k in line) == [0, 1]


def test_letters_and_their_like_among_letters_are_left_out() -> None:
    word = found([(10 + 25 * k, 20, 20, 30) for k in range(5)] + [(400, 20, 20, 30)], [0.1, 0.1, 0.8, 0.1, 0.1, 0.8],
                 [0.9, 0.9, 0.1, 0.9, 0.9, 0.01])  # fmt: skip
    verdict = judged(word)
    assert read(word, verdict) == [[5]]
    assert "letter among letters" in verdict.why


def test_what_either_network_doubts_is_left_out() -> None:
    sure, doubted = found(ROW[:1], [0.95]), found(ROW[:1], [0.21])
    assert read(sure, judged(sure)) == [[0]]
    assert read(doubted, judged(doubted, sure=0.5)) == [] == read(sure, judged(sure, sure=0.2))
    assert judged(sure, fill=1.0).why == ("a solid patch",)


@pytest.mark.parametrize(
    ("score", "sure", "words"),
    [(0.21, 0.2, "neither"), (0.21, 0.5, "the finder"), (0.95, 0.2, "the classifier"), (0.95, 0.99, "")],
)
def test_the_reason_names_the_network_that_doubts(score: float, sure: float, words: str) -> None:
    (why,) = judged(found(ROW[:1], [score]), sure).why
    assert bool(why) == bool(words) and words in why


def test_letters_and_specks_are_named() -> None:
    what = found([*ROW[:1], (100, 20, 4, 3)], [0.3, 0.9], [0.8, 0.01])
    boxes = [Box(*map(int, box)) for box in what.boxes]
    everything = Candidates(what, np.arange(2), boxes, np.full(2, 0.3, np.float32))
    classified = np.full((2, 10), 0.99, np.float32)
    verdict = judge_found(everything, classified, Criteria(0.4))
    assert dict(zip(verdict.order, verdict.why, strict=True)) == {0: "looks like a letter", 1: "too small"}


def test_one_digit_is_expected() -> None:
    several = found([(10, 10, 12, 18), (60, 10, 80, 120), (200, 10, 12, 18)], [0.9, 0.85, 0.9])
    assert read(several, judged(several, expect="one")) == [[1]]


def test_one_number_is_expected() -> None:
    lines = found([*ROW[:2], *[(x, y + 80, w, h) for x, y, w, h in ROW]], [0.9] * 7)
    verdict = judged(lines, expect="number")
    assert read(lines, verdict) == [[2, 3, 4, 5, 6]]
    assert verdict.why.count("on another line") == 2


def test_the_number_of_digits_is_known() -> None:
    row = found(ROW, [0.9, 0.2, 0.95, 0.9, 0.1])
    assert read(row, judged(row, length=3)) == [[0, 2, 3]]
    assert "left out the least likely" in judged(row, length=2).note
    assert "not the 9 that were expected" in judged(row, length=9).note
    assert judged(found([], []), length=2).note.startswith("found 0 digits")


@given(st.lists(st.tuples(BOXES, SHARES, SHARES), max_size=12), SHARES, st.sampled_from(["auto", "number", "page"]))
def test_every_candidate_is_judged_once(
    items: list[tuple[tuple[int, ...], float, float]], sure: float, expect: str
) -> None:
    boxes, scores, letters = zip(*items, strict=True) if items else ((), (), ())
    what = found(boxes, scores, letters)
    verdict = judged(what, sure, expect=expect)
    count = len(candidates_of(what))
    assert sorted(verdict.order) == list(range(count))
    assert len(verdict.why) == len(verdict.lines) == count


@given(SHARES, SHARES, SHARES, SHARES)
def test_confidence_grows_with_either_network(score: float, letter: float, classified: float, more: float) -> None:
    def of(*shares: float) -> float:
        return float(confidence(*[np.array([share], np.float32) for share in shares])[0])

    least = of(score, letter, classified)
    assert 0 <= least <= 1
    assert least <= of(max(score, more), letter, classified) + 1e-6
    assert least <= of(score, letter, max(classified, more)) + 1e-6
    assert least >= of(score, max(letter, more), classified) - 1e-6
