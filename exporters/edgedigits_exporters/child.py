"""Run a converter in a child process, so that its crash becomes a readable error and its noise stays away.

A fresh interpreter and not `multiprocessing`: a spawned worker would run the caller's script again.
"""

import importlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from edgedigits_runtime.errors import ConversionFailed, EdgedigitsError, MissingExtra
from edgedigits_runtime.whole_files import write_whole


def call_in_child(function: str, *arguments: Any) -> Any:
    """Call "module:name" with `arguments` in a fresh interpreter and return what it returns.

    Raises:
        EdgedigitsError: as the function raised it.
        ConversionFailed: it raised anything else, or the process died.
    """
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        answer_file = Path(folder) / "answer"
        done = subprocess.run(
            # -P: not the modules of whatever folder the command was started in.
            [sys.executable, "-P", "-m", "edgedigits_exporters.child", function, str(answer_file)],
            input=pickle.dumps(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            check=False,
        )
        if not answer_file.exists():
            raise ConversionFailed(f"the converter {_how_it_died(done.returncode)}{_last_words(done.stdout)}")
        # Written by our own child a moment ago.
        answer = pickle.loads(answer_file.read_bytes())
    if isinstance(answer, EdgedigitsError):
        raise answer
    if isinstance(answer, _Failure):
        raise ConversionFailed(f"the converter failed: {answer.reason}")
    return answer


class _Failure:
    """An exception of the converter, as text: its class may not be importable in the parent."""

    def __init__(self, error: BaseException) -> None:
        self.reason = traceback.format_exception_only(error)[-1].strip().splitlines()[0]


def _how_it_died(returncode: int) -> str:
    if returncode < 0:
        return f"crashed with {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"


def _last_words(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return f"; its last words: {lines[-1].strip()}" if lines else ""


def _serve(function: str, answer_file: Path) -> None:
    arguments = pickle.loads(sys.stdin.buffer.read())
    module, name = function.split(":")
    answer: Any
    try:
        answer = getattr(importlib.import_module(module), name)(*arguments)
    except EdgedigitsError as error:
        answer = error
    except ImportError as error:
        package = error.name or "a package"
        extra = "onnx" if package.startswith("onnxruntime") else "train"
        answer = MissingExtra(f"this conversion imports {package} and", extra)
    # A converter raises what it likes; the parent turns it into ConversionFailed.
    except Exception as error:  # noqa: BLE001
        answer = _Failure(error)
    # Whole or not at all: an answer that was cut off is a crash.
    write_whole(answer_file, pickle.dumps(answer))


if __name__ == "__main__":
    # Import under its real name, or the answer's class would be __main__._Failure.
    from edgedigits_exporters import child

    child._serve(sys.argv[1], Path(sys.argv[2]))
