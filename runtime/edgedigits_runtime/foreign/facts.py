"""What a foreign model file states: its tensors, and often its labels and its normalisation."""

import importlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgedigits_runtime.contract import Normalisation, Scaling, Tensor
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted import checked_content
from edgedigits_runtime.untrusted.stated import Stated

RAW = Scaling((1.0,), (0.0,))
SYMMETRIC = Scaling((1 / 127.5,), (-1.0,))
"""-1..1."""

KNOWN_RANGES: tuple[tuple[Normalisation, float, float], ...] = (("unit", 0, 1), (RAW, 0, 255), (SYMMETRIC, -1, 1))
"""Normalisations by the real values of pixels 0 and 255."""

TOLERANCE = 0.02
"""Share of a range by which quantization may shift its ends: a converter moves them so that 0 is exact."""


@dataclass(frozen=True)
class Facts:
    """What a model file states.

    Attributes:
        path: of the file.
        format, precision: as in a contract.
        input, output: as in a contract; sizes that are free are None.
        labels: names of the classes in the output's order; None if the file has none.
        normalisation: None if the file states none.
        reason: where it states the normalisation, such as "the scale of its input".
    """

    path: Path
    format: str
    precision: str
    input: Tensor
    output: Tensor
    labels: tuple[str, ...] | None = None
    normalisation: Normalisation | None = None
    reason: str = ""

    @property
    def values(self) -> int:
        """How many numbers the output has for each image."""
        shape = self.output.shape
        # A sigmoid that was squeezed has an axis for the batch only.
        if shape == self.input.shape[:1]:
            return 1
        # A free batch may be missing in the file's shape of the output.
        return math.prod(size or 1 for size in shape[1:] or shape)


def read_facts(path: Path) -> Facts:
    """Return what a `.tflite` or `.onnx` file states.

    Raises:
        ArtifactError: the file cannot be used, or has more than one input or output.
    """
    module = f"edgedigits_runtime.untrusted.{'onnx_model' if path.suffix == '.onnx' else 'tflite_metadata'}"
    stated: Stated = importlib.import_module(module).read_stated(checked_content(path), str(path))
    source, output = (_as_stored(tensor, path) for tensor in (stated.input, stated.output))
    normalisation, reason = of_quantization(source), "the scale of its input"
    if stated.mean is not None and stated.std is not None:
        scale = tuple(1 / each for each in stated.std)
        offset = tuple((0 - mean) / each for mean, each in zip(stated.mean, stated.std, strict=False))
        is_unit = set(stated.std) == {255.0} and not any(offset)
        normalisation, reason = "unit" if is_unit else Scaling(scale, offset), "its TFLite Metadata"
    elif stated.input.dtype == "uint8" and stated.input.scale is None:
        reason = "its uint8 input"
    precision = stated.precision or "float32"
    kind = path.suffix.removeprefix(".")
    return Facts(path, kind, precision, source, output, stated.labels, normalisation, reason)


def _as_stored(tensor: Tensor, path: Path) -> Tensor:
    """Return a tensor as a contract states it: other floats as float32, and bytes as numbers 0..255."""
    if tensor.dtype in ("float16", "float64"):
        return replace(tensor, dtype="float32")
    if tensor.dtype == "uint8" and tensor.scale is None:
        return replace(tensor, scale=1.0, zero_point=0)
    if tensor.dtype != "float32" and tensor.scale is None:
        raise ArtifactUnsupported(
            f"{path}: expected numbers of float32 or quantized ones, got {tensor.dtype} in {tensor.name!r}; export the"
            " model with pixels as its input and a score for each class as its output, without argmax"
        )
    return tensor


def of_quantization(tensor: Tensor) -> Normalisation | None:
    """Return the normalisation that an input's scale and zero point state; None for another range, or for float."""
    span = stored_range(tensor)
    if span is None:
        return None
    for normalisation, low, high in KNOWN_RANGES:
        slack = TOLERANCE * (high - low)
        if tensor.zero_point == 0 and abs(span[1] - high) <= (slack if tensor.dtype == "int16" else high / 1000):
            # Symmetric quantization gives pixels of 0..1 the range of those of -1..1.
            return None if high == 1 and span[0] < 0 else normalisation
        if abs(span[0] - low) <= slack and abs(span[1] - high) <= slack:
            return normalisation
    return None


def stored_range(tensor: Tensor) -> tuple[float, float] | None:
    """Return the smallest and the largest real value that an integer tensor stores; None for float."""
    if tensor.scale is None or tensor.zero_point is None:
        return None
    limits = np.iinfo(tensor.dtype)
    return (limits.min - tensor.zero_point) * tensor.scale, (limits.max - tensor.zero_point) * tensor.scale
