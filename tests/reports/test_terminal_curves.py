"""Curves as text."""

from hypothesis import given
from hypothesis import strategies as st

from edgedigits.plotting.curves import curves_as_text

shares = st.floats(0, 1)


@given(st.lists(st.tuples(shares, shares, shares, shares), min_size=1, max_size=40), st.integers(40, 120))
def test_both_curves_fit_the_width_and_are_plain_text(rows: list[tuple[float, ...]], width: int) -> None:
    names = ("accuracy", "val_accuracy", "loss", "val_loss")
    history = [{"epoch": epoch, **dict(zip(names, row, strict=True))} for epoch, row in enumerate(rows, start=1)]
    text = curves_as_text(history, width)
    assert "accuracy by epoch" in text and "loss by epoch" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width
