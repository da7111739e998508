"""Labels as people give them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.importing.labels import parse_labels
from edgedigits_runtime.errors import ContractInvalid


def test_a_string_has_a_character_for_each_class() -> None:
    assert parse_labels("0123456789") == tuple("0123456789")


def test_a_list_has_commas() -> None:
    assert parse_labels("cat, dog,owl") == ("cat", "dog", "owl")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "cat\ndog\n\n"),
        ("labels.txt", "\ufeffcat\r\ndog\r\n"),
        ("labels.txt", "0 cat\n1 dog\n"),
        ("labels.json", json.dumps(["cat", "dog"])),
    ],
)
def test_files_of_labels(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    assert parse_labels(str(path)) == ("cat", "dog")


def test_numbers_before_labels_that_do_not_count_up_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("7 up\n12 monkeys\n")
    assert parse_labels(str(path)) == ("7 up", "12 monkeys")


@pytest.mark.parametrize("text", ["", "a,,b", "missing.txt"])
def test_other_labels_are_refused(text: str) -> None:
    with pytest.raises(ContractInvalid):
        parse_labels(text)


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=2))
def test_lists_round_trip(labels: list[str]) -> None:
    assert parse_labels(",".join(labels)) == tuple(labels)
