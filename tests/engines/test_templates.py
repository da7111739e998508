"""Templates: every mark has a value, every value a mark, and values are not filled themselves."""

import pytest

from edgedigits_runtime.templates import fill


def test_a_template_is_filled() -> None:
    assert (
        fill("@NAME@ has @COUNT2@ of @NAME@: {x} $y @media", {"NAME": "a", "COUNT2": 2})
        == "a has 2 of a: {x} $y @media"
    )


def test_a_mark_within_a_value_stays() -> None:
    assert fill("@A@ @B@", {"A": "@B@", "B": r"\1"}) == r"@B@ \1"


@pytest.mark.parametrize(("values", "name"), [({}, "A"), ({"A": 1, "OTHER": 2}, "OTHER")])
def test_a_missing_or_unknown_value_is_an_error(values: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=rf"\['{name}'\]"):
        fill("@A@", values)
