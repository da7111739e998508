"""What an exporter is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgedigits_exporters.calibration import Calibration
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.errors import ExportError, UnknownName

PRECISIONS = ("float32", "float16", "int8", "dynamic")


@dataclass(frozen=True)
class ExportOptions:
    """Options that every format understands.

    Args:
        precision: "float32"; "float16" weights; "int8" weights and activations, ranges measured on the
            calibration images; "dynamic": int8 weights, activations quantized while running.
        calibration: needed by "int8", unused otherwise.
        contract: used in place of the one in the `.keras` file.
    """

    precision: str
    calibration: Calibration | None = None
    contract: Contract | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, PRECISIONS)
        if self.precision == "int8" and self.calibration is None:
            raise ExportError("precision int8 needs calibration images, and none were given")


@dataclass(frozen=True)
class FolderOptions:
    """Options of the formats that are folders, made of an int8 `.tflite` file, or for web of an `.onnx` file.

    Args:
        replace: whether a folder that stands there goes.
        contract: used in place of the file's own.
        kernels: of LiteRT, whose rounding C has: "xnnpack", its usual path, or "reference", whose convolutions need
            no floating point.
        project: how a C folder is laid out: a name of microcontroller.writing.projects.PROJECTS.
        engine: what runs the network in a page: a name of web.WEB_ENGINES.
        npm_package: onnxruntime-web as `npm pack` writes it, or its folder; None looks in the working folder.
    """

    replace: bool = False
    contract: Contract | None = None
    kernels: Literal["xnnpack", "reference"] = "xnnpack"
    project: str = "plain"
    engine: str = "wasm"
    npm_package: Path | None = None
