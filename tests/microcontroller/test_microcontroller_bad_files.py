"""Files that cannot become C raise an error of one line, and damaged ones never anything else."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_runtime.embedded_contract import strip_zip
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactUnsupported
from tests.support.damaged_bytes import damaged, with_changed_word
from tests.support.edited_tflite import (
    INT8,
    INT32,
    UINT8,
    Builder,
    Change,
    changed,
    graph_of,
    operator_of,
    shipped,
    tensor_of,
    tiny,
)
from tests.support.quantized_graphs import tflite_of
from tests.support.random_graphs import random_graph
from tests.support.tiny_models import tflite_bytes


def assert_refused(content: bytes, error: type[ArtifactError], *facts: str) -> None:
    """Assert the error's class, and a message of one line that starts with the file and holds the facts."""
    with pytest.raises(error) as caught:
        read_graph(content, "x.tflite")
    message = str(caught.value)
    assert message.startswith("x.tflite") and "\n" not in message
    assert all(fact in message for fact in facts), message


def set_type(slot: int, kind: int, name: str = "CONV_2D") -> Change:
    def change(model: Any) -> None:
        tensor_of(model, name, slot).type = kind

    return change


def set_option(name: str, attribute: str, value: Any) -> Change:
    def change(model: Any) -> None:
        setattr(operator_of(model, name).builtinOptions, attribute, value)

    return change


def set_quantization(slot: int, attribute: str, value: Any, name: str = "CONV_2D") -> Change:
    def change(model: Any) -> None:
        setattr(tensor_of(model, name, slot).quantization, attribute, value)

    return change


def set_tensor(slot: int, attribute: str, value: Any, name: str = "CONV_2D") -> Change:
    def change(model: Any) -> None:
        setattr(tensor_of(model, name, slot), attribute, value)

    return change


def set_operator(attribute: str, value: Any, name: str = "CONV_2D") -> Change:
    def change(model: Any) -> None:
        setattr(operator_of(model, name), attribute, value)

    return change


def set_graph(attribute: str, value: Any) -> Change:
    def change(model: Any) -> None:
        setattr(graph_of(model), attribute, value)

    return change


def cut_weights(count: int, kind: int = INT8) -> Change:
    def change(model: Any) -> None:
        tensor = tensor_of(model, "CONV_2D", 1)
        tensor.type, buffer = kind, model.buffers[tensor.buffer]
        buffer.data = buffer.data[:count]

    return change


def quantize_output_per_axis(model: Any) -> None:
    quantization = tensor_of(model, "CONV_2D", -1).quantization
    quantization.scale, quantization.zeroPoint, quantization.quantizedDimension = [0.1] * 4, [0] * 4, 3


def huge_weights(model: Any) -> None:
    bias = model.buffers[tensor_of(model, "CONV_2D", 2).buffer]
    bias.data = np.frombuffer(np.full(4, 2**31 - 1, np.int32).tobytes(), np.uint8)


def two_graphs(model: Any) -> None:
    model.subgraphs.append(model.subgraphs[0])


def custom(model: Any) -> None:
    code = model.operatorCodes[operator_of(model, "CONV_2D").opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"Mystery"


def rename(number: int) -> Change:
    def change(model: Any) -> None:
        code = model.operatorCodes[operator_of(model, "SOFTMAX").opcodeIndex]
        code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)

    return change


def cycle(model: Any) -> None:
    first = operator_of(model, "CONV_2D")
    first.inputs = [graph_of(model).outputs[0], *first.inputs[1:]]


def sparse(model: Any) -> None:
    tensor_of(model, "CONV_2D", 1).sparsity = schema.SparsityParametersT()


def constant_input(model: Any) -> None:
    tensor_of(model, "CONV_2D", 0).buffer = tensor_of(model, "CONV_2D", 1).buffer


def made_twice(model: Any) -> None:
    graph_of(model).operators[1].outputs = graph_of(model).operators[0].outputs


