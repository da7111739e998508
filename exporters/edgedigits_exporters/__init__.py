"""Exporters: one module per format, in one dict; each has its options, its suffix, `export` and `compare`."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.errors import ExportError, UnknownName

FORMATS = {
    "onnx": "edgedigits_exporters.onnx",
    "tflite": "edgedigits_exporters.tflite",
    "c": "edgedigits_exporters.microcontroller.c",
    "c-array": "edgedigits_exporters.microcontroller.tflite_micro.array",
    "web": "edgedigits_exporters.web.site",
}

__all__ = ["FORMATS", "Format", "FormatOptions", "get_format", "make_options"]

Result = TypeVar("Result")


@dataclass(frozen=True)
class FormatOptions:
    """Options of every format; each format adds its own.

    Args:
        precision: of the network in the artifact; None is the format's default.
        contract: of a source that has none inside; None reads the source's own.
    """

    NEEDS_CONTRACT: ClassVar[bool] = True
    """Whether the artifact states how the model is fed and read."""

    precision: str | None = None
    contract: Contract | None = None

    @property
    def made_of(self) -> tuple[str, ...]:
        """Suffixes of the model files that the artifact is made of; others are converted to the first."""
        return (".tflite",)

    def require_tools(self, source: Path) -> None:
        """Check that the packages and programs for exporting `source` are installed, and what else takes no time.

        Raises:
            MissingExtra, ToolMissing, ExportError: one is missing or unusable.
            ArtifactError: `source` cannot be used.
        """


class Format(Protocol):
    """The module of a format. SUFFIX ends the name of its file or folder; OPTIONS is its subclass of FormatOptions."""

    SUFFIX: str
    OPTIONS: type[FormatOptions]

    def export(self, source: Path, path: Path, options: Any) -> Path:
        """Write a file with a suffix of `options.made_of` as an artifact with its contract, and return `path`.

        The artifact is written whole or not at all; a folder must not exist.
        """

    def compare(
        self, source: Path, artifact: Path, options: Any, verify: Callable[[Path, Path], Result]
    ) -> Result | None:
        """Return `verify(model, reference)` for an artifact and its source; None if nothing can be compared."""

    def notes(self, artifact: Path) -> list[str]:
        """Return facts about an artifact for the user, a line each; only in formats that are made of `.keras` files."""

    def with_contract(self, content: bytes, contract: Contract) -> bytes:
        """Return a file's bytes with another contract; only in formats that are made of `.keras` and `.onnx` files."""


def get_format(name: str) -> Format:
    """Return the module of a format; raise UnknownName if there is none."""
    if name not in FORMATS:
        raise UnknownName("format", name, FORMATS)
    found: Format = importlib.import_module(FORMATS[name])
    return found


def make_options(name: str, given: Mapping[str, Any]) -> FormatOptions:
    """Return the options of a format; those that are None keep the format's default.

    Raises:
        UnknownName: no such format, or an option has an unknown value.
        ExportError: the format has no such option, or two options contradict each other.
    """
    options = get_format(name).OPTIONS
    stated = {option: value for option, value in given.items() if value is not None}
    for option in stated.keys() - {field.name for field in fields(options)}:
        raise ExportError(
            f"--format {name} has no option --{option.replace('_', '-')}; edgedigits export --help lists the options"
        )
    return options(**stated)
