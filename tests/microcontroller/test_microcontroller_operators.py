"""Operators as C equal LiteRT in every value, with both kernels, for random shapes and quantization."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activation_limits import BOUNDS, Kernels, limits
from edgedigits_exporters.microcontroller.graph import Constant, Graph, Operator, Tensor, Window
from edgedigits_exporters.microcontroller.operands import BinaryOperator
from edgedigits_exporters.microcontroller.operators import load_operator
from edgedigits_exporters.microcontroller.operators.activation import Activation
from edgedigits_exporters.microcontroller.operators.add import Add
from edgedigits_exporters.microcontroller.operators.clamp import Clamp
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.operators.hard_swish import HardSwish
from edgedigits_exporters.microcontroller.operators.leaky_relu import LeakyRelu
from edgedigits_exporters.microcontroller.operators.mul import Mul, table_of_squares
from edgedigits_exporters.microcontroller.operators.pooling import Pool
from edgedigits_exporters.microcontroller.operators.reduction import Mean
from edgedigits_exporters.microcontroller.operators.reshape import Reshape
from edgedigits_exporters.microcontroller.operators.softmax import Softmax
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.writing.digits_c import digits_c
from edgedigits_runtime.errors import ArtifactUnsupported
from tests.support.compiled_c import CompiledC, contract_of, run_as_program, write_c
from tests.support.quantized_graphs import litert, tflite_of
from tests.support.random_graphs import FUNCTIONS, GROWERS, OWN_QUANTIZATION, random_graph, random_inputs

KERNELS: tuple[Kernels, ...] = ("xnnpack", "reference")
SEEDS = st.integers(0, 2**32 - 1)
BINARY = ("ADD", "SUB", "MUL", "PRELU")
LOOKED_UP = ("QUANTIZE", "RELU", "RELU6", *FUNCTIONS)
PICTURES = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD"),
    *("QUANTIZE", "RELU6", "LOGISTIC", "LEAKY_RELU", "CONCATENATION", *BINARY),
)
ALL = (
    *("CONV_2D", "RELU6", "PAD", "DEPTHWISE_CONV_2D", "ADD", "MAX_POOL_2D", "QUANTIZE", "HARD_SWISH", "CONCATENATION"),
    *("SUB", "AVERAGE_POOL_2D", "PRELU", "RELU", "MUL"),
)
TAILS = (
    ("RESHAPE", "FULLY_CONNECTED", "SOFTMAX"),
    ("MEAN", "FULLY_CONNECTED", "LOGISTIC", "MUL"),
    ("REDUCE_MAX", "TANH", "ADD"),
    ("RESHAPE", "RESHAPE", "CONV_2D"),
)
SANITIZED = ("-O1", "-g", "-fsanitize=undefined,address", "-fno-sanitize-recover")


def assert_same(graph: Graph, seed: int, *compiler: str) -> None:
    """Compare C with LiteRT; the C is made from the file, as for a user."""
    content = tflite_of(graph)
    inputs = random_inputs(graph, seed)
    for kernels in KERNELS:
        with tempfile.TemporaryDirectory() as folder:
            compiled = CompiledC(write_c(read_graph(content, "x"), kernels, Path(folder)), *compiler)
            np.testing.assert_array_equal(compiled(inputs), litert(content, inputs, kernels), f"{kernels}, {graph}")


def one_operator(kind: type[Operator], name: str, shape: tuple[int, int, int], **fields: object) -> Graph:
    """Return a graph of one operator; `fields` may replace its output."""
    taken = Tensor("taken", shape, 0.05, 3)
    made = fields.pop("output", Tensor("made", shape, 0.04, -7))
    operator = kind(name=name, position=0, inputs=(taken,), output=made, **fields)  # type: ignore[arg-type]
    return Graph(taken, (operator.output,), (operator,))


def dense(weights: NDArray[np.int8], zero_point: int = 0, scale: float = 0.01, **fields: object) -> Graph:
    """Return a graph of one FULLY_CONNECTED."""
    channels, length = weights.shape
    constants = {
        "window": Window((1, 1)),
        "weights": weights.reshape(channels, 1, 1, length),
        "weights_zero_point": zero_point,
        "weight_scales": np.full(channels, scale, np.float32),
        "bias": np.arange(channels, dtype=np.int32),
        "activation": "NONE",
    }
    output = Tensor("made", (1, 1, channels), 0.04, -7)
    return one_operator(Convolution, "FULLY_CONNECTED", (1, 1, length), **{"output": output, **constants, **fields})


def test_a_network_of_all_operators_equals_litert() -> None:
    assert_same(random_graph([*ALL, *TAILS[0]], 4, (9, 8, 2)), 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GROWERS if name not in ("RESHAPE", "SOFTMAX", *FUNCTIONS)])
@settings(max_examples=10)
@given(seed=SEEDS)
def test_one_operator(name: str, seed: int) -> None:
    assert_same(random_graph([name], seed), seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        *(("QUANTIZE", "ADD"), ("RESHAPE", "SOFTMAX"), ("CONV_2D", "RESHAPE", "RESHAPE", "PAD")),
        *(("QUANTIZE", "MUL", "CONCATENATION"), ("MEAN", "FULLY_CONNECTED", "CONCATENATION", "SUB", "PRELU")),
    ],
)
@settings(max_examples=6)
@given(seed=SEEDS)
def test_groups_of_operators(names: tuple[str, ...], seed: int) -> None:
    assert_same(random_graph(names, seed), seed)


def one_by_one(
    name: str,
    taken: Tensor,
    made: Tensor,
    weights: NDArray[np.int8],
    scales: NDArray[np.float32],
    **bias: NDArray[np.int32],
) -> Convolution:
    """Return a convolution with a window of a pixel; weights int8 [output channels, input channels]."""
    return Convolution(
        name=name,
        position=0,
        inputs=(taken,),
        output=made,
        window=Window((1, 1)),
        weights=weights[:, np.newaxis, np.newaxis],
        weights_zero_point=0,
        weight_scales=scales,
        bias=bias.get("bias", np.zeros(len(weights), np.int32)),
        activation="NONE",
    )


@pytest.mark.slow
@settings(max_examples=6)
@given(seed=SEEDS)
def test_many_scales_equal_litert_in_the_last_bit(seed: int) -> None:
    generator = np.random.default_rng(seed)
    channels = 200
    taken, made = Tensor("taken", (4, 4, 8), *quantized(generator)), Tensor("made", (4, 4, channels), 0.1, 5)
    flat = Tensor("flat", (1, 1, 16 * channels), made.scale, made.zero_point)
    ratio = np.exp(generator.uniform(-9, -5, channels))
    scales = (ratio * made.scale / taken.scale).astype(np.float32)
    biases = np.rint(generator.normal(0, 60, channels) / ratio).astype(np.int32)
    weights = generator.integers(-128, 128, (channels, 8)).astype(np.int8)
    convolution = one_by_one("CONV_2D", taken, made, weights, scales, bias=biases)
    assert_same(Graph(taken, (flat,), (convolution, Reshape("RESHAPE", 1, (made,), flat))), seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
@settings(max_examples=6)
@given(seed=SEEDS)
def test_operators_on_pairs_of_random_values(name: str, seed: int) -> None:
    """Two convolutions make independent inputs."""
    generator = np.random.default_rng(seed)
    (scale, zero), (other_scale, other_zero) = quantized(generator), quantized(generator)
    taken = Tensor("taken", (40, 40, 2), scale, zero)
    first, second = Tensor("first", (40, 40, 1), scale, zero), Tensor("second", (40, 40, 1), other_scale, zero)
    usual = 30 * scale * other_scale if name == "MUL" else max(scale, other_scale)
    made = Tensor("made", (40, 40, 1), usual * float(np.exp(generator.uniform(-1, 1))), other_zero)
    flat = Tensor("flat", (1, 1, 1600), made.scale, made.zero_point)
    kept = np.array([other_scale / scale], np.float32)
    kind: type[BinaryOperator] = Mul if name == "MUL" else Add
    operators = (
        one_by_one("CONV_2D", taken, first, np.array([[1, 0]], np.int8), np.ones(1, np.float32)),
        one_by_one("CONV_2D", taken, second, np.array([[0, 1]], np.int8), kept),
        kind(name, 2, (first, second), made, str(generator.choice(["NONE", "RELU", "RELU6"]))),
        Reshape("RESHAPE", 3, (made,), flat),
    )
    assert_same(Graph(taken, (flat,), operators), seed)


def quantized(generator: np.random.Generator) -> tuple[float, int]:
    """Return a scale and a zero point."""
    scale = generator.choice([2.0 ** generator.integers(-8, 0), np.exp(generator.uniform(-6, 0))])
    return float(np.float32(scale)), int(generator.integers(-128, 128))


@pytest.mark.parametrize("name", LOOKED_UP)
@settings(max_examples=30)
@given(seed=SEEDS)
def test_tables_equal_litert(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    taken, (scale, zero) = Tensor("taken", (1, 1, 256), *quantized(generator)), quantized(generator)
    ratio = generator.choice([taken.scale, 2 * taken.scale, scale])
    made = Tensor("made", (1, 1, 256), float(np.clip(ratio, taken.scale / 100, taken.scale * 200)), zero)
    if name == "LOGISTIC" or (name == "TANH" and generator.random() < 0.5):
        made = dataclasses.replace(made, scale=OWN_QUANTIZATION[name][0])
    fields: dict[str, object] = {}
    if name in ("QUANTIZE", "RELU", "RELU6"):
        fields = {"activation": "NONE" if name == "QUANTIZE" else name}
    elif name == "LEAKY_RELU":
        fields = {"alpha": float(np.float32(generator.choice([0.2, generator.normal(), 1e-5, 0])))}
    elif name == "GELU":
        fields = {"is_approximate": bool(generator.integers(2))}
    operator = FUNCTIONS.get(name, Clamp)(name, 0, (taken,), made, **fields)
    assert_same_table(operator, load_operator(name).table_of)


@given(seed=SEEDS, activation=st.sampled_from(list(BOUNDS)))
def test_squares_equal_litert(seed: int, activation: str) -> None:
    """XNNPACK computes a product of a tensor with itself in another way."""
    generator = np.random.default_rng(seed)
    taken, zero = Tensor("taken", (1, 1, 256), *quantized(generator)), int(generator.integers(-128, 128))
    scale = float(np.float32(taken.scale**2 * np.exp(generator.uniform(-2, 8))))
    operator = Mul("MUL", 0, (taken, taken), Tensor("made", (1, 1, 256), scale, zero), activation)
    assert_same_table(operator, table_of_squares)


def assert_same_table(operator: Operator, table_of: Callable[[Any, Kernels], NDArray[np.int64]]) -> None:
    """Compare the results of an operator for the 256 values with LiteRT's, without C."""
    content = tflite_of(Graph(operator.inputs[0], (operator.output,), (operator,)))
    for kernels in KERNELS:
        answers = litert(content, np.arange(-128, 128, dtype=np.int8)[np.newaxis], kernels)
        np.testing.assert_array_equal(table_of(operator, kernels), answers[0], f"{kernels}, {operator}")