def make_output_the_input(model: Any) -> None:
    graph_of(model).outputs = graph_of(model).inputs


WRONG: dict[str, tuple[Change, type[ArtifactError], *tuple[str, ...]]] = {
    "int16": (set_type(-1, schema.TensorType.INT16), ArtifactUnsupported, "int16", "--precision int8"),
    "uint8 inside": (set_type(-1, UINT8), ArtifactCorrupt, "tensor 27"),
    "float weights": (set_type(1, schema.TensorType.FLOAT32), ArtifactCorrupt, "144", "36"),
    "int4 weights": (
        cut_weights(18, schema.TensorType.INT4),
        ArtifactUnsupported,
        "operator 0 (CONV_2D)",
        "INT4",
        "INT8",
    ),
    "float bias": (set_type(2, schema.TensorType.FLOAT32), ArtifactCorrupt, "operator 0 (CONV_2D)", "FLOAT32"),
    "unknown operator": (
        rename(schema.BuiltinOperator.ELU),
        ArtifactUnsupported,
        "operator 13 (ELU)",
        "SOFTMAX",
    ),
    "operator of the future": (rename(999), ArtifactUnsupported, "999"),
    "custom operator": (custom, ArtifactUnsupported, "operator 0 (CUSTOM Mystery)"),
    "two subgraphs": (two_graphs, ArtifactUnsupported, "2"),
    "two inputs": (set_graph("inputs", [0, 0]), ArtifactUnsupported, "2 inputs"),
    "no output": (set_graph("outputs", []), ArtifactUnsupported, "0 outputs"),
    "input out of range": (set_graph("inputs", [999]), ArtifactCorrupt, "999"),
    "dynamic height": (set_tensor(0, "shapeSignature", [-1, -1, 28, 1]), ArtifactUnsupported, "[-1, -1, 28, 1]"),
    "a batch of two": (set_tensor(0, "shape", [2, 28, 28, 1]), ArtifactCorrupt, "[2, 28, 28, 4]"),
    "zero-sized": (set_tensor(0, "shape", [1, 0, 28, 1]), ArtifactCorrupt, "[1, 0, 28, 1]"),
    "five dimensions": (set_tensor(0, "shape", [1, 1, 28, 28, 1]), ArtifactCorrupt, "[1, 1, 28, 28, 1]"),
    "huge": (set_tensor(0, "shape", [1, 2**20, 2**20, 1]), ArtifactUnsupported, "1,099,511,627,776"),
    "wrong output shape": (
        set_tensor(-1, "shape", [1, 28, 27, 4]),
        ArtifactCorrupt,
        "[1, 28, 28, 4]",
        "[1, 28, 27, 4]",
    ),
    "per-axis zero point": (
        set_quantization(1, "zeroPoint", [0, 0, 5, 0]),
        ArtifactUnsupported,
        "operator 0 (CONV_2D)",
        "zero point of 5",
    ),
    "weights of another scale count": (set_quantization(1, "scale", [0.1, 0.2]), ArtifactCorrupt, "2 scales"),
    "scales along another axis": (set_quantization(1, "quantizedDimension", 1), ArtifactCorrupt, "4 scales"),
    "weight scale 0": (set_quantization(1, "scale", [0.1, 0.1, 0.0, 0.1]), ArtifactCorrupt, "scale 0"),
    "weights without quantization": (
        set_tensor(1, "quantization", None),
        ArtifactUnsupported,
        "operator 0 (CONV_2D)",
        "tensor 26",
    ),
    "per-axis activation": (quantize_output_per_axis, ArtifactUnsupported, "4 scales"),
    "no quantization": (set_tensor(-1, "quantization", None), ArtifactUnsupported, "tensor 27"),
    "scale 0": (set_quantization(-1, "scale", [0.0]), ArtifactCorrupt, "scale 0"),
    "scale below 0": (set_quantization(-1, "scale", [-1.0]), ArtifactCorrupt, "-1"),
    "scale not finite": (set_quantization(-1, "scale", [float("inf")]), ArtifactCorrupt, "inf"),
    "scale not a number": (set_quantization(-1, "scale", [float("nan")]), ArtifactCorrupt, "nan"),
    "zero point out of range": (set_quantization(-1, "zeroPoint", [200]), ArtifactCorrupt, "200"),
    "scales too far apart": (set_quantization(-1, "scale", [1e-9]), ArtifactUnsupported, "operator 0 (CONV_2D)", "256"),
    "bias with a zero point": (set_quantization(2, "zeroPoint", [1, 0, 0, 0]), ArtifactCorrupt, "zero point 1"),
    "bias of another length": (set_tensor(2, "shape", [3]), ArtifactCorrupt, "12", "16"),
    "short buffer": (cut_weights(35), ArtifactCorrupt, "36", "35"),
    "missing buffer": (set_tensor(1, "buffer", 999), ArtifactCorrupt, "buffer 999"),
    "sparse weights": (sparse, ArtifactUnsupported, "sparse"),
    "a variable": (set_tensor(-1, "isVariable", True), ArtifactUnsupported, "variable"),
    "sums beyond int32": (huge_weights, ArtifactUnsupported, "operator 0 (CONV_2D)", "2147673855"),
    "missing tensor": (set_operator("inputs", [0, 999, 25]), ArtifactCorrupt, "operator 0 (CONV_2D)", "999"),
    "negative tensor": (set_operator("inputs", [0, -2, 25]), ArtifactCorrupt, "-2"),
    "input left out": (set_operator("inputs", [-1, 26, 25]), ArtifactCorrupt, "input 0"),
    "no weights": (set_operator("inputs", [0]), ArtifactCorrupt, "1 inputs"),
    "constant for an activation": (set_operator("inputs", [26, 26, 25]), ArtifactCorrupt, "operator 0 (CONV_2D)"),
    "activation for weights": (set_operator("inputs", [0, 0, 25]), ArtifactCorrupt, "operator 0 (CONV_2D)"),
    "unknown kind": (set_operator("opcodeIndex", 99), ArtifactCorrupt, "99"),
    "several outputs": (set_operator("outputs", [27, 28]), ArtifactCorrupt, "2 outputs"),
    "made twice": (made_twice, ArtifactCorrupt, "tensor 27"),
    "cycle": (cycle, ArtifactCorrupt, "operator 0 (CONV_2D)", "tensor 40"),
    "no operators": (set_graph("operators", []), ArtifactCorrupt),
    "output is input": (make_output_the_input, ArtifactUnsupported),
    "constant input": (constant_input, ArtifactCorrupt, "tensor 0"),
    "dilation": (set_option("CONV_2D", "dilationWFactor", 2), ArtifactUnsupported, "1x2"),
    "stride 0": (set_option("CONV_2D", "strideH", 0), ArtifactCorrupt, "stride_h 0"),
    "unknown padding": (set_option("CONV_2D", "padding", 7), ArtifactCorrupt, "padding 7"),
    "fused tanh": (set_option("CONV_2D", "fusedActivationFunction", 4), ArtifactUnsupported, "TANH", "RELU6"),
    "unknown activation": (set_option("CONV_2D", "fusedActivationFunction", 77), ArtifactCorrupt, "77"),
    "groups": (set_tensor(0, "shape", [1, 28, 14, 2]), ArtifactCorrupt, "operator 0 (CONV_2D)"),
    "depth multiplier": (
        set_option("DEPTHWISE_CONV_2D", "depthMultiplier", 3),
        ArtifactCorrupt,
        "operator 1 (DEPTHWISE_CONV_2D)",
    ),
    "shuffled weights": (set_option("FULLY_CONNECTED", "weightsFormat", 1), ArtifactUnsupported, "format 1"),
    "softmax scale": (set_quantization(-1, "scale", [0.01], "SOFTMAX"), ArtifactUnsupported, "0.01", "1/256"),
    "beta": (set_option("SOFTMAX", "beta", -1.0), ArtifactCorrupt, "beta -1"),
    "options left out": (set_operator("builtinOptions", None), ArtifactCorrupt, "Conv2DOptions"),
    "no options": (set_operator("builtinOptionsType", 0), ArtifactCorrupt, "Conv2DOptions"),
    "schema": (lambda model: setattr(model, "version", 2), ArtifactUnsupported, "2", "3"),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_error_names_the_operator_and_the_problem(case: str) -> None:
    change, error, *facts = WRONG[case]
    assert_refused(changed(shipped("pico"), change), error, *facts)


def refused(build: Builder, *facts: str, error: type[ArtifactError] = ArtifactUnsupported) -> None:
    assert_refused(build.pack(), error, *facts)


def test_refuses_operands_that_do_not_fit() -> None:
    build = Builder([1, 2, 2, 1])
    build.last = build.constant(np.ones((1, 2, 2, 1)), INT8)
    other = build.constant(1, INT8)
    refused(build.add("ADD", build.tensor([1, 2, 2, 1]), other, options="AddOptions"), "operator 0 (ADD)", "constants")
    build = Builder([1, 2, 2, 2])
    build.add("RESHAPE", build.tensor([1, 4, 2]), build.constant([1, 4, 2]))
    build.add("MUL", build.tensor([1, 4, 4, 2]), build.constant(np.ones((1, 4, 4, 2)), INT8), options="MulOptions")
    refused(build, "operator 1 (MUL)", "[1, 4, 2]")
    build = Builder([1, 2, 2, 1])
    refused(build.add("SUB", build.tensor([2, 2, 2, 1]), build.constant(np.ones((2, 1, 1, 1)), INT8)), "batch of 2")
    build = Builder([1, 2, 2, 1])
    refused(build.add("MEAN", build.tensor([1, 2, 2]), build.constant([3]), options="ReducerOptions"), "[3]")
    build = Builder([1, 2, 2, 1])
    refused(build.add("REDUCE_MAX", build.tensor([1, 2]), build.constant([1]), options="ReducerOptions"), "[1]")


def joined(build: Builder, output: int, *others: int, axis: int = 3, activation: int = 0) -> Builder:
    """Append a concatenation."""
    attributes = {"axis": axis, "fusedActivationFunction": activation}
    return build.add("CONCATENATION", output, *others, options="ConcatenationOptions", **attributes)


def test_refuses_concatenations_that_litert_refuses_or_c_lacks() -> None:
    build = Builder([1, 2, 2, 1])
    refused(joined(build, build.tensor([1, 2, 2, 2], scale=0.25), 0), "0.5", "0.25")
    build = Builder([1, 2, 2, 1])
    refused(joined(build, build.tensor([1, 2, 2, 2]), 0, activation=1), "operator 0 (CONCATENATION)")
    build = Builder([1, 2, 2, 1])
    refused(joined(build, build.tensor([2, 2, 2, 1]), 0, axis=0), "batch of 2")
    build = Builder([1, 2, 2, 1])
    refused(joined(build, build.tensor([1, 2, 2, 2]), build.constant(np.ones((1, 2, 2, 1)), INT8)), "input 1")


def test_refuses_a_logistic_that_litert_refuses() -> None:
    build = Builder([1, 4])
    refused(build.add("LOGISTIC", build.tensor([1, 4], scale=0.5)), "0.5", "1/256")


def test_refuses_an_image_of_another_size() -> None:
    build = Builder([1, 12])
    build.add("RELU", build.tensor([1, 12]))
    with pytest.raises(ArtifactUnsupported, match=r"^x.tflite: .*12 values.*2x5x1"):
        read_graph(build.pack(), "x.tflite", (2, 5, 1))


def test_refuses_padding_of_channels_and_with_other_values() -> None:
    build = Builder([1, 2, 2, 1])
    paddings = build.constant([[0, 0], [0, 0], [0, 0], [1, 0]])
    refused(build.add("PAD", build.tensor([1, 2, 2, 2]), paddings), "[1, 0]")
    build = Builder([1, 2, 2, 1])
    nothing, value = build.constant(np.zeros((4, 2))), build.constant([9], INT8, zero_point=3)
    refused(build.add("PADV2", build.tensor([1, 2, 2, 1]), nothing, value), "9", "3")


def test_refuses_shapes_that_do_not_fit() -> None:
    build = Builder([1, 2, 2, 1])
    reshaped = build.add("RESHAPE", build.tensor([1, 5]), options="ReshapeOptions", newShape=[1, 5])
    refused(reshaped, "5", "4", error=ArtifactCorrupt)
    build = Builder([1, 2, 2, 1])
    other = build.constant([4, 1])
    refused(build.add("RESHAPE", build.tensor([1, 4]), other), "[4, 1]", "[1, 4]", error=ArtifactCorrupt)
    build = Builder([1, 2, 2, 1])
    empty = build.tensor([2], INT32)
    refused(build.add("RESHAPE", build.tensor([1, 4]), empty), "tensor 1", error=ArtifactCorrupt)
    build = Builder([1, 2, 2, 1])
    refused(build.add("RESHAPE", build.tensor([1, 4]), -1), "4 values", error=ArtifactCorrupt)
    build = Builder([1, 2, 2, 1])
    refused(build.add("EXPAND_DIMS", build.tensor([1, 4]), build.constant(9)), "9", error=ArtifactCorrupt)


def test_refuses_layers_that_c_does_not_support() -> None:
    build = Builder([1, 2, 2, 1])
    pool = {"strideW": 1, "strideH": 1, "filterWidth": 1, "filterHeight": 1}
    output = build.tensor([1, 2, 2, 1], scale=0.25)
    refused(build.add("AVERAGE_POOL_2D", output, options="Pool2DOptions", **pool), "0.5", "0.25")
    build = Builder([1, 2, 2, 3])
    output, kernel = build.tensor([4, 1]), build.constant([[1, 2, 3]], INT8)
    refused(build.add("FULLY_CONNECTED", output, kernel, options="FullyConnectedOptions"), "batch of 4")
    build = Builder([1, 2, 2, 3])
    output, kernel = build.tensor([1, 2, 2, 1]), build.constant([[1, 2, 3]], INT8)
    build.add("FULLY_CONNECTED", output, kernel, options="FullyConnectedOptions", keepNumDims=True)
    refused(build, "reads 3", "2x2x3")
    build = Builder([1, 2, 2, 1])
    output = build.tensor([1, 2, 2, 1], scale=1 / 256, zero_point=-128)
    refused(build.add("SOFTMAX", output, options="SoftmaxOptions", beta=1.0), "2x2x1")


def one_by_one(build: Builder, output: list[int], kernel: int) -> Builder:
    """Append a convolution with a window of a pixel."""
    return build.add("CONV_2D", build.tensor(output), kernel, options="Conv2DOptions", strideW=1, strideH=1)


def test_refuses_weights_that_c_does_not_support() -> None:
    build = Builder([1, 2, 2, 1])
    refused(one_by_one(build, [1, 2, 2, 1], build.constant([[[[1]]]], INT8, zero_point=7)), "zero point of 7")
    build = Builder([1, 2, 2, 4])
    refused(one_by_one(build, [1, 2, 2, 4], build.constant(np.ones((4, 1, 1, 2)), INT8)), "2 of 4")
    build = Builder([1, 2, 2, 1])
    kernel = build.constant(np.ones((3, 2, 1, 1)), INT8)
    quantization = build.graph.tensors[kernel].quantization
    quantization.scale, quantization.zeroPoint, quantization.quantizedDimension = [0.5, 0.5], [0, 0], 1
    refused(one_by_one(build, [1, 2, 2, 3], kernel), "2 scales", error=ArtifactCorrupt)
    build = Builder([1, 3])
    build.add("FULLY_CONNECTED", build.tensor([1, 1]), 0, options="FullyConnectedOptions")
    refused(build, "input 1")


def test_refuses_other_shapes_and_types_of_activations() -> None:
    build = Builder([2, 4])
    refused(build.add("RELU", build.tensor([2, 4])), "batch of 2")
    build = Builder([1, 1, 2, 2, 1])
    refused(build.add("RELU", build.tensor([1, 1, 2, 2, 1])), "5 dimensions")
    build = Builder([1, 4], UINT8, zero_point=128)
    refused(build.add("RELU", build.tensor([1, 4], UINT8, zero_point=128)), "operator 0 (RELU)", "UINT8")


def test_an_attribute_of_a_later_schema_is_an_error() -> None:
    # PadOptions has no field here; read as ShapeOptions' bytes, it has one.
    build = Builder([1, 2, 2, 1])
    build.add("PAD", build.tensor([1, 2, 2, 1]), build.constant(np.zeros((4, 2))), options="ShapeOptions", outType=2)
    build.graph.operators[0].builtinOptionsType = schema.BuiltinOptions.PadOptions
    refused(build, "PadOptions", "field 0")


def test_other_precisions_are_refused_by_name() -> None:
    assert_refused(tflite_bytes(None, "float32"), ArtifactUnsupported, "float32", "--precision int8")

    def dynamic_range(model: Any) -> None:
        for tensor in graph_of(model).tensors:
            constant = model.buffers[tensor.buffer].data is not None
            tensor.type = INT8 if constant and len(tensor.shape) == 2 else schema.TensorType.FLOAT32

    assert_refused(changed(tiny(), dynamic_range), ArtifactUnsupported, "dynamic-range", "float32")

    def float_input(model: Any) -> None:
        graph_of(model).tensors[0].type = schema.TensorType.FLOAT32

    assert_refused(changed(tiny(), float_input), ArtifactUnsupported, "inference_input_type")


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x00" * 100, b"not a model at all, but longer than a header"])
def test_other_files_are_refused(content: bytes) -> None:
    assert_refused(content, ArtifactCorrupt, "TFL3")


def test_offsets_out_of_the_file_are_refused() -> None:
    assert_refused(b"\xff\xff\xff\x7fTFL3" + bytes(100), ArtifactCorrupt, "byte 0")


def survives(content: bytes) -> None:
    try:
        graph = read_graph(content, "x")
    except ArtifactError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
    else:
        assert graph.operators


@cache
def many_operators() -> bytes:
    names = ("CONV_2D", "TANH", "CONCATENATION", "PRELU", "SUB", "REDUCE_MAX", "LEAKY_RELU", "MUL")
    return tflite_of(random_graph(names, 3, (4, 5, 3)))


@pytest.mark.parametrize("name", ["tiny", "many operators", "pico"])
@given(data=st.data())
def test_damaged_files_are_refused_or_read(name: str, data: st.DataObject) -> None:
    own = {"tiny": tiny, "many operators": many_operators}
    survives(damaged(own[name]() if name in own else strip_zip(shipped(name)), data))


@given(data=st.data())
def test_changed_words_are_refused_or_read(data: st.DataObject) -> None:
    survives(with_changed_word(strip_zip(shipped("pico")), data))


@given(length=st.integers(0, 30_000))
def test_truncated_files_are_refused_or_read(length: int) -> None:
    survives(tiny()[:length])
    survives(strip_zip(shipped("pico"))[:length])


@given(st.binary(max_size=400))
def test_noise_after_an_identifier_is_refused(noise: bytes) -> None:
    survives(noise[:4].ljust(4, b"\0") + b"TFL3" + noise[4:])
