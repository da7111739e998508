"""One line for each kind of file that cannot be compiled, and nothing worse for any damaged one."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_exporters.microcontroller.flatbuffer import read_graph
from edgedigits_runtime.embedded_contract import strip_zip
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactUnsupported
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
from tests.support.tiny_models import tflite_bytes


def wrong(change: Change) -> str:
    """The message for pico after an edit."""
    with pytest.raises(ArtifactError) as caught:
        read_graph(changed(shipped("pico"), change), "x.tflite")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("x.tflite")
    return message


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


def cut_buffer(model: Any) -> None:
    buffer = model.buffers[tensor_of(model, "CONV_2D", 1).buffer]
    buffer.data = buffer.data[:-1]


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


WRONG: dict[str, tuple[Change, tuple[str, ...]]] = {
    "int16": (set_type(-1, schema.TensorType.INT16), ("int16 activations", "full int8 quantization")),
    "uint8 inside": (set_type(-1, UINT8), ("operator 0 (CONV_2D)", "UINT8, expected INT8")),
    "float weights": (set_type(1, schema.TensorType.FLOAT32), ("operator 0 (CONV_2D)", "FLOAT32, expected INT8")),
    "int4 weights": (set_type(1, schema.TensorType.INT4), ("INT4, expected INT8",)),
    "float bias": (set_type(2, schema.TensorType.FLOAT32), ("its bias", "must be INT32")),
    "unknown operator": (rename(schema.BuiltinOperator.LOGISTIC), ("operator 13 (LOGISTIC)", "SOFTMAX")),
    "operator of the future": (rename(999), ("builtin operator 999",)),
    "custom operator": (custom, ("CUSTOM Mystery", "custom operator")),
    "two subgraphs": (two_graphs, ("2 subgraphs, expected 1",)),
    "two inputs": (set_graph("inputs", [0, 0]), ("2 inputs, expected 1",)),
    "no output": (set_graph("outputs", []), ("0 outputs, expected 1",)),
    "input out of range": (set_graph("inputs", [999]), ("no tensor 999",)),
    "dynamic height": (set_tensor(0, "shapeSignature", [-1, -1, 28, 1]), ("dynamic shape [-1, -1, 28, 1]",)),
    "a batch of two": (set_tensor(0, "shape", [2, 28, 28, 1]), ("batch of 2", "batch of 1")),
    "zero-sized": (set_tensor(0, "shape", [1, 0, 28, 1]), ("holds nothing",)),
    "five dimensions": (set_tensor(0, "shape", [1, 1, 28, 28, 1]), ("5 dimensions",)),
    "huge": (set_tensor(0, "shape", [1, 2**20, 2**20, 1]), ("more than 2147483647 values",)),
    "wrong output shape": (set_tensor(-1, "shape", [1, 28, 27, 4]), ("28x27x4 by the file and 28x28x4",)),
    "per-axis zero point": (set_quantization(1, "zeroPoint", [0, 0, 5, 0]), ("per-axis zero point of 5",)),
    "weights of another scale count": (set_quantization(1, "scale", [0.1, 0.2]), ("2 scales", "expected 1 or 4")),
    "scales along another axis": (set_quantization(1, "quantizedDimension", 1), ("along dimension 1",)),
    "weight scale 0": (set_quantization(1, "scale", [0.1, 0.1, 0.0, 0.1]), ("number above 0",)),
    "weights without quantization": (set_tensor(1, "quantization", None), ("its weights", "no quantization")),
    "per-axis activation": (set_quantization(-1, "scale", [0.1] * 4), ("4 scales", "one of each")),
    "no quantization": (set_tensor(-1, "quantization", None), ("carries no quantization",)),
    "scale 0": (set_quantization(-1, "scale", [0.0]), ("the scale 0.0",)),
    "scale below 0": (set_quantization(-1, "scale", [-1.0]), ("the scale -1.0",)),
    "scale not finite": (set_quantization(-1, "scale", [float("inf")]), ("the scale inf",)),
    "scale not a number": (set_quantization(-1, "scale", [float("nan")]), ("the scale nan",)),
    "zero point out of range": (set_quantization(-1, "zeroPoint", [200]), ("zero point 200",)),
    "scales too far apart": (set_quantization(-1, "scale", [1e-12]), ("scales its sums",)),
    "bias with a zero point": (set_quantization(2, "zeroPoint", [1]), ("its bias", "zero point 0")),
    "bias of another length": (set_tensor(2, "shape", [3]), ("its bias", "expected [4]")),
    "short buffer": (cut_buffer, ("operator 0 (CONV_2D)", "needs 36 bytes, its buffer has 35")),
    "missing buffer": (set_tensor(1, "buffer", 999), ("buffer 999",)),
    "sparse weights": (sparse, ("is sparse",)),
    "a variable": (set_tensor(-1, "isVariable", True), ("is a variable",)),
    "sums beyond int32": (huge_weights, ("int32",)),
    "missing tensor": (set_operator("inputs", [0, 999, 25]), ("operator 0 (CONV_2D)", "no tensor 999")),
    "negative tensor": (set_operator("inputs", [0, -2, 25]), ("no tensor -2",)),
    "input left out": (set_operator("inputs", [-1, 26, 25]), ("input 0 is left out",)),
    "no weights": (set_operator("inputs", [0]), ("1 inputs, expected 2 to 3",)),
    "constant for an activation": (set_operator("inputs", [26, 26, 25]), ("is a constant",)),
    "activation for weights": (set_operator("inputs", [0, 0, 25]), ("must be a constant",)),
    "unknown kind": (set_operator("opcodeIndex", 99), ("of kind 99",)),
    "several outputs": (set_operator("outputs", [27, 28]), ("has 2 outputs",)),
    "made twice": (made_twice, ("was there already",)),
    "cycle": (cycle, ("operator 0 (CONV_2D)", "made by no operator before it")),
    "no operators": (set_graph("operators", []), ("no operator makes the output",)),
    "output is input": (make_output_the_input, ("does not depend on its input",)),
    "constant input": (constant_input, ("the input, tensor 0", "is a constant")),
    "dilation": (set_option("CONV_2D", "dilationWFactor", 2), ("dilation of 1x2",)),
    "stride 0": (set_option("CONV_2D", "strideH", 0), ("strides of 0x1",)),
    "unknown padding": (set_option("CONV_2D", "padding", 7), ("padding number 7",)),
    "fused tanh": (set_option("CONV_2D", "fusedActivationFunction", 4), ("TANH", "RELU6")),
    "unknown activation": (set_option("CONV_2D", "fusedActivationFunction", 77), ("number 77",)),
    "groups": (set_tensor(0, "shape", [1, 28, 14, 2]), ("operator 0 (CONV_2D)", "groups")),
    "depth multiplier": (set_option("DEPTHWISE_CONV_2D", "depthMultiplier", 3), ("depth multiplier of 3",)),
    "shuffled weights": (set_option("FULLY_CONNECTED", "weightsFormat", 1), ("format 1",)),
    "softmax scale": (set_quantization(-1, "scale", [0.01], "SOFTMAX"), ("expected 1/256",)),
    "beta": (set_option("SOFTMAX", "beta", -1.0), ("beta -1.0",)),
    "options left out": (set_operator("builtinOptions", None), ("carries NONE, expected Conv2DOptions",)),
    "no options": (set_operator("builtinOptionsType", 0), ("carries NONE, expected Conv2DOptions",)),
    "schema": (lambda model: setattr(model, "version", 2), ("schema version 2",)),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_line_says_what_was_met_and_where(case: str) -> None:
    change, expected = WRONG[case]
    message = wrong(change)
    for words in expected:
        assert words in message


def refused(build: Builder, words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        build.read()


def test_refuses_sums_that_are_not_plain() -> None:
    build = Builder([1, 2, 2, 1])
    refused(build.add("ADD", build.tensor([1, 2, 2, 1]), build.constant([1], INT8), options="AddOptions"), "a constant")
    build = Builder([1, 2, 2, 1])
    build.add("MEAN", build.tensor([1, 1]), build.constant([1, 2]), options="ReducerOptions")
    refused(build.add("ADD", build.tensor([1, 2, 2, 1]), 0, options="AddOptions"), "broadcasting")
    build = Builder([1, 2, 2, 1])
    refused(build.add("MEAN", build.tensor([1, 2]), build.constant([3]), options="ReducerOptions"), r"along \[3\]")


def test_refuses_padding_of_channels_and_with_other_values() -> None:
    build = Builder([1, 2, 2, 1])
    paddings = build.constant([[0, 0], [0, 0], [0, 0], [1, 0]])
    refused(build.add("PAD", build.tensor([1, 2, 2, 2]), paddings), "only height and width")
    build = Builder([1, 2, 2, 1])
    nothing, value = build.constant(np.zeros((4, 2))), build.constant([9], INT8, zero_point=3)
    refused(build.add("PADV2", build.tensor([1, 2, 2, 1]), nothing, value), "pads with")


def test_refuses_shapes_that_do_not_fit() -> None:
    build = Builder([1, 2, 2, 1])
    refused(build.add("RESHAPE", build.tensor([1, 5])), "another number of values")
    build = Builder([1, 2, 2, 1])
    refused(build.add("RESHAPE", build.tensor([1, 4]), build.constant([4, 1])), r"told to make \[4, 1\]")
    build = Builder([1, 2, 2, 1])
    refused(build.add("RESHAPE", build.tensor([1, 4]), build.tensor([2], INT32)), "its buffer has 0")
    build = Builder([1, 2, 2, 1])
    refused(build.add("EXPAND_DIMS", build.tensor([1, 4]), build.constant(9)), "dimension 9")


def test_refuses_layers_that_would_need_more_than_is_compiled() -> None:
    build = Builder([1, 2, 2, 1])
    pool = {"strideW": 1, "strideH": 1, "filterWidth": 1, "filterHeight": 1}
    output = build.tensor([1, 2, 2, 1], scale=0.25)
    refused(build.add("AVERAGE_POOL_2D", output, options="Pool2DOptions", **pool), "must be the same")
    build = Builder([1, 2, 2, 3])
    output, kernel = build.tensor([1, 2, 2, 1]), build.constant([[1, 2, 3]], INT8)
    refused(build.add("FULLY_CONNECTED", output, kernel, options="FullyConnectedOptions"), "over the whole input")
    build = Builder([1, 2, 2, 1])
    output = build.tensor([1, 2, 2, 1], scale=1 / 256, zero_point=-128)
    refused(build.add("SOFTMAX", output, options="SoftmaxOptions", beta=1.0), "over one vector")
    build = Builder([1, 3])
    kernel = build.constant([[[[1]]]], INT8, zero_point=7)
    refused(build.add("CONV_2D", build.tensor([1, 3]), kernel, options="Conv2DOptions"), "a zero point of 7")


def test_an_attribute_of_a_later_schema_is_an_error() -> None:
    # PadOptions has no field here; read as ShapeOptions' bytes, it has one.
    build = Builder([1, 2, 2, 1])
    build.add("PAD", build.tensor([1, 2, 2, 1]), build.constant(np.zeros((4, 2))), options="ShapeOptions", outType=2)
    build.graph.operators[0].builtinOptionsType = schema.BuiltinOptions.PadOptions
    refused(build, "attribute that this edgedigits does not know")


def test_float_models_are_named() -> None:
    with pytest.raises(ArtifactUnsupported, match="float32 model, expected int8; export it with --precision int8"):
        read_graph(tflite_bytes(None, "float32"), "x")

    def dynamic_range(model: Any) -> None:
        for tensor in graph_of(model).tensors:
            constant = model.buffers[tensor.buffer].data is not None
            tensor.type = INT8 if constant and len(tensor.shape) == 2 else schema.TensorType.FLOAT32

    with pytest.raises(ArtifactUnsupported, match="dynamic-range"):
        read_graph(changed(tiny(), dynamic_range), "x")

    def float_border(model: Any) -> None:
        graph_of(model).tensors[0].type = schema.TensorType.FLOAT32

    with pytest.raises(ArtifactUnsupported, match="inference_input_type"):
        read_graph(changed(tiny(), float_border), "x")


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x00" * 100, b"not a model at all, but longer than a header"])
def test_what_is_no_tflite_file(content: bytes) -> None:
    with pytest.raises(ArtifactCorrupt, match=r"x\.tflite is (empty|no TFLite file)"):
        read_graph(content, "x.tflite")


def test_offsets_that_point_out_of_the_file() -> None:
    with pytest.raises(ArtifactCorrupt, match="damaged"):
        read_graph(b"\xff\xff\xff\x7fTFL3" + bytes(100), "x.tflite")


def survives(content: bytes) -> None:
    try:
        graph = read_graph(content, "x")
    except ArtifactError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
    else:
        assert graph.operators


@pytest.mark.parametrize("name", ["tiny", "pico"])
@given(data=st.data())
def test_damaged_files_are_refused_or_read(name: str, data: st.DataObject) -> None:
    content = bytearray(tiny() if name == "tiny" else strip_zip(shipped(name)))
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        content[place] = value
    survives(bytes(content))


@given(place=st.integers(0, 1_000_000), value=st.sampled_from([0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 60000]))
def test_lying_offsets_and_lengths_are_refused_or_read(place: int, value: int) -> None:
    content = bytearray(strip_zip(shipped("pico")))
    place = place * 4 % (len(content) - 4)
    content[place : place + 4] = value.to_bytes(4, "little")
    survives(bytes(content))


@given(length=st.integers(0, 30_000))
def test_truncated_files_are_refused_or_read(length: int) -> None:
    survives(tiny()[:length])
    survives(strip_zip(shipped("pico"))[:length])


@given(st.binary(max_size=400))
def test_noise_behind_an_identifier_is_refused(noise: bytes) -> None:
    survives(noise[:4].ljust(4, b"\0") + b"TFL3" + noise[4:])
