"""Convert Keras models in this process, so that TensorFlow is imported once for all kinds."""

import dataclasses
from pathlib import Path

import edgedigits_exporters.onnx as to_onnx
import edgedigits_exporters.tflite as to_tflite
from edgedigits_exporters.conversion import ConversionOptions, convert_here, convert_in_child
from edgedigits_runtime.contract import Contract, parse_contract


def convert_once(module: str, source: Path, options: ConversionOptions) -> tuple[bytes, Contract]:
    """Convert as convert_in_child does; ONNX sources, and what fails here, go to the child process."""
    if source.suffix != ".keras":
        return convert_in_child(module, source, options)
    chosen, given = options.calibration_set, options.contract
    text = given.to_json() if given else ""
    images = chosen.images if chosen else None
    try:
        content, made = convert_here(module, str(source), text, str(options.precision), images)
    except Exception:  # noqa: BLE001
        # For the message that a user gets.
        return convert_in_child(module, source, options)
    contract = parse_contract(made, str(source))
    return content, dataclasses.replace(contract, calibration=chosen.used if chosen else None)


def use() -> None:
    """Let the exporters of this process call convert_once."""
    for format in (to_onnx, to_tflite):
        format.convert_in_child = convert_once  # type: ignore[attr-defined]
