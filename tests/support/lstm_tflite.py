"""A `.tflite` file of one LSTM over the rows of a picture, with its state in variables, in float32 or int8."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.support.edited_tflite import INT8, INT32, Builder
from tests.support.tiny_tflite import packed

STEPS, TAKEN, CELLS = 4, 5, 3
FLOAT32, INT16 = schema.TensorType.FLOAT32, schema.TensorType.INT16
SCALE = 1 / 128


def lstm_tflite(dtype: str = "float32") -> bytes:
    """Return a model [1, STEPS, TAKEN] -> [1, STEPS, CELLS]."""
    integer = dtype == "int8"
    kind, rng = INT8 if integer else FLOAT32, np.random.default_rng(0)
    build = Builder([1, STEPS, TAKEN], kind, SCALE, 0)

    def constant(*shape: int) -> int:
        if integer:
            return build.constant(rng.integers(-127, 128, shape), INT8, SCALE)
        return _floats(build, rng.normal(0, 0.5, shape).astype(np.float32))

    weights = [constant(CELLS, TAKEN) for _ in range(4)] + [constant(CELLS, CELLS) for _ in range(4)]
    if integer:
        biases = [build.constant(rng.integers(-99, 99, CELLS), INT32) for _ in range(4)]
    else:
        biases = [constant(CELLS) for _ in range(4)]
    states = [build.tensor([1, CELLS], kind, SCALE, 0), build.tensor([1, CELLS], INT16 if integer else kind, 2**-11, 0)]
    for index in states:
        build.graph.tensors[index].isVariable = True
    inputs = [*weights, -1, -1, -1, *biases, -1, -1, *states, -1, -1, -1, -1]
    output = build.tensor([1, STEPS, CELLS], kind, SCALE, 0)
    options: dict[str, Any] = {"fusedActivationFunction": 4, "cellClip": 10.0}
    build.add("UNIDIRECTIONAL_SEQUENCE_LSTM", output, *inputs, options="UnidirectionalSequenceLSTMOptions", **options)
    if integer:
        operator = build.graph.operators[0]
        operator.intermediates = [build.tensor([0], INT8, SCALE, 0) for _ in range(5)]
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    return packed(build.model)


def _floats(build: Builder, values: Any) -> int:
    index = build.tensor(list(values.shape), FLOAT32)
    build.graph.tensors[index].quantization = None
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    build.model.buffers.append(buffer)
    build.graph.tensors[index].buffer = len(build.model.buffers) - 1
    return index
