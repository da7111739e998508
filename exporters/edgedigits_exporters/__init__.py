"""Exporters: one module per format, all `export(model, path, options) -> Path`.

model    a `.keras` file with its contract
path     where the artifact goes; written whole or not at all, with its contract embedded
options  ExportOptions
"""

import importlib
from pathlib import Path
from typing import Protocol

from edgedigits_exporters.options import PRECISIONS, ExportOptions
from edgedigits_runtime.errors import UnknownName

EXPORTERS = {
    "onnx": "edgedigits_exporters.onnx",
    "tflite": "edgedigits_exporters.tflite",
}

__all__ = ["EXPORTERS", "PRECISIONS", "ExportOptions", "Exporter", "get_exporter"]


class Exporter(Protocol):
    """What a format's module offers."""

    SUFFIX: str
    DEFAULT_PRECISION: str

    def export(self, model: Path, path: Path, options: ExportOptions) -> Path: ...


def get_exporter(name: str) -> Exporter:
    """Return the exporter of a format.

    Raises:
        UnknownName: there is none; the message lists them.
    """
    if name not in EXPORTERS:
        raise UnknownName("format", name, EXPORTERS)
    exporter: Exporter = importlib.import_module(EXPORTERS[name])
    return exporter