@pytest.mark.slow
@settings(max_examples=30)
@given(names=st.lists(st.sampled_from(PICTURES), min_size=2, max_size=8), tail=st.sampled_from(TAILS), seed=SEEDS)
def test_random_networks(names: list[str], tail: tuple[str, ...], seed: int) -> None:
    assert_same(random_graph([*names, *tail], seed), seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "compiler",
    [
        "gcc -O1",
        "gcc -O3 -march=native",
        "gcc -Os",
        "gcc -O2 -U__SSE2__",
        "gcc -O2 -funsigned-char",
        "clang -O2",
        "clang -Os",
        "clang -O2 -march=native",
    ],
)
def test_compilers_and_flags(compiler: str) -> None:
    for seed, tail in enumerate(TAILS):
        assert_same(random_graph([*ALL, *tail], seed, (11, 10, 3)), seed, *compiler.split())


@pytest.mark.slow
@pytest.mark.parametrize("size", ["", "-U__SSE2__"])
@pytest.mark.parametrize("kernels", KERNELS)
def test_sanitizers_find_nothing(kernels: Kernels, size: str, tmp_path: Path) -> None:
    for seed, tail in enumerate(TAILS):
        content = tflite_of(random_graph([*ALL, *tail], seed, (7, 8, 2)))
        graph = read_graph(content, "x")
        folder = write_c(graph, kernels, tmp_path / str(seed))
        inputs = random_inputs(graph, seed)
        answers = run_as_program(folder, inputs, "gcc", *SANITIZED, *size.split())
        np.testing.assert_array_equal(answers, litert(content, inputs, kernels))


