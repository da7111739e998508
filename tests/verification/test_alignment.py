"""The alignment of true digits and digits that were read."""

from hypothesis import given
from hypothesis import strategies as st

from edgedigits.verification.alignment import Pair, align

DIGITS = st.text("0123", max_size=8)


def edits(pairs: list[Pair]) -> int:
    return sum(true != read for true, read in pairs)


def distance(truth: str, read: str) -> int:
    """Levenshtein distance by its definition; slow, for short texts."""
    if not truth or not read:
        return len(truth) + len(read)
    return min(
        distance(truth[1:], read[1:]) + (truth[0] != read[0]),
        distance(truth[1:], read) + 1,
        distance(truth, read[1:]) + 1,
    )


def test_missed_confused_and_extra_digits() -> None:
    assert align("6125", "625") == [("6", "6"), ("1", None), ("2", "2"), ("5", "5")]
    assert align("34", "39") == [("3", "3"), ("4", "9")]
    assert align("", "1") == [(None, "1")]
    assert align("10", "") == [("1", None), ("0", None)]


def test_among_equal_edits_more_right_digits_win() -> None:
    assert align("12", "21") in ([("1", None), ("2", "2"), (None, "1")], [(None, "2"), ("1", "1"), ("2", None)])


def test_a_label_may_have_several_characters() -> None:
    assert align(["ankle boot"], ["bag"]) == [("ankle boot", "bag")]


@given(DIGITS, DIGITS)
def test_every_digit_is_in_one_pair_and_in_order(truth: str, read: str) -> None:
    pairs = align(truth, read)
    assert "".join(true for true, _ in pairs if true) == truth
    assert "".join(given for _, given in pairs if given) == read
    assert (None, None) not in pairs


@given(st.text("012", max_size=5), st.text("012", max_size=5))
def test_no_alignment_has_fewer_edits(truth: str, read: str) -> None:
    assert edits(align(truth, read)) == distance(truth, read)


@given(DIGITS, DIGITS)
def test_swapping_truth_and_reading_keeps_edits_and_right_digits(truth: str, read: str) -> None:
    there, back = align(truth, read), align(read, truth)
    assert edits(there) == edits(back)
    assert len(there) - edits(there) == len(back) - edits(back)


@given(DIGITS)
def test_a_right_reading_has_no_edits(text: str) -> None:
    assert align(text, text) == [(digit, digit) for digit in text]
