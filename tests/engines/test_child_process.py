"""Child processes: answers return whole, and every failure becomes one error."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedigits_runtime.child_process import LENGTHS, Child, limit_memory
from edgedigits_runtime.errors import ArtifactCorrupt, ConversionFailed, MissingExtra, UnknownName


def add(*values: Any) -> tuple[Any, int]:
    print("noise on standard output")
    print("noise on standard error", file=sys.stderr)
    return sum(values), os.getpid()


def echo(value: Any) -> Any:
    return value


def echo_after(seconds: float, value: Any) -> Any:
    time.sleep(seconds)
    return value


def wait(started: str = "") -> None:
    """Sleep; create the file `started` first."""
    if started:
        Path(started).touch()
    time.sleep(60)


def take_memory(count: int) -> int:
    limit_memory(1 << 26)
    return len(bytes(count))


def answer_raw(text: str) -> None:
    """Write to the parent's pipe past the protocol, as a hijacked child could."""
    for number in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(number, LENGTHS.pack(len(text), 0) + text.encode())


def abort() -> None:
    print("F tensorflow/core: check failed: something deep")
    sys.stdout.flush()
    os.abort()


def warn_and_fault() -> None:
    print("x.py:3: UserWarning: statistics were expected\n  warnings.warn(", file=sys.stderr)
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


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

    raise Local("not importable")


def return_function() -> Any:
    return echo


def raise_ours(kind: str) -> None:
    if kind == "plain":
        raise ArtifactCorrupt("a.keras is damaged")
    if kind == "name":
        raise UnknownName("precision", "int4", ["int8"])
    raise MissingExtra("ONNX Runtime", "onnx")


def call(name: str, *arguments: Any, **limits: Any) -> Any:
    with Child("the test", ConversionFailed, keep_output=True) as child:
        return child.call(f"{__name__}:{name}", *arguments, **limits)


def test_a_call_returns_the_answer_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    answer, process = call("add", np.arange(3), 1)
    np.testing.assert_array_equal(answer, [1, 2, 3])
    assert process != os.getpid()
    assert capfd.readouterr() == ("", "")


def test_values_return_unchanged() -> None:
    array = np.arange(24, dtype=np.int8).reshape(2, 3, 4)[:, ::2]
    sent = {"list": [1, 2.5, None, "é", True], "bytes": [b"\0\xff", b""], "array": array, "empty": np.zeros((0, 3))}
    answer = call("echo", sent)
    assert (answer["list"], answer["bytes"]) == (sent["list"], sent["bytes"])
    for name in ("array", "empty"):
        np.testing.assert_array_equal(answer[name], sent[name], strict=True)


def test_large_arguments_and_answers_pass() -> None:
    many = np.ones((400, 100, 100), np.uint8)
    assert call("add", many, many)[0].shape == many.shape


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("abort", "SIGABRT.*F tensorflow/core: check failed: some"),
        ("kill", r"SIGKILL.*memory\)$"),
        ("warn_and_fault", r"SIGSEGV.*native library\)$"),
        ("leave", "exit code 7$"),
        ("raise_value_error", "ValueError: no kernel for$"),
        ("raise_unpicklable", "Local: not importable$"),
        ("return_function", "function"),
        ("there_is_no_such_function", "AttributeError.*there_is_no_such_function"),
    ],
)
def test_a_failure_is_one_line_that_names_its_cause(name: str, fact: str) -> None:
    with pytest.raises(ConversionFailed, match=fact) as caught:
        call(name)
    assert str(caught.value).startswith("the test ")
    assert "\n" not in str(caught.value)


def test_limits_of_time_memory_and_answer() -> None:
    with pytest.raises(ConversionFailed, match=r"0\.5 seconds"):
        call("wait", seconds=0.5)
    assert call("take_memory", 1 << 20) == 1 << 20
    with pytest.raises(ConversionFailed, match="memory"):
        call("take_memory", 1 << 30)
    with pytest.raises(ConversionFailed):
        call("echo", b"12345", max_bytes=4)
    assert call("echo", b"12345", max_bytes=5) == b"12345"


def test_a_child_answers_several_calls_and_starts_again_after_a_crash() -> None:
    with Child("the test", ConversionFailed) as child:
        first, second = (child.call(f"{__name__}:add")[1] for _ in range(2))
        assert first == second
        with pytest.raises(ConversionFailed):
            child.call(f"{__name__}:raise_value_error")
        assert child.call(f"{__name__}:add")[1] == first
        with pytest.raises(ConversionFailed):
            child.call(f"{__name__}:abort")
        assert child.call(f"{__name__}:add")[1] != first


def test_ending_a_child_from_another_thread_is_its_error(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with Child("the test", ConversionFailed) as child, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(child.call, f"{__name__}:wait", str(started))
        while not started.exists() and not waiting.done():
            time.sleep(0.01)
        child.end()
        with pytest.raises(ConversionFailed, match="the test was ended during a call"):
            waiting.result(30)


@pytest.fixture
def default_sigint() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGINT, which a shell's background jobs ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_sigint")
def test_a_call_after_an_interrupted_one_returns_its_own_answer() -> None:
    with Child("the test", ConversionFailed) as child:
        child.call(f"{__name__}:add")
        interrupt = threading.Timer(0.3, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            child.call(f"{__name__}:echo_after", 1, "interrupted")
        interrupt.join()
        assert child.call(f"{__name__}:echo", "next") == "next"


def test_a_child_in_the_middle_of_a_call_ends_with_its_parent() -> None:
    code = f"""
import sys, threading, time
sys.path.append({str(Path(__file__).parent)!r})
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.errors import ConversionFailed
child = Child("the test", ConversionFailed)
child.call("{__name__}:add")
threading.Thread(target=child.call, args=["{__name__}:wait"], daemon=True).start()
time.sleep(0.5)
print(child.process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        for _ in range(100):
            try:
                os.kill(pid, 0)
                # A zombie has ended too.
                if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                    return
            except (ProcessLookupError, FileNotFoundError):
                return
            time.sleep(0.1)
    pytest.fail("the child is still running")


def test_invalid_answers_are_errors() -> None:
    text = [
        '{"value": {"$": ["O", [1]]}}',
        '{"value": {"$": 3}}',
        '{"value": {"$": [null, []]}}',
        '{"value": {"$": [null, {}]}}',
        "[1]",
        "[" * 100_000,
        '{"value": {"$": ["int8", [9]]}}',
    ]
    for answer in text:
        with Child("the test", ConversionFailed) as child, pytest.raises(ConversionFailed):
            child.call(f"{__name__}:answer_raw", answer)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("plain", ArtifactCorrupt("a.keras is damaged")),
        ("name", UnknownName("precision", "int4", ["int8"])),
        ("extra", MissingExtra("ONNX Runtime", "onnx")),
    ],
)
def test_edgedigits_errors_keep_class_and_message(kind: str, error: Exception) -> None:
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
    """A folder of untrusted models may hold a file with the name of a module."""
    (tmp_path / "pickle.py").write_text("import os\nos.abort()\n")
    monkeypatch.chdir(tmp_path)
    assert call("add", 1, 2)[0] == 3