@pytest.mark.parametrize("name", ["CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "RELU6"])
def test_relu6_bound_half_way_between_two_steps(name: str) -> None:
    """XNNPACK and LiteRT's own kernels round the bound of ReLU6 differently."""
    scale = float(np.float32(6 / 36.5))
    half = Tensor("made", (1, 1, 1), scale, 4)
    assert limits("RELU6", half, "reference") == (4, 41)
    assert limits("RELU6", half, "xnnpack") == (4, 40)
    taken, made = (Tensor(place, (3, 3, 1), scale, 4) for place in ("taken", "made"))
    common = {"name": name, "position": 0, "inputs": (taken,), "output": made, "activation": "RELU6"}
    operators = {
        "CONV_2D": lambda: Convolution(
            **common,  # type: ignore[arg-type]
            window=Window((1, 1)),
            weights=np.ones((1, 1, 1, 1), np.int8),
            weights_zero_point=0,
            weight_scales=np.ones(1, np.float32),
            bias=np.zeros(1, np.int32),
        ),
        "RELU6": lambda: Clamp(**common),  # type: ignore[arg-type]
    }
    pool = lambda: Pool(**common, window=Window((1, 1)))  # type: ignore[arg-type]  # noqa: E731
    assert_same(Graph(taken, (made,), (operators.get(name, pool)(),)), 0)


def test_weights_with_a_zero_point() -> None:
    generator = np.random.default_rng(0)
    graph = dense(generator.integers(-128, 128, (6, 40)).astype(np.int8), zero_point=-9, scale=0.002)
    content = tflite_of(graph)
    read, inputs = read_graph(content, "x"), random_inputs(graph, 0, 200)
    with tempfile.TemporaryDirectory() as folder:
        answers = CompiledC(write_c(read, "reference", Path(folder)))(inputs)
    np.testing.assert_array_equal(answers, litert(content, inputs, "reference"))
    with pytest.raises(ArtifactUnsupported, match=r"operator 0 \(FULLY_CONNECTED\).* -9,.*--kernels reference"):
        make_program(read, "xnnpack")


def test_an_operator_that_changes_nothing_makes_no_layer() -> None:
    same = Tensor("made", (4, 4, 2), 0.05, 3)
    graph = one_operator(Clamp, "QUANTIZE", (4, 4, 2), output=same, activation="NONE")
    for kernels in KERNELS:
        assert make_program(graph, kernels).layers == ()


@pytest.mark.parametrize("kernels", KERNELS)
def test_uint8_at_another_scale_needs_reference_kernels(kernels: Kernels) -> None:
    graph = one_operator(Clamp, "QUANTIZE", (4, 4, 2), activation="NONE", all_int8=False)
    if kernels == "reference":
        assert len(make_program(graph, kernels).layers) == 1
        return
    with pytest.raises(ArtifactUnsupported, match=r"uint8.*--kernels reference"):
        make_program(graph, kernels)


def scaled_output(scale: float, shape: tuple[int, int, int] = (4, 4, 2)) -> Tensor:
    return Tensor("made", shape, scale, 0)


def added(scale: float) -> Graph:
    graph = one_operator(Add, "ADD", (4, 4, 2), output=scaled_output(scale), activation="NONE")
    (operator,) = graph.operators
    return dataclasses.replace(graph, operators=(dataclasses.replace(operator, inputs=(graph.input, graph.input)),))


def multiplied(scale: float) -> Graph:
    graph = one_operator(Mul, "MUL", (4, 4, 2), output=scaled_output(scale), activation="NONE")
    (operator,) = graph.operators
    constant = Constant("constant", (1, 1, 1), 0.05, 0, np.full((1, 1, 1), 9, np.int8))
    return dataclasses.replace(graph, operators=(dataclasses.replace(operator, constant=constant),))


def renamed(graph: Graph, name: str) -> Graph:
    (operator,) = graph.operators
    return dataclasses.replace(graph, operators=(dataclasses.replace(operator, name=name),))


REFUSED: dict[str, tuple[Graph, tuple[Kernels, ...], tuple[str, ...]]] = {
    "QUANTIZE by much": (
        one_operator(Clamp, "QUANTIZE", (4, 4, 2), output=scaled_output(0.05 / 200), activation="NONE"),
        ("xnnpack",),
        ("operator 0 (QUANTIZE)", "'made'", "200"),
    ),
    "ADD by much": (added(0.05 / 300), ("xnnpack",), ("operator 0 (ADD)", "300")),
    "ADD by far too much": (added(1e-8), ("xnnpack", "reference"), ("operator 0 (ADD)", "'made'")),
    "SUB by much": (renamed(added(0.05 / 300), "SUB"), ("xnnpack",), ("operator 0 (SUB)", "300")),
    "MUL by much": (multiplied(0.05 * 0.05 / 300), ("xnnpack", "reference"), ("operator 0 (MUL)", "'made'")),
    "MUL by little": (multiplied(0.05 * 0.05 * 1e5), ("xnnpack",), ("operator 0 (MUL)", "1e-05")),
    "LEAKY_RELU by much": (
        one_operator(LeakyRelu, "LEAKY_RELU", (4, 4, 2), output=scaled_output(0.05 / 20000), alpha=0.1),
        ("xnnpack", "reference"),
        ("operator 0 (LEAKY_RELU)", "4194304"),
    ),
    "TANH to tiny steps": (
        one_operator(Activation, "TANH", (4, 4, 2), output=scaled_output(1e-8)),
        ("xnnpack", "reference"),
        ("operator 0 (TANH)", "4194304"),
    ),
    "HARD_SWISH by much": (
        one_operator(HardSwish, "HARD_SWISH", (4, 4, 2), output=scaled_output(0.05 / 200)),
        ("xnnpack", "reference"),
        ("operator 0 (HARD_SWISH)", "0.00025"),
    ),
    "sums too large": (
        dense(np.full((2, 500), 127, np.int8), scale=1.0),
        ("xnnpack", "reference"),
        ("4194304",),
    ),
    "means too large": (
        one_operator(Mean, "MEAN", (4, 4, 2), output=scaled_output(1e-6, (1, 1, 2))),
        ("xnnpack", "reference"),
        ("4194304",),
    ),
    "many classes": (
        one_operator(Softmax, "SOFTMAX", (1, 1, 512), output=Tensor("made", (1, 1, 512), 1 / 256, -128), beta=1.0),
        ("reference",),
        ("512", "511"),
    ),
    "beta close to 0": (
        one_operator(Softmax, "SOFTMAX", (1, 1, 5), output=Tensor("made", (1, 1, 5), 1 / 256, -128), beta=1e-8),
        ("reference",),
        ("operator 0 (SOFTMAX)",),
    ),
    "a large window": (
        one_operator(
            Pool,
            "MAX_POOL_2D",
            (300, 1, 1),
            output=Tensor("made", (1, 1, 1), 0.05, 3),
            window=Window((300, 1)),
            activation="NONE",
        ),
        ("xnnpack", "reference"),
        ("300", "255"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_operators_that_cannot_be_exact_are_refused(name: str) -> None:
    graph, refusing, facts = REFUSED[name]
    for kernels in KERNELS:
        if kernels in refusing:
            with pytest.raises(ArtifactUnsupported) as caught:
                make_program(graph, kernels)
            assert all(fact in str(caught.value) for fact in facts)
        else:
            assert digits_c(make_program(graph, kernels), contract_of(graph), "/* A test. */")
