"""The precision that a `.tflite` file computes in."""

from edgedigits_runtime.untrusted.tflite_model import StoredModel, StoredOperator, StoredTensor

CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "CAST")
INTEGERS = {"INT4", "INT8", "UINT8"}

DATA_INPUT = {"SPLIT": 1, "TRANSPOSE_CONV": 2}
"""The input with the activations, where it is not the first."""


def data_of(model: StoredModel, operator: StoredOperator) -> StoredTensor | None:
    """Return the tensor that an operator computes on; None where it is left out."""
    slot = DATA_INPUT.get(operator.name, 0)
    index = operator.inputs[slot] if slot < len(operator.inputs) else -1
    return None if index < 0 else model.tensors[index]


def is_hybrid(model: StoredModel, operator: StoredOperator) -> bool:
    """Whether an operator computes on float32 activations and integer weights."""
    data = data_of(model, operator)
    others = {model.tensors[index].dtype for index in operator.inputs if index >= 0}
    return data is not None and data.dtype == "FLOAT32" and bool(others & INTEGERS)


def precision_of(model: StoredModel) -> str:
    """Return "dynamic" (int8 weights, float activations), "int16", "int8", "uint8", "float16" or "float32".

    An integer file may have a float input and output. "float16" is that of the weights.
    """
    if any(is_hybrid(model, operator) for operator in model.operators):
        return "dynamic"
    computing = [operator for operator in model.operators if operator.name not in CONVERSIONS]
    computed = {model.tensors[index].dtype for operator in computing for index in operator.outputs}
    for dtype in ("INT16", "INT8", "UINT8"):
        if dtype in computed:
            return dtype.lower()
    return "float16" if any(tensor.dtype == "FLOAT16" and tensor.data for tensor in model.tensors) else "float32"
