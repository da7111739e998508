"""Shared parts of the formats converted from Keras and ONNX: options, calibration set and the converter's process."""

import dataclasses
import hashlib
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters import FormatOptions, Result
from edgedigits_exporters.keras_backend import require_keras
from edgedigits_exporters.untrusted_keras import check
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.contract import Contract, DataUsed, parse_contract
from edgedigits_runtime.errors import ConversionFailed, ExportError, MissingExtra, UnknownName
from edgedigits_runtime.preprocessing import Images

PRECISIONS = ("float32", "float16", "int8", "dynamic")

CALIBRATION_IMAGES = 500

EXTRAS = {"onnxruntime": "onnx", **dict.fromkeys(("onnx2tf", "onnx_graphsurgeon", "sng4onnx", "tf_keras"), "import")}
"""Extras of the packages that converters import; the others are in "train-cpu"."""


@dataclass(frozen=True)
class CalibrationSet:
    """Images uint8 [N, H, W, C] that the quantizer measures activation ranges on, and their origin."""

    images: Images
    used: DataUsed


@dataclass(frozen=True)
class ConversionOptions(FormatOptions):
    """Options of the formats that are converted from Keras, or from ONNX.

    Args:
        precision: "float32"; "float16" weights; "int8" weights and activations; "dynamic": int8 weights, activations
            quantized at run time.
        calibration_set: required for "int8", ignored otherwise.
    """

    calibration_set: CalibrationSet | None = None

    onnx_packages: ClassVar[tuple[str, ...]] = ()
    """What the conversion of an `.onnx` file imports."""

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", str(self.precision), PRECISIONS)

    @property
    def made_of(self) -> tuple[str, ...]:
        return (".keras", ".onnx")

    def require_tools(self, source: Path) -> None:
        if source.suffix == ".keras":
            require_keras()
            check(source)
            return
        for package in self.onnx_packages:
            if importlib.util.find_spec(package) is None:
                raise _missing(package)


def choose_balanced(
    images: Images, labels: NDArray[np.int64], name: str, count: int = CALIBRATION_IMAGES
) -> CalibrationSet:
    """Choose about `count` training images uint8 [N, H, W, C], equally many of each class; the choice is deterministic.

    `name` is that of the images in the contract, such as "mnist/train".

    Raises:
        ExportError: there are no images.
    """
    if len(images) == 0:
        raise ExportError(f"expected calibration images in {name}, found none")
    classes = np.unique(labels)
    each = max(1, count // len(classes))
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:each] for c in classes])
    chosen = np.ascontiguousarray(images[np.sort(rows)])
    digest = "sha256:" + hashlib.sha256(chosen.tobytes()).hexdigest()
    return CalibrationSet(chosen, DataUsed(name, len(chosen), digest))


def compare(source: Path, artifact: Path, options: ConversionOptions, verify: Callable[[Path, Path], Result]) -> Result:  # noqa: ARG001
    """Compare an artifact with the Keras or ONNX model that it was made of; see Format."""
    return verify(artifact, source)


def unroll(model: Any) -> None:
    """Unroll the loops of recurrent layers: the converters translate most loops to graphs in a graph, or crash."""
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN):
            layer.unroll = True


def convert_in_child(module: str, source: Path, options: ConversionOptions) -> tuple[bytes, Contract]:
    """Call `convert` of a format's module in a child process; return the model's bytes and its contract.

    Its crash becomes a ConversionFailed, and its output is not printed.

    Raises:
        ExportError: the precision needs a calibration set.
        MissingExtra: the converter imports a package that is not installed.
        EdgedigitsError: raised by `convert`.
        ConversionFailed: `convert` raised another exception, or the process died.
    """
    chosen, given = options.calibration_set, options.contract
    if options.precision == "int8" and chosen is None:
        raise ExportError("precision int8 needs a calibration set; none was given")
    arguments = (str(source), given and given.to_json(), options.precision, chosen and chosen.images)
    advice = "try another --precision or --format"
    with Child("the converter", ConversionFailed, advice=advice, keep_output=True) as child:
        content, text = child.call(f"{__name__}:convert_here", module, *arguments)
    contract = parse_contract(text, str(source))
    return content, dataclasses.replace(contract, calibration=chosen.used if chosen else None)


def convert_here(module: str, source: str, contract: str | None, precision: str, images: Images | None) -> list[Any]:
    """Convert; called in the child process."""
    given = parse_contract(contract, source) if contract else None
    try:
        content, converted = importlib.import_module(module).convert(Path(source), given, precision, images)
    except ImportError as error:
        raise _missing(error.name or "a package") from error
    return [content, converted.to_json()]


def _missing(package: str) -> MissingExtra:
    return MissingExtra(f"this conversion imports {package} and", EXTRAS.get(package.split(".")[0], "train-cpu"))
