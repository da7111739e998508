"""Graphs prepared for onnx2tf compute what they computed before, without the operators that it mistranslates."""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper, parser

from edgedigits_exporters.onnx_preparation import prepare
from edgedigits_runtime.errors import ConversionFailed


def model_of(text: str, opset: int = 17, **constants: NDArray[np.float32]) -> ModelProto:
    """A model in ONNX's text form, with constants."""
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> agraph {text}')
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    return model


def outputs(model: ModelProto, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    answer: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    return answer


def prepared_operators(model: ModelProto, sizes: Sequence[int]) -> list[str]:
    """Prepare a model, require equal outputs, and return the operators."""
    pixels = np.random.default_rng(0).normal(size=(1, *sizes)).astype(np.float32)
    before = outputs(model, pixels)
    changed = prepare(model, batched=True)
    np.testing.assert_allclose(outputs(changed, pixels), before, rtol=1e-5, atol=1e-5)
    return [node.op_type for node in changed.graph.node]


@settings(max_examples=60)
@given(
    side=st.integers(4, 9),
    window=st.integers(1, 4),
    stride=st.integers(1, 3),
    before=st.integers(0, 2),
    after=st.integers(0, 2),
    ceil=st.integers(0, 1),
    relu=st.booleans(),
    kind=st.sampled_from(["MaxPool", "AveragePool"]),
    counted=st.integers(0, 1),
)
def test_pools_of_any_padding_keep_their_values(
    side: int, window: int, stride: int, before: int, after: int, ceil: int, relu: bool, kind: str, counted: int
) -> None:
    assume(max(before, after) < window <= side)
    also = f", count_include_pad={counted}" if kind == "AveragePool" else ""
    pads = f"pads=[{before}, {before}, {after}, {after}], ceil_mode={ceil}{also}"
    pool = f"{kind} <kernel_shape=[{window}, {window}], strides=[{stride}, {stride}], {pads}>"
    model = model_of(
        f"(float[N, 2, {side}, {side}] x) => (float[N, 2, 1, 1] y)"
        f"{{ r = {'Relu' if relu else 'Identity'}(x) p = {pool}(r) n = Neg(p) y = GlobalAveragePool(n) }}"
    )
    for node in prepare(model_copy(model), batched=True).graph.node:
        names = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        if node.op_type == kind and kind == "MaxPool" and relu:
            assert not any(names.get("pads", []))
    prepared_operators(model, (2, side, side))


def model_copy(model: ModelProto) -> ModelProto:
    copied = ModelProto()
    copied.CopyFrom(model)
    return copied


@pytest.mark.parametrize(
    "body",
    [
        "a = Mul(x, e1) y = Mul(a, half)",
        "a = Mul(x, half) y = Mul(a, e1)",
        "a = Mul(half, e1) y = Mul(x, a)",
    ],
)
@pytest.mark.parametrize("opset", [9, 17, 20])
def test_a_gelu_of_erf_is_one_operator(body: str, opset: int) -> None:
    text = f"(float[N, 8] x) => (float[N, 8] y) {{ s = Div(x, root) e = Erf(s) e1 = Add(e, one) {body} }}"
    scalars = {"root": 2**0.5, "one": 1.0, "half": 0.5}
    model = model_of(text, opset, **{name: np.array(value, np.float32) for name, value in scalars.items()})
    assert prepared_operators(model, (8,)) == ["Gelu"]


def test_an_erf_of_something_else_stays() -> None:
    model = model_of("(float[N, 8] x) => (float[N, 8] y) { e = Erf(x) y = Mul(e, x) }")
    assert "Erf" in prepared_operators(model, (8,))


def test_hard_activations() -> None:
    body = "h = HardSwish(x) a = HardSigmoid <alpha=0.2, beta=0.4>(h) y = Mul(a, x)"
    found = prepared_operators(model_of(f"(float[N, 8] x) => (float[N, 8] y) {{ {body} }}"), (8,))
    assert "HardSwish" in found
    assert "HardSigmoid" not in found


@pytest.mark.parametrize("flatten", ["Flatten(r)", "Reshape(r, sizes)"])
@pytest.mark.parametrize("dense", ["Gemm(t, w, b)", "Gemm <transB=1>(t, v, b)", "MatMul(t, w)"])
def test_a_flattening_keeps_the_order_of_its_weights(flatten: str, dense: str) -> None:
    weights = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)
    model = model_of(
        "(float[N, 3, 4, 5] x) => (float[N, 4] y) { p = MaxPool <kernel_shape=[1, 1]>(x) r = Relu(p)"
        f" f = {flatten} t = Tanh(f) y = {dense} }}",
        w=weights, v=weights.T.copy(), b=np.ones(4, np.float32), sizes=np.array([-1, 60]),
    )  # fmt: skip
    assert prepared_operators(model, (3, 4, 5))[2:5] == ["Transpose", "Reshape", "Tanh"]


def test_a_flattening_of_the_input_stays() -> None:
    model = model_of(
        "(float[N, 3, 4, 5] x) => (float[N, 4] y) { f = Flatten(x) y = MatMul(f, w) }", w=np.ones((60, 4), np.float32)
    )
    assert "Transpose" not in prepared_operators(model, (3, 4, 5))


def test_log_probabilities_become_probabilities() -> None:
    model = model_of("(float[N, 8] x) => (float[N, 8] y) { y = LogSoftmax <axis=1>(x) }")
    pixels = np.random.default_rng(0).normal(size=(1, 8)).astype(np.float32)
    before = outputs(model, pixels)
    np.testing.assert_allclose(outputs(prepare(model, batched=True), pixels), np.exp(before), rtol=1e-5)


def test_a_gather_of_all_values_is_a_reshape() -> None:
    body = "m = ReduceMean <axes=[2, 3], keepdims=0>(x) r = Reshape(m, all) g = Gather(r, order) y = Neg(g)"
    model = model_of(
        f"(float[1, 3, 4, 5] x) => (float[1, 3] y) {{ {body} }}", 13,
        all=np.array([-1]), order=np.arange(3).reshape(1, 3),
    )  # fmt: skip
    assert "Gather" not in prepared_operators(model, (3, 4, 5))


def test_a_graph_for_several_images_at_once_is_refused() -> None:
    body = "r = Reshape(x, sizes) y = Gemm(r, w)"
    model = model_of(
        f"(float[4, 8] x) => (float[2, 3] y) {{ {body} }}", sizes=np.array([2, 16]), w=np.ones((16, 3), np.float32)
    )
    with pytest.raises(ConversionFailed, match="one image"):
        prepare(model, batched=True)


@pytest.mark.parametrize("last", ["Flatten", "GlobalAveragePool"])
def test_convolutions_along_one_axis_get_a_second(last: str) -> None:
    weights = np.random.default_rng(1).normal(size=(5, 6, 3)).astype(np.float32)
    text = f"""(float[N, 6, 8] x) => (float[N, M] y) {{
        c = Conv<kernel_shape = [3], pads = [1, 1]>(x, w)
        r = Relu(c)
        p = MaxPool<kernel_shape = [2], strides = [2]>(r)
        {"y = Flatten(p)" if last == "Flatten" else "g = GlobalAveragePool(p) y = Flatten(g)"}
    }}"""
    operators = prepared_operators(model_of(text, w=weights), (6, 8))
    # One Reshape in front, and what was the Flatten behind.
    assert operators.count("Reshape") + operators.count("Flatten") == 2
