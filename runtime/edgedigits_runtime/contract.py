"""The contract: how to feed a model and read its output, so that the runtime never guesses.

It is embedded in the file, see embedded_contract. docs/contract.md describes each field.
"""

import dataclasses
import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeGuard, get_args

from edgedigits_runtime.errors import ContractInvalid

SCHEMA = 1

ReaderKind = Literal["digits", "plain"]
Polarity = Literal["bright-on-dark", "dark-on-bright"]
OutputKind = Literal["probabilities", "logits", "log-probabilities", "sigmoid", "sigmoids"]

CHOICES = {"reader": get_args(ReaderKind), "polarity": get_args(Polarity), "output_kind": get_args(OutputKind)}

LAYOUTS = ("NHWC", "NCHW", "NHW", "NF", "HWC", "CHW", "HW", "F")
"""Orders of an input's axes: N images, H rows, W columns, C channels; F is H*W*C in one axis. Without C there is one
channel; without N the model takes one image."""


@dataclass(frozen=True)
class Scaling:
    """Normalisation by pixel * scale + offset, for pixels 0..255; one number each, or one for each channel."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]

    def __str__(self) -> str:
        scale, offset = (" ".join(f"{number:.6g}" for number in part) for part in (self.scale, self.offset))
        return f"pixel * {scale} + {offset}"


Normalisation = Literal["unit", "column-l2"] | Scaling


@dataclass(frozen=True)
class Tensor:
    """The model's input or output.

    Args:
        name: the engine's name for it.
        shape: of the input in the contract's layout, of the output [N, classes] with any axes of size 1, or [N] of one
            sigmoid; None where the batch is free.
        dtype: "float32", "int8", "uint8" or "int16".
        scale: real = (stored - zero_point) * scale; None for float tensors.
        zero_point: see scale.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class DataUsed:
    """Samples that were used: a dataset's name, their number, and the SHA-256 of their bytes."""

    name: str
    count: int
    fingerprint: str


