"""Export a page that needs no server: one folder with the network, the reader and the page, for any host or disk."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgedigits_exporters import FormatOptions
from edgedigits_exporters.microcontroller.c import COptions
from edgedigits_runtime.errors import ExportError, UnknownName
from edgedigits_runtime.golden import Vectors

PROJECTS = ("page", "npm")

WEB_ENGINES = {
    "wasm": "edgedigits_exporters.web.webassembly",
    "onnxruntime-web": "edgedigits_exporters.web.onnxruntime_engine",
}
"""Modules by engine of the page: each has SUFFIX, of its model files, require(model, options), which checks its tools,
and parts(model, options) -> EngineParts."""


@dataclass(frozen=True)
class EngineParts:
    """The parts of a page that depend on its engine, and golden vectors to check it.

    Args:
        data: content by the id of the element in which source/engines/*.js looks for it.
        golden: outputs of the network on the machine that exported it.
        kernels: LiteRT's kernels whose rounding the engine has; None for an engine of its own arithmetic.
        scripts: modules without imports that the page's worker runs before its own.
        settings: what the engine's script has to know beside the contract.
    """

    data: Mapping[str, bytes]
    golden: Vectors
    kernels: str | None = None
    scripts: list[str] = field(default_factory=list)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WebOptions(FormatOptions):
    """Options of a page.

    Args:
        kernels: LiteRT kernels whose rounding the WebAssembly has; see COptions.
        engine: runs the network in the page, a name of WEB_ENGINES.
        finder: an int8 finder's `.tflite` file, with which the page finds digits; None finds them by rules.
        beside: int8 `.tflite` files of other networks, with which a visitor can compare.
        project: a whole "page", or an "npm" package of the element `<edge-digits>` for pages of others.
        npm_package: onnxruntime-web as written by `npm pack`, or its folder; None looks in the working folder.
    """

    kernels: Literal["xnnpack", "reference"] = "xnnpack"
    engine: str = "wasm"
    npm_package: Path | None = None
    finder: Path | None = None
    beside: tuple[Path, ...] = ()
    project: str = "page"

    def __post_init__(self) -> None:
        if self.engine not in WEB_ENGINES:
            raise UnknownName("engine of a page", self.engine, WEB_ENGINES)
        if self.project not in PROJECTS:
            raise UnknownName("project of a page", self.project, PROJECTS)
        if self.engine == "wasm" and self.precision not in (None, "int8"):
            raise ExportError(f"expected --precision int8 for --engine wasm; got {self.precision}")
        if self.engine != "wasm" and self.beside:
            raise ExportError("--beside is an option of --engine wasm")
        if self.engine != "onnxruntime-web" and self.npm_package is not None:
            raise ExportError("--npm-package is an option of --engine onnxruntime-web")

    @property
    def made_of(self) -> tuple[str, ...]:
        return (self.engine_module().SUFFIX,)

    def require_tools(self, source: Path) -> None:
        self.engine_module().require(source, self)
        for other in self.beside:
            importlib.import_module(WEB_ENGINES["wasm"]).require(other, self)
        if self.finder is not None:
            importlib.import_module(WEB_ENGINES["wasm"]).require_for_finder(self.finder)

    def engine_module(self) -> Any:
        """Return the module of the engine."""
        return importlib.import_module(WEB_ENGINES[self.engine])

    @property
    def code(self) -> COptions:
        """Options of the C code that the WebAssembly is compiled from."""
        return COptions(contract=self.contract, kernels=self.kernels)
