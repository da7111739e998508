"""The child process: answers come back whole, and every way to fail becomes readable words."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedigits_exporters.child import call_in_child
from edgedigits_runtime.errors import ArtifactCorrupt, ConversionFailed, MissingExtra, UnknownName

# The functions below are found again in the child by this module's name.
HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def _findable(monkeypatch: pytest.MonkeyPatch) -> None:
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{HERE}{os.pathsep}{known}" if known else HERE)


def add(*values: Any) -> tuple[Any, int]:
    print("noise on standard output")
    print("noise on standard error", file=sys.stderr)
    return sum(values), os.getpid()


def abort() -> None:
    print("F tensorflow/core: check failed: something deep")
    sys.stdout.flush()
    os.abort()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def leave() -> None:
    sys.exit(7)


def raise_value_error() -> None:
    raise ValueError("no kernel for\nthis operator")


def raise_unpicklable() -> None:
    class Local(Exception):
        pass

    raise Local("of a class that nobody can import")


def return_unpicklable() -> Any:
    return lambda: None


def raise_ours(kind: str) -> None:
    if kind == "plain":
        raise ArtifactCorrupt("a.keras is damaged")
    if kind == "name":
        raise UnknownName("precision", "int4", ["int8"])
    raise MissingExtra("ONNX Runtime", "onnx")


def call(name: str, *arguments: Any) -> Any:
    return call_in_child(f"test_child:{name}", *arguments)


def test_an_answer_comes_back_and_noise_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    answer, process = call("add", np.arange(3), 1)
    np.testing.assert_array_equal(answer, [1, 2, 3])
    assert process != os.getpid()
    assert capfd.readouterr() == ("", "")


def test_large_arguments_and_answers_pass() -> None:
    many = np.ones((400, 100, 100), np.uint8)
    assert call("add", many, many)[0].shape == many.shape


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("abort", r"^the converter crashed with SIGABRT; its last words: F tensorflow/core: check failed: some"),
        ("kill", r"^the converter crashed with SIGKILL$"),
        ("leave", r"^the converter ended with exit code 7$"),
        ("raise_value_error", r"^the converter failed: ValueError: no kernel for$"),
        ("raise_unpicklable", r"^the converter failed: .*Local: of a class that nobody can import$"),
        ("return_unpicklable", r"^the converter ended with exit code 1; its last words: .*(pickle|local object)"),
        ("there_is_no_such_function", r"^the converter failed: AttributeError: .*there_is_no_such_function"),
    ],
)
def test_failures_become_one_readable_line(name: str, said: str) -> None:
    with pytest.raises(ConversionFailed, match=said) as caught:
        call(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("plain", ArtifactCorrupt("a.keras is damaged")),
        ("name", UnknownName("precision", "int4", ["int8"])),
        ("extra", MissingExtra("ONNX Runtime", "onnx")),
    ],
)
def test_our_own_errors_come_back_as_they_are(kind: str, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        call("raise_ours", kind)
    assert str(caught.value) == str(error)


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    call("add", 1)
    with pytest.raises(ConversionFailed):
        call("abort")
    assert not list(tmp_path.iterdir())


def test_a_module_of_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gave the models in it may have put a file there that is called like a module."""
    (tmp_path / "pickle.py").write_text("import os\nos.abort()\n")
    monkeypatch.chdir(tmp_path)
    assert call("add", 1, 2)[0] == 3
