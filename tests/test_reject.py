"""What the model is not sure of is no digit."""

from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.reading.reject import is_digit


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_digit_reaches_the_threshold(confidence: float, threshold: float) -> None:
    assert is_digit(confidence, threshold) == (not confidence < threshold)


def test_the_threshold_itself_is_enough_and_zero_rejects_nothing() -> None:
    assert is_digit(0.5, 0.5)
    assert is_digit(0.0, 0.0)
    assert not is_digit(0.49, 0.5)