@dataclass(frozen=True)
class Contract:
    """Description of the input and output of a model file.

    Args:
        name: of the model, such as "base" or a recipe's name.
        input: in `layout`.
        output: of `output_kind`, one value per label, and one more with `non_digit`.
        labels: names of the classes, in the output's order.
        non_digit: whether the output has one more value, the last: that the image shows none of the labels.
        normalisation: "unit" is pixel/255; "column-l2" scales each image column to unit length; or a Scaling. See
            preprocessing.normalise.
        reader: "digits" finds and frames ink; "plain" only resizes the picture.
        layout: order of the input's axes, one of LAYOUTS.
        image: height, width and channels, if `layout` has them in one axis; else None.
        polarity: of the ink in the model's input. Images reach an engine with bright ink on a dark ground; they are
            inverted for "dark-on-bright".
        output_kind: "sigmoid" is one probability, that of the second of two labels; "sigmoids" are independent
            probabilities, divided by their sum; see preprocessing.probabilities_of.
        temperature: converts probabilities to confidence, see preprocessing.apply_temperature; fitted on validation.
        rejection_threshold: a lower confidence is rejected; fitted on validation.
        format: "keras", "onnx", "tflite", "c" or "web".
        precision: "float32", "float16", "int8" or "dynamic"; of foreign files also "int16" or "uint8".
        kernels: LiteRT's kernels whose rounding exported C or WebAssembly reproduces: "xnnpack" or "reference"; else
            None.
        recipe: of the training; None for foreign models.
        training: samples the weights were fitted on.
        calibration: samples the quantization ranges were measured on; None without such quantization.
        accuracy: top-1 of this file as a fraction, with the split and the count; None if not measured.
        verified: result of the comparison with the file it was made of; None if it was not compared.
        tools: versions of the tools that made the file.
        data: of an imported model: all samples of the dataset that its accuracy was measured on. A folder's name is its
            path from the file.
        expected_accuracy: fraction 0..1 that the model and every export must reach; None for no limit.
    """

    name: str
    input: Tensor
    output: Tensor
    labels: tuple[str, ...]
    non_digit: bool = False
    normalisation: Normalisation = "unit"
    reader: ReaderKind = "digits"
    layout: str = "NHWC"
    image: tuple[int, int, int] | None = None
    polarity: Polarity = "bright-on-dark"
    output_kind: OutputKind = "probabilities"
    temperature: float = 1.0
    rejection_threshold: float = 0.0
    format: str = "keras"
    precision: str = "float32"
    kernels: str | None = None
    recipe: str | None = None
    training: DataUsed | None = None
    calibration: DataUsed | None = None
    accuracy: dict[str, Any] | None = None
    verified: dict[str, Any] | None = None
    tools: dict[str, str] = dataclasses.field(default_factory=dict)
    data: DataUsed | None = None
    expected_accuracy: float | None = None
    schema: int = SCHEMA

    @cached_property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one input image."""
        if self.image is not None:
            return self.image
        sizes = dict(zip(self.layout, self.input.shape, strict=True))
        height, width, channels = (int(sizes.get(axis, 1) or 0) for axis in "HWC")
        return height, width, channels

    @property
    def values(self) -> int:
        """Number of values that the model returns for an image."""
        return 1 if self.output_kind == "sigmoid" else len(self.labels) + self.non_digit

    @property
    def dataset(self) -> str:
        """Name of the dataset that the model was trained on, else of the one it was verified with, else "unknown"."""
        used = self.training or self.data
        return (used.name.rpartition("/")[2] or used.name) if used else "unknown"

    @property
    def probability_step(self) -> float | None:
        """Difference between neighbouring probabilities of a quantized output; None if they are computed from it."""
        return self.output.scale if self.output_kind in ("probabilities", "sigmoid") else None

    def to_json(self) -> str:
        """Return the contract as JSON, without the fields of NEWER that have their default."""
        fields = dataclasses.asdict(self)
        kept = {name: value for name, value in fields.items() if name not in NEWER or value != NEWER[name]}
        return json.dumps(kept, indent=1, sort_keys=True)


NEWER = {
    "layout": "NHWC", "image": None, "polarity": "bright-on-dark", "output_kind": "probabilities", "data": None,
    "expected_accuracy": None, "non_digit": False,
}  # fmt: skip
"""Fields that older versions do not know, with the defaults that mean the same there."""


INTEGERS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32_768, 32_767)}
"""The smallest and the largest value of a quantized tensor, by its dtype."""

REQUIRED = ("name", "input", "output", "labels")

KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "reader", "format", "precision", "layout", "polarity", "output_kind"), (str,)),
    "normalisation": (str, dict),
    "image": (list, type(None)),
    **dict.fromkeys(("kernels", "recipe"), (str, type(None))),
    **dict.fromkeys(("temperature", "rejection_threshold"), (int, float)),
    **dict.fromkeys(("input", "output", "tools"), (dict,)),
    **dict.fromkeys(("training", "calibration", "accuracy", "verified", "data"), (dict, type(None))),
    "expected_accuracy": (int, float, type(None)),
    "labels": (list,),
    "non_digit": (bool,),
    "schema": (int,),
}
"""JSON types of each field."""


def parse_contract(text: str | bytes, source: str) -> Contract:
    """Parse a contract's JSON; `source` names the file in messages.

    Raises:
        ContractInvalid: not JSON, another schema version, or a field missing, unknown or of the wrong type.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContractInvalid(f"the contract of {source} is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise ContractInvalid(f"the contract of {source} must be a JSON object, not {type(fields).__name__}")
    if fields.get("schema", SCHEMA) != SCHEMA:
        raise ContractInvalid(
            f"the contract of {source} has schema version {fields['schema']}, this edgedigits reads {SCHEMA};"
            " export the model again or install the matching version"
        )
    if fields.get("reader") == "finder":
        raise ContractInvalid(f"expected a classifier in {source}, got a finder; give it as the finder, not as MODEL")
    missing = [name for name in REQUIRED if name not in fields]
    if missing:
        raise ContractInvalid(f"the contract of {source} lacks {', '.join(missing)}; docs/contract.md has all")
    unknown = sorted(set(fields) - {field.name for field in dataclasses.fields(Contract)})
    if unknown:
        raise ContractInvalid(f"the contract of {source} has unknown fields: {', '.join(unknown)}")
    wrong = [
        f"{name} must be {' or '.join(kind.__name__ for kind in KINDS[name])}, is {value!r}"
        for name, value in fields.items()
        if not isinstance(value, KINDS[name])
    ]
    if wrong:
        raise ContractInvalid(f"the contract of {source}: {'; '.join(wrong)}")
    try:
        contract = Contract(
            **{
                **fields,
                "input": _tensor(fields["input"]),
                "output": _tensor(fields["output"]),
                "labels": tuple(str(label) for label in fields["labels"]),
                "normalisation": _normalisation(fields.get("normalisation", "unit")),
                "image": None if fields.get("image") is None else tuple(fields["image"]),
                "training": _data_used(fields.get("training")),
                "calibration": _data_used(fields.get("calibration")),
                "data": _data_used(fields.get("data")),
            }
        )
    except (TypeError, ValueError, KeyError) as error:
        raise ContractInvalid(f"the contract of {source} is malformed: {error}") from error
    _check(contract, source)
    return contract


def check_stated(fields: Mapping[str, Any], source: str) -> None:
    """Check fields of a contract before the others are known; raise ContractInvalid for a wrong name or choice."""
    unknown = ", ".join(sorted(set(fields) - {field.name for field in dataclasses.fields(Contract)}))
    problems = [f"unknown fields: {unknown}; docs/contract.md has all"] if unknown else []
    problems += _choice_problems(fields, {**CHOICES, "layout": LAYOUTS})
    if problems:
        raise ContractInvalid(f"the contract of {source}: {'; '.join(problems)}")


def _tensor(fields: dict[str, Any]) -> Tensor:
    return Tensor(**{**fields, "shape": tuple(fields["shape"])})


def _data_used(fields: dict[str, Any] | None) -> DataUsed | None:
    if fields is None:
        return None
    used = DataUsed(**fields)
    if not isinstance(used.name, str):
        raise TypeError(f"the name of a dataset must be text, is {used.name!r}")
    return used


def _normalisation(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return Scaling(**{name: tuple(map(float, numbers)) for name, numbers in value.items()})


def _check(contract: Contract, source: str) -> None:
    """Reject contradictions that would give wrong answers later."""
    problems = [*_problems(contract), *_tensor_problems(contract.input), *_tensor_problems(contract.output)]
    if problems:
        raise ContractInvalid(f"the contract of {source}: {'; '.join(problems)}")


def _problems(contract: Contract) -> Iterator[str]:
    classes = len(contract.labels)
    if classes == 0:
        yield "labels must not be empty"
    # They are printed, and a terminal obeys control characters.
    data = contract.data.name if contract.data else ""
    for text in (contract.name, contract.recipe or "", data, *contract.labels):
        if any(unicodedata.category(character) == "Cc" for character in text):
            yield f"names and labels must be without control characters, one is {text[:40]!r}"
    yield from _layout_problems(contract)
    one = contract.output_kind == "sigmoid"
    if one and classes != 2:
        yield f"output_kind sigmoid needs 2 labels, has {classes}"
    if one and contract.non_digit:
        yield "non_digit must be false for output_kind sigmoid, which has one value"
    shape, wanted = contract.output.shape, contract.values
    # A model of one image may have an output without a batch.
    alone = len(shape) == 1 and contract.input.shape[:1] != (None,)
    # The axis of a squeezed sigmoid counts images.
    squeezed = one and shape == contract.input.shape[:1]
    sizes = (1,) if squeezed else shape if alone else shape[1:]
    if not sizes or not all(map(_is_size, sizes)) or math.prod(size or 0 for size in sizes) != wanted:
        counted = f"{classes} labels" + (" and non_digit" if contract.non_digit else "")
        yield f"output.shape must be [batch, {wanted}] for {counted}, is {list(shape)}"
    if isinstance(contract.normalisation, Scaling):
        yield from _scaling_problems(contract.normalisation, contract)
    elif contract.normalisation not in ("unit", "column-l2"):
        yield f"normalisation must be unit, column-l2, or scale and offset, is {contract.normalisation!r}"
    yield from _choice_problems(vars(contract))
    if not (contract.temperature > 0 and math.isfinite(contract.temperature)):
        yield f"temperature must be above 0, is {contract.temperature}"
    for name in ("rejection_threshold", "expected_accuracy"):
        if not 0 <= (getattr(contract, name) or 0) <= 1:
            yield f"{name} must be 0 to 1, is {getattr(contract, name)}"


def _choice_problems(fields: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]] = CHOICES) -> Iterator[str]:
    for name, known in choices.items():
        if name in fields and fields[name] not in known:
            yield f"{name} must be {' or '.join(known)}, is {fields[name]!r}"


