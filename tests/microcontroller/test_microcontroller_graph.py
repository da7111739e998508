"""Int8 `.tflite` files as graphs of typed operators."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgedigits_exporters.microcontroller.activation_limits import Kernels, limits
from edgedigits_exporters.microcontroller.graph import Tensor, Window
from edgedigits_exporters.microcontroller.operators import OPERATORS
from edgedigits_exporters.microcontroller.operators.add import Add
from edgedigits_exporters.microcontroller.operators.clamp import Clamp
from edgedigits_exporters.microcontroller.operators.concatenation import Concatenation
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.operators.depthwise import Depthwise
from edgedigits_exporters.microcontroller.operators.mul import Mul
from edgedigits_exporters.microcontroller.operators.pad import Pad
from edgedigits_exporters.microcontroller.operators.pooling import Pool
from edgedigits_exporters.microcontroller.operators.reduction import Mean, ReduceMax
from edgedigits_exporters.microcontroller.operators.reshape import Reshape
from edgedigits_exporters.microcontroller.operators.softmax import Softmax
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_exporters.microcontroller.weights import WeightedOperator
from edgedigits_runtime.embedded_contract import strip_zip
from edgedigits_runtime.errors import ArtifactCorrupt
from tests.support.edited_tflite import INT8, INT32, SHIPPED, UINT8, Builder, graph_of, shipped, tiny, unpacked
from tests.support.quantized_graphs import tflite_of
from tests.support.tiny_models import weights

KERNELS: tuple[Kernels, ...] = ("xnnpack", "reference")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_are_parsed(name: str) -> None:
    graph = read_graph(shipped(name), name)
    assert (graph.input.shape, graph.output.shape) == ((28, 28, 1), (1, 1, 10))
    assert (graph.input.zero_point, graph.output.zero_point) == (-128, -128)
    made = {id(graph.input)}
    for operator in graph.operators:
        assert {id(tensor) for tensor in operator.inputs} <= made
        made.add(id(operator.output))
    assert graph.operators[-1].output is graph.output


@pytest.mark.parametrize("name", SHIPPED)
def test_weights_equal_the_file(name: str) -> None:
    model = unpacked(shipped(name))
    stored = graph_of(model)
    for operator in read_graph(shipped(name), name).operators:
        if isinstance(operator, WeightedOperator):
            inputs = stored.operators[operator.position].inputs
            kernel, bias = (stored.tensors[index] for index in inputs[1:3])
            assert operator.weights.tobytes() == bytes(model.buffers[kernel.buffer].data)
            assert operator.bias.tobytes() == bytes(model.buffers[bias.buffer].data)
            np.testing.assert_array_equal(operator.weight_scales, kernel.quantization.scale)
            assert operator.weight_scales.dtype == np.float32


def test_a_contract_behind_the_file_is_ignored() -> None:
    with_contract, without = (read_graph(content, "x") for content in (shipped("pico"), strip_zip(shipped("pico"))))
    assert len(shipped("pico")) > len(strip_zip(shipped("pico")))
    assert with_contract.output == without.output
    assert len(with_contract.operators) == len(without.operators)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_graph_survives_writing_and_parsing(name: str) -> None:
    first = read_graph(shipped(name), name)
    second = read_graph(tflite_of(first), name)
    assert [type(operator) for operator in second.operators] == [type(operator) for operator in first.operators]
    for one, other in zip(first.operators, second.operators, strict=True):
        for field in vars(one):
            if field not in ("position", "inputs", "output"):
                np.testing.assert_array_equal(getattr(one, field), getattr(other, field), field)
        assert one.output.shape == other.output.shape
        assert one.output.scale == pytest.approx(other.output.scale, rel=1e-7)


def test_dense_becomes_a_convolution_over_the_whole_input() -> None:
    graph = read_graph(tiny(), "tiny")
    reshape, dense, softmax = graph.operators
    assert isinstance(reshape, Reshape)
    assert isinstance(softmax, Softmax)
    assert softmax.beta == 1.0
    assert isinstance(dense, Convolution)
    assert dense.window == Window((1, 1))
    np.testing.assert_array_equal(dense.weights.reshape(10, 784), weights())
    assert dense.weight_scales.shape == (10,)


def test_dense_reads_a_picture_without_flattening() -> None:
    numbers = np.arange(24).reshape(2, 12) - 12
    build = Builder([1, 2, 2, 3])
    kernel = build.constant(numbers, INT8)
    dense = build.add("FULLY_CONNECTED", build.tensor([1, 2]), kernel, -1, options="FullyConnectedOptions").read_one()
    assert isinstance(dense, Convolution)
    assert dense.window == Window((2, 2))
    np.testing.assert_array_equal(dense.weights, numbers.reshape(2, 2, 2, 3))
    np.testing.assert_array_equal(dense.bias, [0, 0])


def test_dense_keeps_the_zero_point_of_its_weights() -> None:
    build = Builder([1, 3])
    kernel = build.constant([[1, 2, 3]], INT8, zero_point=7)
    dense = build.add("FULLY_CONNECTED", build.tensor([1, 1]), kernel, options="FullyConnectedOptions").read_one()
    assert isinstance(dense, Convolution)
    assert dense.weights_zero_point == 7


@given(
    taken=st.integers(1, 20),
    size=st.integers(1, 5),
    stride=st.integers(1, 4),
    same=st.booleans(),
)
def test_padding_equals_tensorflow(taken: int, size: int, stride: int, same: bool) -> None:
    made = -(-taken // stride) if same else (taken - size) // stride + 1
    build = Builder([1, taken, taken, 1])
    window = {"filterWidth": size, "filterHeight": size, "strideW": stride, "strideH": stride}
    output = build.tensor([1, max(made, 1), max(made, 1), 1])
    build.add("MAX_POOL_2D", output, options="Pool2DOptions", padding=0 if same else 1, **window)
    if made < 1:
        with pytest.raises(ArtifactCorrupt, match=f"{size} in {taken}"):
            build.read()
        return
    pool = build.read_one()
    assert isinstance(pool, Pool)
    (before, _), last = pool.window.before, (made - 1) * stride + size
    assert pool.window.before == (before, before)
    after = last - before - taken
    assert before == 0 and after <= 0 if not same else after - 1 <= before <= max(after, 0)


def test_depthwise_with_a_multiplier() -> None:
    build = Builder([1, 4, 4, 2])
    kernel = build.constant(np.arange(36).reshape(1, 3, 3, 4), INT8)
    options = {"options": "DepthwiseConv2DOptions", "padding": 1, "strideW": 1, "strideH": 1, "depthMultiplier": 2}
    made = build.add("DEPTHWISE_CONV_2D", build.tensor([1, 2, 2, 4]), kernel, **options).read_one()
    assert isinstance(made, Depthwise)
    assert made.multiplier == 2
    assert made.weights.shape == (1, 3, 3, 4)


@pytest.mark.parametrize(("axes", "keep"), [([1, 2], True), ([2, 1], False), ([-3, -2], False)])
def test_mean_over_height_and_width_is_parsed(axes: list[int], keep: bool) -> None:
    build = Builder([1, 4, 5, 2])
    output = build.tensor([1, 1, 1, 2] if keep else [1, 2], scale=0.25)
    made = build.add("MEAN", output, build.constant(axes), options="ReducerOptions", keepDims=keep).read_one()
    assert isinstance(made, Mean)
    assert made.output.shape == (1, 1, 2)


def test_add_of_a_tensor_to_itself() -> None:
    build = Builder([1, 2, 2, 1])
    made = build.add("ADD", build.tensor([1, 2, 2, 1]), 0, options="AddOptions").read_one()
    assert isinstance(made, Add)
    assert made.inputs[0] is made.inputs[1]


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 1, 3), (4, 1), (2, 4, 3), (1, 2, 1, 3)])
def test_a_constant_operand_is_aligned_with_the_output(shape: tuple[int, ...], is_first: bool) -> None:
    values = np.arange(np.prod(shape), dtype=np.int8).reshape(shape)
    build = Builder([1, 2, 4, 3])
    constant = build.constant(values, INT8, scale=0.25, zero_point=7)
    build.add("SUB", build.tensor([1, 2, 4, 3]), constant, options="SubOptions")
    if is_first:
        build.graph.operators[0].inputs = [constant, 0]
    made = build.read_one()
    assert isinstance(made, Add)
    assert made.constant is not None
    assert (made.constant.scale, made.constant.zero_point) == (0.25, 7)
    assert made.operands[0 if is_first else 1] is made.constant
    np.testing.assert_array_equal(
        np.broadcast_to(made.constant.values, (2, 4, 3)), np.broadcast_to(values, (1, 2, 4, 3))[0]
    )


def test_a_vector_scales_the_channels_of_a_picture() -> None:
    build = Builder([1, 2, 4, 3])
    build.add("REDUCE_MAX", build.tensor([1, 3]), build.constant([1, 2]), options="ReducerOptions")
    build.add("MUL", build.tensor([1, 2, 4, 3]), 0, options="MulOptions")
    largest, product = build.read().operators
    assert isinstance(largest, ReduceMax)
    assert isinstance(product, Mul)
    assert [tensor.shape for tensor in product.operands] == [(1, 1, 3), (2, 4, 3)]


@pytest.mark.parametrize(
    ("shape", "axis", "side", "made"),
    [
        ([1, 2, 4, 3], 3, 2, [1, 2, 4, 6]),
        ([1, 2, 4, 3], -2, 1, [1, 2, 8, 3]),
        ([1, 2, 4, 3], 1, 0, [1, 4, 4, 3]),
        ([1, 2, 4], -1, 1, [1, 2, 8]),
        ([1, 4], 1, 2, [1, 8]),
    ],
)
def test_concatenation_along_each_axis(shape: list[int], axis: int, side: int, made: list[int]) -> None:
    build = Builder(shape)
    read = build.add("CONCATENATION", build.tensor(made), 0, options="ConcatenationOptions", axis=axis).read_one()
    assert isinstance(read, Concatenation)
    assert read.axis == side


@pytest.mark.parametrize("shape", [[1, 60], [1, 4, 15], [1, 1, 4, 15], [60]])
def test_an_input_of_another_shape_is_the_given_picture(shape: list[int]) -> None:
    build = Builder(shape)
    build.add("RELU", build.tensor(shape))
    graph = read_graph(build.pack(), "x", (4, 5, 3))
    assert graph.input.shape == (4, 5, 3)
    assert [operator.name for operator in graph.operators] == ["RESHAPE", "RELU"]
    assert graph.operators[0].inputs == (graph.input,)


@pytest.mark.parametrize("name", ["PAD", "PADV2"])
def test_pad_of_rows_and_columns(name: str) -> None:
    build = Builder([1, 2, 3, 1])
    others = [build.constant([[0, 0], [1, 2], [3, 0], [0, 0]])]
    if name == "PADV2":
        others.append(build.constant([3], INT8, zero_point=3))
    made = build.add(name, build.tensor([1, 5, 6, 1]), *others).read_one()
    assert isinstance(made, Pad)
    assert (made.rows, made.columns) == ((1, 2), (3, 0))


@pytest.mark.parametrize(("name", "activation"), [("RELU", "RELU"), ("RELU6", "RELU6"), ("QUANTIZE", "NONE")])
def test_clamps_are_parsed(name: str, activation: str) -> None:
    build = Builder([1, 2, 2, 1], scale=0.25, zero_point=0)
    made = build.add(name, build.tensor([1, 2, 2, 1])).read_one()
    assert isinstance(made, Clamp)
    assert made.activation == activation


def test_squeeze_and_expand_dims_are_reshapes() -> None:
    build = Builder([1, 1, 1, 6])
    build.add("SQUEEZE", build.tensor([1, 6]), options="SqueezeOptions", squeezeDims=[1, 2])
    build.add("EXPAND_DIMS", build.tensor([1, 6, 1]), build.constant(-1))
    assert [(type(operator), operator.output.shape) for operator in build.read().operators] == [
        (Reshape, (1, 1, 6)),
        (Reshape, (6, 1, 1)),
    ]


def test_a_shape_computed_in_the_graph_is_folded() -> None:
    build = Builder([1, 2, 3, 1])
    build.graph.tensors[0].shapeSignature = [-1, 2, 3, 1]
    shape, batch, wanted = build.tensor([4], INT32), build.tensor([], INT32), build.tensor([2], INT32)
    first, second, values = build.constant([0]), build.constant([1]), build.constant(6)
    build.add("SHAPE", shape, options="ShapeOptions", outType=INT32)
    build.add("STRIDED_SLICE", batch, first, second, second, options="StridedSliceOptions", shrinkAxisMask=1)
    cast = build.tensor([], INT32)
    build.add("CAST", cast, options="CastOptions")
    build.add("PACK", wanted, values, options="PackOptions", valuesCount=2)
    build.last = 0
    build.add("RESHAPE", build.tensor([1, 6]), wanted)
    made = build.read_one()
    assert isinstance(made, Reshape)
    assert (made.position, made.output.shape) == (4, (1, 1, 6))


def test_uint8_input_and_output_become_int8_with_another_zero_point() -> None:
    build = Builder([1, 2, 2, 1], UINT8, zero_point=128)
    inside = build.tensor([1, 2, 2, 1], zero_point=0)
    graph = build.add("QUANTIZE", inside).add("QUANTIZE", build.tensor([1, 2, 2, 1], UINT8, zero_point=5)).read()
    assert (graph.input.zero_point, graph.output.zero_point) == (0, -123)


def test_an_input_of_three_dimensions_is_a_picture() -> None:
    build = Builder([1, 4, 5])
    graph = build.add("RESHAPE", build.tensor([1, 4, 5, 1]), build.constant([-1, 4, 5, 1])).read()
    assert graph.input.shape == (4, 5, 1)


def test_operators_with_unused_outputs_are_left_out() -> None:
    build = Builder([1, 4])
    build.add("RELU", build.tensor([1, 4]))
    build.last = 0
    build.add("RELU6", build.tensor([1, 4]))
    assert [operator.name for operator in build.read().operators] == ["RELU6"]


@given(scale=st.floats(2.0**-140, 2.0**100, width=32), zero_point=st.integers(-128, 127))
@example(scale=0.5, zero_point=-128)
def test_limits_are_within_int8_and_include_zero(scale: float, zero_point: int) -> None:
    output = Tensor("t", (1, 1, 1), scale, zero_point)
    for name in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"):
        for kernels in KERNELS:
            low, high = limits(name, output, kernels)
            assert -128 <= low <= zero_point <= high <= 127


def test_limits_round_as_the_kernels_do() -> None:
    # 1 / 0.4 in float32 is 2.5, and 6 / 0.4 is 15.
    half = Tensor("t", (1, 1, 1), 0.4, 0)
    assert limits("RELU_N1_TO_1", half, "reference") == (-3, 3)
    assert limits("RELU_N1_TO_1", half, "xnnpack") == (-2, 2)
    for kernels in KERNELS:
        assert limits("RELU6", Tensor("t", (1, 1, 1), 0.4, -128), kernels) == (-128, -113)


def test_common_operators_are_known() -> None:
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "FULLY_CONNECTED"} <= set(
        OPERATORS
    )
    assert {"FULLY_CONNECTED", "ADD", "PAD", "RESHAPE", "QUANTIZE", "SOFTMAX", "RELU", "RELU6"} <= set(OPERATORS)
    assert {"MUL", "SUB", "PRELU", "CONCATENATION", "REDUCE_MAX"} <= set(OPERATORS)
    assert {"ABS", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "TANH"} <= set(OPERATORS)


@pytest.mark.slow
def test_a_converted_model_with_a_dynamic_batch_is_parsed(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf
    from keras import layers

    image = keras.Input((12, 12))
    x = layers.Reshape((12, 12, 1))(image)
    x = layers.Conv2D(4, 3, padding="same", activation="relu6")(x)
    x = layers.Add()([x, layers.Conv2D(4, 3, padding="same")(x)])
    x = layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2)(layers.ZeroPadding2D(1)(x))
    x = layers.Flatten()(layers.AveragePooling2D(2)(x))
    model = keras.Model(image, layers.Dense(10, activation="softmax")(x))
    generator = np.random.default_rng(0)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([generator.random((1, 12, 12), np.float32)] for _ in range(8))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    with pytest.warns(UserWarning, match="Statistics"):
        content = converter.convert()
    graph = read_graph(content, "x")
    kinds = [type(operator) for operator in graph.operators]
    assert kinds == [
        *(Clamp, Reshape, Convolution, Convolution, Add, Pad, Depthwise, Pool, Reshape, Convolution, Softmax, Clamp),
    ]
    assert graph.input.shape == (12, 12, 1)
