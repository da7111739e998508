"""The contract: how to feed a model and read its output, so that the runtime never guesses.

It is embedded in the file, see embedded_contract. docs/contract.md describes each field.
"""

import dataclasses
import json
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from edgedigits_runtime.errors import ContractInvalid

SCHEMA = 1

Normalisation = Literal["unit", "column-l2"]
ReaderKind = Literal["digits", "plain"]


@dataclass(frozen=True)
class Tensor:
    """The model's input or output.

    Args:
        name: the engine's name for it.
        shape: NHWC for the input, [N, classes] for the output; None where the batch is free.
        dtype: "float32", "int8" or "uint8".
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
        input: NHWC.
        output: probabilities, one per label.
        labels: names of the classes, in the output's order.
        normalisation: "unit" is pixel/255; "column-l2" scales each image column to unit length, see preprocessing.
        reader: "digits" finds and frames ink (bright on dark in the model's input, whatever the picture's polarity);
            "plain" only resizes the picture.
        temperature: converts probabilities to confidence, see preprocessing.apply_temperature; fitted on validation.
        rejection_threshold: a lower confidence is rejected; fitted on validation.
        format: "keras", "onnx", "tflite", "c" or "web".
        precision: "float32", "float16", "int8" or "dynamic".
        kernels: LiteRT's kernels whose rounding exported C or WebAssembly reproduces: "xnnpack" or "reference"; else
            None.
        recipe: of the training; None for foreign models.
        training: samples the weights were fitted on.
        calibration: samples the quantization ranges were measured on; None without such quantization.
        accuracy: top-1 of this file as a fraction, with the split and the count; None if not measured.
        verified: result of the comparison with Keras; None if it was not compared.
        tools: versions of the tools that made the file.
    """

    name: str
    input: Tensor
    output: Tensor
    labels: tuple[str, ...]
    normalisation: Normalisation = "unit"
    reader: ReaderKind = "digits"
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
    schema: int = SCHEMA

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one input image."""
        _, height, width, channels = self.input.shape
        return int(height or 0), int(width or 0), int(channels or 0)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)


REQUIRED = ("name", "input", "output", "labels")

KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "normalisation", "reader", "format", "precision"), (str,)),
    **dict.fromkeys(("kernels", "recipe"), (str, type(None))),
    **dict.fromkeys(("temperature", "rejection_threshold"), (int, float)),
    **dict.fromkeys(("input", "output", "tools"), (dict,)),
    **dict.fromkeys(("training", "calibration", "accuracy", "verified"), (dict, type(None))),
    "labels": (list,),
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
                "training": _data_used(fields.get("training")),
                "calibration": _data_used(fields.get("calibration")),
            }
        )
    except (TypeError, ValueError, KeyError) as error:
        raise ContractInvalid(f"the contract of {source} is malformed: {error}") from error
    _check(contract, source)
    return contract


def _tensor(fields: dict[str, Any]) -> Tensor:
    return Tensor(**{**fields, "shape": tuple(fields["shape"])})


def _data_used(fields: dict[str, Any] | None) -> DataUsed | None:
    return None if fields is None else DataUsed(**fields)


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
    for text in (contract.name, contract.recipe or "", *contract.labels):
        if any(unicodedata.category(character) == "Cc" for character in text):
            yield f"names and labels must be without control characters, one is {text[:40]!r}"
    if len(contract.input.shape) != 4:
        yield f"input.shape must be [batch, height, width, channels], is {list(contract.input.shape)}"
    if len(contract.output.shape) != 2 or contract.output.shape[-1] != classes:
        yield f"output.shape must be [batch, {classes}] for {classes} labels, is {list(contract.output.shape)}"
    if contract.normalisation not in ("unit", "column-l2"):
        yield f"normalisation must be unit or column-l2, is {contract.normalisation!r}"
    if contract.reader not in ("digits", "plain"):
        yield f"reader must be digits or plain, is {contract.reader!r}"
    if not (contract.temperature > 0 and math.isfinite(contract.temperature)):
        yield f"temperature must be above 0, is {contract.temperature}"
    if not 0 <= contract.rejection_threshold <= 1:
        yield f"rejection_threshold must be 0 to 1, is {contract.rejection_threshold}"


def _tensor_problems(tensor: Tensor) -> Iterator[str]:
    batch, *sizes = tensor.shape or (None,)
    if not (all(_is_size(size) for size in sizes) and (batch is None or _is_size(batch))):
        yield f"shape of {tensor.name} must hold sizes above 0, and null only for the batch, is {list(tensor.shape)}"
    if tensor.dtype not in ("float32", "int8", "uint8"):
        yield f"dtype of {tensor.name} must be float32, int8 or uint8, is {tensor.dtype!r}"
    elif tensor.dtype == "float32":
        if tensor.scale is not None or tensor.zero_point is not None:
            yield f"{tensor.name} is float32 and takes no scale and zero_point"
    else:
        low, high = (-128, 127) if tensor.dtype == "int8" else (0, 255)
        if not (_is_number(tensor.scale) and tensor.scale > 0):
            yield f"{tensor.name} is {tensor.dtype} and needs a scale above 0, is {tensor.scale!r}"
        if type(tensor.zero_point) is not int or not low <= tensor.zero_point <= high:
            yield f"{tensor.name} is {tensor.dtype} and needs a zero_point {low} to {high}, is {tensor.zero_point!r}"


def _is_size(value: object) -> bool:
    return type(value) is int and value > 0


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)
