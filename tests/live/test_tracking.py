"""Tracking by overlap, voting over time, and settled answers."""

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.live.settling import Settling
from edgedigits_runtime.live.tracking import Tracks, overlap
from edgedigits_runtime.reading.results import Digit

FPS = 30

boxes = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 40), st.integers(1, 40))


def digit(label: str, x: int = 100, y: int = 100, sure: float = 0.95) -> Digit:
    other = "1" if label == "7" else "7"
    return Digit(int(label), label, sure, (x, y, 40, 60), ((label, sure), (other, 1 - sure)))


def number(text: str, x: int = 100, y: int = 100) -> list[Digit]:
    return [digit(label, x + 60 * k, y) for k, label in enumerate(text)]


def answers_to(frames: list[list[Digit]], fps: float = FPS) -> tuple[list[str], list[str]]:
    """Return the new texts, and all texts without repeats."""
    settling = Settling()
    answers = [settling.update(digits, k / fps) for k, digits in enumerate(frames)]
    return [answer.text for answer in answers if answer.new], [
        text for text, _ in itertools.groupby(answer.text for answer in answers)
    ]


@given(boxes, boxes)
def test_overlap_is_symmetric_and_1_only_with_itself(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    share = overlap(one, other)  # type: ignore[arg-type]
    assert share == overlap(other, one)  # type: ignore[arg-type]
    assert 0 <= share <= 1 and (share == 1) == (one == other)


def test_moving_digit_keeps_its_track() -> None:
    tracks = Tracks()
    first = [tracks.update([digit("4", x), digit("2", x + 60)], k / FPS) for k, x in enumerate(range(0, 200, 20))]
    assert [len(found) for found in first] == [0, 0, *[2] * 8]
    assert first[2][0] is first[-1][0] and first[-1][0].box[0] == 180


@pytest.mark.parametrize("fps", [3, 10, 30])
def test_settled_number_is_new_once(fps: float) -> None:
    new, texts = answers_to([[]] * 5 + [number("42")] * 60, fps)
    assert new == ["42"] and texts == ["", "42"]


@pytest.mark.parametrize("fps", [3, 10, 30])
def test_successive_numbers_never_mix(fps: float) -> None:
    frames = [number("42")] * 60 + [number("719", 110)] * 60 + [number("5", 400, 300)] * 60 + [[]] * 60
    new, texts = answers_to(frames, fps)
    assert new == ["42", "719", "5"] and texts == ["", "42", "719", "5", ""]


def test_same_number_is_new_again_only_after_it_was_gone() -> None:
    away = [*[number("42")] * 60, *[[]] * 60, *[number("42")] * 60]
    assert answers_to(away)[0] == ["42", "42"]
    hidden_for_a_moment = [*[number("42")] * 60, *[[]] * 8, *[number("42")] * 60]
    assert answers_to(hidden_for_a_moment) == (["42"], ["", "42"])


@pytest.mark.parametrize("seed", range(20))
def test_misreadings_are_outvoted(seed: int) -> None:
    """A fifth of the readings miss, misread or add a digit."""
    random = Random(seed)
    frames = []
    for _ in range(300):
        digits = number("42")
        slip = random.random()
        if slip < 0.08:
            digits.pop(random.randrange(2))
        elif slip < 0.15:
            digits[0] = digit(random.choice("179"), 100, 100, random.uniform(0.5, 1))
        elif slip < 0.2:
            digits.append(digit(random.choice("018"), random.randrange(300, 500), random.randrange(0, 400)))
        frames.append(digits)
    assert answers_to([number("42")] * 30 + frames) == (["42"], ["", "42"])


def test_vanished_digit_stays_in_answer_as_invisible() -> None:
    settling = Settling()
    answers = [settling.update(number("42" if k < 60 else "7"), k / FPS) for k in range(100)]
    assert answers[59].visible == (True, True)
    assert answers[70].text == "42" and answers[70].visible == (False, False)
    assert answers[-1].text == "7" and answers[-1].visible == (True,)


def test_labels_can_be_words() -> None:
    def thing(label: str, x: int) -> Digit:
        return Digit(None, label, 0.9, (x, 100, 40, 60), ((label, 0.9), ("dog", 0.1)))

    settling = Settling()
    answers = [settling.update([thing("cat", 0), thing("12", 100)], k / FPS) for k in range(60)]
    assert [(digit.label, digit.digit) for digit in answers[-1].digits] == [("cat", None), ("12", None)]
    assert answers[-1].text == "cat12"
    # The settled label stays first while another one gets votes.
    changed = settling.update([thing("dog", 0), thing("12", 100)], 2.0)
    assert [digit.label for digit in changed.digits] == ["cat", "12"]


def test_lines_are_separated_and_ordered() -> None:
    new, _ = answers_to([[*number("19", 300, 300), *number("42", 100, 100), *number("7", 250, 100)]] * 40)
    assert new == ["427\n19"]


def test_confidence_is_the_mean_of_readings() -> None:
    settling = Settling(top_k=2)
    for k in range(60):
        answer = settling.update([digit("4", sure=0.9 if k % 2 else 0.7)], k / FPS)
    (found,) = answer.digits
    assert (found.digit, found.label, found.box) == (4, "4", (100, 100, 40, 60))
    assert found.confidence == pytest.approx(0.8, abs=0.03)
    assert [label for label, _ in found.top] == ["4", "7"]


def test_new_digit_discards_earlier_votes() -> None:
    settling = Settling()
    for k in range(120):
        answer = settling.update(number("42" if k < 60 else "45"), k / FPS)
    assert answer.text == "45" and answer.digits[1].confidence == pytest.approx(0.95)


@given(
    st.lists(st.lists(st.tuples(st.sampled_from("0123456789"), boxes), max_size=4), max_size=60),
    st.sampled_from([2, 10, 30]),
)
def test_text_matches_digits(frames: list[list[tuple[str, tuple[int, int, int, int]]]], fps: float) -> None:
    settling = Settling()
    for k, frame in enumerate(frames):
        digits = [Digit(int(label), label, 0.9, box, ((label, 0.9),)) for label, box in frame]
        answer = settling.update(digits, k / fps)
        assert answer.text.replace("\n", "") == "".join(found.label for found in answer.digits)
        assert all(0 <= found.confidence <= 1 for found in answer.digits)
        assert not (answer.new and not answer.text)


@pytest.mark.parametrize(("seen", "sure", "settles"), [(1, 0.9, True), (1, 0.5, False), (3, 1.0, False)])
def test_a_digit_settles_by_its_mean_confidence_over_readings(seen: int, sure: float, settles: bool) -> None:
    settling = Settling(least=0.6)
    answers = [settling.update([digit("4", sure=sure)] if k % seen == 0 else [], k / 10) for k in range(60)]
    assert any(answer.new for answer in answers) == settles
