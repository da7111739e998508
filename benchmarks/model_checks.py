"""Measure the cost of checking a model file when it is opened: `python -m benchmarks.model_checks`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.publishing import RESULTS, with_machine, write_results
from edgedigits.model_files import SHIPPED, check_shipped
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines import litert, onnxruntime, open_engine
from edgedigits_runtime.timing import interleaved

NAMES = ("pico.tflite", "base.tflite", "max.tflite", "pico.onnx", "base.onnx", "max.onnx")
ROUNDS = 9


@contextmanager
def unchecked() -> Iterator[None]:
    """Disable the engines' checks."""
    with (
        mock.patch.object(litert, "checked_content", Path.read_bytes),
        mock.patch.object(onnxruntime, "checked_content", Path.read_bytes),
    ):
        yield


def opened(path: Path) -> None:
    open_engine(path).close()


def opened_unchecked(path: Path) -> None:
    with unchecked():
        opened(path)


def measure(path: Path) -> dict[str, Any]:
    """Return median milliseconds to open a file, to open it unchecked, and to compare its SHA-256."""
    ways: dict[str, Callable[[], object]] = {
        "opened": partial(opened, path),
        "unchecked": partial(opened_unchecked, path),
        "sha256": partial(check_shipped, path),
    }
    found = {name: round(milliseconds, 3) for name, milliseconds in interleaved(ways, ROUNDS).items()}
    return {**found, "ratio": round(found["opened"] / found["unchecked"], 2)}


def main() -> None:
    """Measure every file, print and write the figures."""
    found = with_machine(milliseconds={name: measure(SHIPPED / name) for name in NAMES})
    isolated = EngineOptions(isolation=Isolation())
    ways = {"isolated": lambda: open_engine(SHIPPED / "base.tflite", options=isolated).close()}
    found["opened_isolated"] = round(interleaved(ways, 1)["isolated"], 1)
    write_results(RESULTS / "reliability" / "model_checks.json", found)
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
