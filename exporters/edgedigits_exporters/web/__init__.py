"""The page without a server: one folder with the network, the reader and the page, for any host or for the disk."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edgedigits_exporters import FormatOptions
from edgedigits_exporters.microcontroller.c import COptions
from edgedigits_runtime.errors import ExportError, UnknownName

WEB_ENGINES = {
    "wasm": "edgedigits_exporters.web.wasm_engine",
    "onnxruntime-web": "edgedigits_exporters.web.onnxruntime_engine",
}
"""Modules by engine of the page, each with SUFFIX, the model file it takes, require(model, options) and
parts(model, options)."""


@dataclass(frozen=True)
class WebOptions(FormatOptions):
    """Options of a page.

    Args:
        kernels: LiteRT kernels whose rounding the WebAssembly has; see COptions.
        engine: runs the network in the page, a name of WEB_ENGINES.
        npm_package: onnxruntime-web as written by `npm pack`, or its folder; None looks in the working folder.
    """

    kernels: Literal["xnnpack", "reference"] = "xnnpack"
    engine: str = "wasm"
    npm_package: Path | None = None

    def __post_init__(self) -> None:
        if self.engine not in WEB_ENGINES:
            raise UnknownName("engine of a page", self.engine, WEB_ENGINES)
        if self.engine == "wasm" and self.precision not in (None, "int8"):
            raise ExportError(f"expected --precision int8 for --engine wasm; got {self.precision}")
        if self.engine != "onnxruntime-web" and self.npm_package is not None:
            raise ExportError("--npm-package is an option of --engine onnxruntime-web")

    @property
    def made_of(self) -> str:
        suffix: str = self.engine_module().SUFFIX
        return suffix

    def require_tools(self, source: Path) -> None:
        self.engine_module().require(source, self)

    def engine_module(self) -> Any:
        """Return the module of the engine."""
        return importlib.import_module(WEB_ENGINES[self.engine])

    @property
    def code(self) -> COptions:
        """Options of the C code that the WebAssembly is compiled from."""
        return COptions(contract=self.contract, kernels=self.kernels)
