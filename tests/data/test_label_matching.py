"""Classes of a dataset are matched with a model's labels by name, whatever their order."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.data.label_matching import match_labels
from edgedigits_runtime.errors import DatasetInvalid

NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=12, unique=True)
UNLIKE = st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=12, unique_by=lambda name: folded(name))


def folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@given(NAMES, st.randoms(), st.data())
def test_any_part_of_the_labels_in_any_order_is_found(labels: list[str], random, data: st.DataObject) -> None:
    names = random.sample(labels, data.draw(st.integers(1, len(labels))))
    numbers = match_labels(names, labels, "data", "model")
    assert numbers.dtype == np.int64
    assert [labels[number] for number in numbers] == names


@given(UNLIKE, st.randoms())
def test_case_and_stored_accents_do_not_matter(labels: list[str], random) -> None:
    changes = (str.upper, str.lower, str.title, lambda name: unicodedata.normalize("NFD", name))
    changed = [random.choice(changes)(label) for label in labels]
    if [folded(name) for name in changed] == [folded(label) for label in labels]:
        assert match_labels(changed, labels, "data", "model").tolist() == list(range(len(labels)))


@given(NAMES, NAMES)
def test_every_class_gets_a_label_of_its_own_or_none_does(names: list[str], labels: list[str]) -> None:
    try:
        numbers = match_labels(names, labels, "data", "model")
    except DatasetInvalid:
        alike = [[label for label in labels if folded(label) == folded(name)] for name in names]
        assert any(len(found) != 1 for found in alike) or len({folded(name) for name in names}) < len(names)
        return
    assert len(set(numbers.tolist())) == len(names)
    assert all(folded(labels[number]) == folded(name) for number, name in zip(numbers, names, strict=True))


def test_the_order_of_a_keras_directory() -> None:
    keras = ("0", "1", "10", "2")
    assert match_labels(("0", "1", "2", "10"), keras, "data", "model").tolist() == [0, 1, 3, 2]


def test_an_exact_name_is_taken_before_one_in_another_case() -> None:
    assert match_labels(("A", "b"), ("a", "A", "B"), "data", "model").tolist() == [1, 2]


@pytest.mark.parametrize(
    ("names", "labels", "facts"),
    [
        (("cat", "cow", "dog"), ("cat", "dog"), ("mine", "cow", "m.onnx", "cat, dog")),
        (("Cat", "cat"), ("CAT", "dog"), ("Cat, cat", "CAT, dog")),
        (("cat",), ("Cat", "CAT"), ("cat", "Cat, CAT")),
        (("1", "2"), ("1", "2", "2"), ("2", "1, 2, 2")),
        (tuple("abcdefgh"), ("x",), ("a, b, c, d, e and 3 more",)),
    ],
)
def test_an_error_names_what_differs(names: tuple[str, ...], labels: tuple[str, ...], facts: tuple[str, ...]) -> None:
    with pytest.raises(DatasetInvalid) as caught:
        match_labels(names, labels, "mine", "m.onnx")
    assert all(fact in str(caught.value) for fact in facts)
