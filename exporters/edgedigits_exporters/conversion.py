"""Run a converter in a child process: its crash becomes a ConversionFailed, and its output is not printed."""

import importlib
from pathlib import Path
from typing import Any

from edgedigits_runtime.child_process import Child
from edgedigits_runtime.contract import Contract, parse_contract
from edgedigits_runtime.errors import ConversionFailed, MissingExtra
from edgedigits_runtime.preprocessing import Images


def convert_in_child(
    module: str, model: Path, contract: Contract | None, precision: str, images: Images | None
) -> tuple[bytes, Contract]:
    """Call `convert` of an exporter's module in a fresh interpreter.

    Raises:
        MissingExtra: the converter imports a package that is not installed.
        EdgedigitsError: raised by `convert`.
        ConversionFailed: `convert` raised another exception, or the process died.
    """
    with Child("the converter", ConversionFailed, keep_output=True) as child:
        content, fitting = child.call(
            f"{__name__}:convert_here", module, str(model), contract and contract.to_json(), precision, images
        )
    return content, parse_contract(fitting, str(model))


def convert_here(module: str, model: str, contract: str | None, precision: str, images: Images | None) -> list[Any]:
    """Convert; runs in the child."""
    given = parse_contract(contract, model) if contract else None
    try:
        content, fitting = importlib.import_module(module).convert(Path(model), given, precision, images)
    except ImportError as error:
        package = error.name or "a package"
        extra = "onnx" if package.startswith("onnxruntime") else "train"
        raise MissingExtra(f"this conversion imports {package} and", extra) from error
    return [content, fitting.to_json()]