def _layout_problems(contract: Contract) -> Iterator[str]:
    layout, shape, image = contract.layout, list(contract.input.shape), contract.image
    if layout not in LAYOUTS:
        yield from _choice_problems({"layout": layout}, {"layout": LAYOUTS})
    elif len(shape) != len(layout):
        axes = {"N": "batch", "H": "height", "W": "width", "C": "channels", "F": "height * width * channels"}
        yield f"input.shape must be [{', '.join(axes[axis] for axis in layout)}] for layout {layout}, is {shape}"
    elif "F" not in layout:
        if image is not None:
            yield f"image must be left out for layout {layout}, which states the sizes"
    elif image is None or len(image) != 3 or not all(map(_is_size, image)) or math.prod(image) != shape[-1]:
        yield f"image must be [height, width, channels] of {shape[-1]} values, is {image and list(image)}"


def _scaling_problems(scaling: Scaling, contract: Contract) -> Iterator[str]:
    numbers = (*scaling.scale, *scaling.offset)
    sizes = {len(scaling.scale), len(scaling.offset)}
    channels = contract.image_shape[2] if not list(_layout_problems(contract)) else 1
    if not sizes <= {1, channels} or not all(map(_is_number, numbers)) or 0 in scaling.scale:
        yield f"normalisation must have 1 or {channels} finite scales other than 0 and offsets, is {scaling}"


def _tensor_problems(tensor: Tensor) -> Iterator[str]:
    batch, *sizes = tensor.shape or (None,)
    if not (all(_is_size(size) for size in sizes) and (batch is None or _is_size(batch))):
        yield f"shape of {tensor.name} must hold sizes above 0, and null only for the batch, is {list(tensor.shape)}"
    if tensor.dtype not in ("float32", *INTEGERS):
        yield f"dtype of {tensor.name} must be float32, {', '.join(INTEGERS)}, is {tensor.dtype!r}"
    elif tensor.dtype == "float32":
        if tensor.scale is not None or tensor.zero_point is not None:
            yield f"{tensor.name} is float32 and takes no scale and zero_point"
    else:
        low, high = INTEGERS[tensor.dtype]
        if not (_is_number(tensor.scale) and tensor.scale > 0):
            yield f"{tensor.name} is {tensor.dtype} and needs a scale above 0, is {tensor.scale!r}"
        if type(tensor.zero_point) is not int or not low <= tensor.zero_point <= high:
            yield f"{tensor.name} is {tensor.dtype} and needs a zero_point {low} to {high}, is {tensor.zero_point!r}"


def _is_size(value: object) -> bool:
    return type(value) is int and value > 0


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)
