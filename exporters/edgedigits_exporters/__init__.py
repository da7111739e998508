"""Exporters: one module per format, all `export(model, path, options) -> Path`.

model    a `.keras` file with its contract; for the formats that are folders an int8 `.tflite` file, for web
         also an `.onnx` file
path     where the artifact goes; written whole or not at all, with its contract
options  ExportOptions; for folders FolderOptions
"""

import importlib
from pathlib import Path
from typing import Protocol

from edgedigits_exporters.options import PRECISIONS, ExportOptions, FolderOptions
from edgedigits_runtime.errors import UnknownName

EXPORTERS = {
    "onnx": "edgedigits_exporters.onnx",
    "tflite": "edgedigits_exporters.tflite",
}

FOLDER_EXPORTERS = {
    "c": "edgedigits_exporters.microcontroller.c",
    "c-array": "edgedigits_exporters.microcontroller.tflite_micro.array",
    "web": "edgedigits_exporters.web.site",
}

FORMATS = (*EXPORTERS, *FOLDER_EXPORTERS)

__all__ = [
    "EXPORTERS",
    "FOLDER_EXPORTERS",
    "FORMATS",
    "PRECISIONS",
    "ExportOptions",
    "Exporter",
    "FolderExporter",
    "FolderOptions",
    "get_exporter",
    "get_folder_exporter",
]


class Exporter(Protocol):
    """What a format's module offers."""

    SUFFIX: str
    DEFAULT_PRECISION: str

    def export(self, model: Path, path: Path, options: ExportOptions) -> Path: ...


class FolderExporter(Protocol):
    """What the module of a format offers that is a folder."""

    SUFFIX: str

    def export(self, model: Path, path: Path, options: FolderOptions) -> Path: ...


def get_exporter(name: str) -> Exporter:
    """Return the exporter of a format.

    Raises:
        UnknownName: there is none; the message lists them.
    """
    if name not in EXPORTERS:
        raise UnknownName("format", name, FORMATS)
    exporter: Exporter = importlib.import_module(EXPORTERS[name])
    return exporter


def get_folder_exporter(name: str) -> FolderExporter:
    """Return the exporter of a format that is a folder.

    Raises:
        UnknownName: there is none; the message lists them.
    """
    if name not in FOLDER_EXPORTERS:
        raise UnknownName("folder format", name, FOLDER_EXPORTERS)
    exporter: FolderExporter = importlib.import_module(FOLDER_EXPORTERS[name])
    return exporter
