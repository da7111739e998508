"""An `.onnx` file as the source of an export."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits_runtime.contract import Contract, Scaling
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ConversionFailed
from edgedigits_runtime.untrusted import checked_content

QUANTIZED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger")


def load_checked(path: Path, contract: Contract | None) -> tuple[Any, Contract]:
    """Return the model of a checked file, with its constants inside, and its contract or the given one.

    Raises:
        ArtifactError: see checked_content and read_contract.
    """
    import onnx

    checked_content(path)
    return onnx.load(path), contract or read_contract(path)


def load_float32(path: Path, contract: Contract | None) -> tuple[Any, Contract]:
    """Return the model of a checked file with float32 in place of float16, float64 and integer pixels.

    Raises:
        ArtifactError: see load_checked.
        ConversionFailed: it is quantized, or takes integers in another way than as scaled pixels.
    """
    model, contract = load_checked(path, contract)
    for node in model.graph.node:
        if is_quantized(node.op_type):
            raise ConversionFailed(f"{path} is quantized already: it has {node.op_type}; export its float32 model")
    _to_float32(model)
    # Quantizers transpose weights under their old names, whose declared shapes are then wrong.
    del model.graph.value_info[:]
    return model, _as_float32(contract)


def is_quantized(operator: str) -> bool:
    """Return whether only quantized models have this operator."""
    return operator in QUANTIZED or operator.startswith("QLinear")


def input_of(model: Any) -> Any:
    """Return the description of a graph's input; files of the first versions list their constants among the inputs."""
    constants = {entry.name for entry in model.graph.initializer}
    return next(value for value in model.graph.input if value.name not in constants)


def with_opset(model: Any, least: int) -> Any:
    """Return a model with at least that operator set."""
    from onnx import version_converter

    standard = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    return version_converter.convert_version(model, least) if standard < least else model


def _to_float32(model: Any) -> None:
    """Make float16 and float64 in a graph float32, and its integer input: converters and quantizers take no others."""
    from onnx import TensorProto, numpy_helper

    floats, pixels = (TensorProto.FLOAT16, TensorProto.DOUBLE), (TensorProto.UINT8, TensorProto.INT8)
    constants = list(model.graph.initializer)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                constants.append(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in floats:
                attribute.i = TensorProto.FLOAT
    for entry in constants:
        if entry.data_type in floats:
            entry.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(entry).astype(np.float32), entry.name))
    kinds = [value.type.tensor_type for value in (*model.graph.input, *model.graph.output, *model.graph.value_info)]
    given = input_of(model).type.tensor_type
    for kind in kinds:
        if kind.elem_type in floats or (kind is given and kind.elem_type in pixels):
            kind.elem_type = TensorProto.FLOAT


def _as_float32(contract: Contract) -> Contract:
    """Return the contract of the same model with a float32 input, which takes the values that an integer one stores."""
    stored, normalisation = contract.input, contract.normalisation
    if stored.scale is None or stored.zero_point is None:
        return contract
    if normalisation == "unit":
        normalisation = Scaling((1 / 255,), (0.0,))
    if not isinstance(normalisation, Scaling):
        raise ConversionFailed(f"{contract.name} takes {stored.dtype} with {normalisation}; export a float32 model")
    scaling = Scaling(
        tuple(scale / stored.scale for scale in normalisation.scale),
        tuple(offset / stored.scale + stored.zero_point for offset in normalisation.offset),
    )
    tensor = dataclasses.replace(stored, dtype="float32", scale=None, zero_point=None)
    return dataclasses.replace(contract, input=tensor, normalisation=scaling)
