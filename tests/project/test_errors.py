"""Every error has one base, a docstring, and a message of one line."""

import inspect
import pickle

import pytest

from edgedigits_runtime import errors
from edgedigits_runtime.errors import ArtifactCorrupt, EdgedigitsError, MissingExtra, UnknownName

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_has_the_base_and_a_docstring(kind: type[Exception]) -> None:
    assert issubclass(kind, EdgedigitsError)
    assert "__doc__" in vars(kind) and kind.__doc__


def test_unknown_names_list_the_known_ones() -> None:
    message = str(UnknownName("recipe", "resnet", ["a", "b"]))
    assert "recipe 'resnet'" in message and "a, b" in message


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    assert str(MissingExtra("ONNX Runtime", "onnx")).endswith("pip install 'edgedigits[onnx]'")


@pytest.mark.parametrize(
    "error",
    [UnknownName("recipe", "nope", ["a", "b"]), MissingExtra("training", "train"), ArtifactCorrupt("a.onnx is cut")],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_pickled(error: EdgedigitsError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)
