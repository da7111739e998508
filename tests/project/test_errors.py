"""Every error has one base, a place in the tree, and a message of one line."""

import inspect
import pickle
import re

import pytest

from edgedigits_runtime import errors
from edgedigits_runtime.errors import ArtifactCorrupt, EdgedigitsError, MissingExtra, UnknownName

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_has_the_base_a_docstring_and_a_place_in_the_tree(kind: type[Exception]) -> None:
    assert issubclass(kind, EdgedigitsError)
    assert kind.__doc__
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or "")


def test_the_tree_shows_the_true_parents() -> None:
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([│├└─ ]*)([A-Z]\w+)", line):
            depth = len(found[1]) // 4
            parents[depth:] = [found[2]]
            if depth:
                assert getattr(errors, found[2]).__base__.__name__ == parents[depth - 1]


def test_unknown_names_list_the_known_ones() -> None:
    assert str(UnknownName("recipe", "resnet", ["a", "b"])) == "unknown recipe 'resnet'; known: a, b"


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    assert str(MissingExtra("ONNX Runtime", "onnx")).endswith("run: pip install 'edgedigits[onnx]'")


@pytest.mark.parametrize(
    "error",
    [UnknownName("recipe", "nope", ["a", "b"]), MissingExtra("training", "train"), ArtifactCorrupt("a.onnx is cut")],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_the_way_between_processes(error: EdgedigitsError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)
