"""The contract of a finder: how its file is fed and read, and what it was trained on."""

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgedigits_runtime.contract import SCHEMA
from edgedigits_runtime.embedded_contract import read_contract_text
from edgedigits_runtime.errors import ContractInvalid, ContractMissing, EdgedigitsError

READER = "finder"
"""In the place where a classifier's contract has "digits" or "plain"."""


@dataclass(frozen=True)
class FinderContract:
    """Description of a finder's file.

    It takes pictures [1, H, W, 3] in RGB as pixel/255, H and W multiples of the last stride, and returns for each
    stride heat [1, H/stride, W/stride, 2] and box [1, H/stride, W/stride, 4]; see edgedigits_runtime.reading.found.
    Outputs are told apart by their shapes.

    Args:
        name: of the model.
        strides: pixels of a cell at each level.
        side: longest side, in pixels, that a picture is resized to.
        threshold: least score of what is found; chosen on drawn validation scenes.
        format: "keras", "onnx", "tflite" or "c".
        precision: "float32" or "int8".
        training: what it was trained on: name, count of scenes, seed.
        calibration: scenes that quantization ranges were measured on; None without such quantization.
        measures: recall, precision and others of this file over drawn validation scenes, and their number.
        tools: versions of the tools that made the file.
    """

    name: str
    strides: tuple[int, ...]
    side: int
    threshold: float
    format: str = "keras"
    precision: str = "float32"
    training: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    measures: dict[str, Any] | None = None
    tools: dict[str, str] = dataclasses.field(default_factory=dict)
    reader: str = READER
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Return the contract as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _is_facts(value: object) -> bool:
    return value is None or isinstance(value, dict)


CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (lambda value: isinstance(value, str), "text"),
    "strides": (lambda value: value == [4, 8, 16, 32], "[4, 8, 16, 32]"),
    "side": (lambda value: type(value) is int and 32 <= value <= 4096 and value % 32 == 0, "a multiple of 32"),
    "threshold": (lambda value: _is_number(value) and 0 < value < 1, "between 0 and 1"),
    "format": (lambda value: value in ("keras", "onnx", "tflite", "c"), "keras, onnx, tflite or c"),
    "precision": (lambda value: value in ("float32", "int8"), "float32 or int8"),
    "training": (_is_facts, "an object or null"),
    "calibration": (_is_facts, "an object or null"),
    "measures": (_is_facts, "an object or null"),
    "tools": (lambda value: isinstance(value, dict), "an object"),
    "reader": (lambda value: value == READER, READER),
    "schema": (lambda value: value == SCHEMA, str(SCHEMA)),
}
"""What each field must be, and in words."""


def parse_finder_contract(text: str | bytes, source: str) -> FinderContract:
    """Parse a finder's contract; `source` names the file in messages.

    Raises:
        ContractInvalid: not JSON, not a finder's, or a field missing, unknown or of a wrong value.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContractInvalid(f"the contract of {source} is not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.get("reader") != READER:
        raise ContractInvalid(f"expected a finder in {source}, got another model; give it as MODEL")
    wrong = [
        f"{name} must be {words}, is {fields.get(name)!r}"
        for name, (check, words) in CHECKS.items()
        if not check(fields.get(name))
    ]
    wrong += [f"{name} is unknown" for name in sorted(set(fields) - set(CHECKS))]
    if wrong:
        raise ContractInvalid(f"the contract of {source}: {'; '.join(wrong)}")
    return FinderContract(**{**fields, "strides": tuple(fields["strides"])})


def is_finder_file(path: Path) -> bool:
    """Whether a file has the contract of a finder, whatever its fields."""
    try:
        fields = json.loads(read_contract_text(path))
    except (EdgedigitsError, ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("reader") == READER


def read_finder_contract(path: Path) -> FinderContract:
    """Read the contract of a finder's file; errors are those of read_contract."""
    try:
        text = read_contract_text(path)
    except ContractMissing as error:
        raise ContractMissing(f"expected a finder in {path}, got a file without a contract; export one") from error
    return parse_finder_contract(text, str(path))


def holds_finder(path: Path) -> bool:
    """Return whether a model file's contract is a finder's; False without one, other errors as of read_contract."""
    try:
        fields = json.loads(read_contract_text(path))
    except (ContractMissing, ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("reader") == READER
