"""Outputs of another kind than the contract says are found on drawn pictures."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract, OutputKind, Tensor
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ContractInvalid
from edgedigits_runtime.foreign.output_kind import check_output_kind, check_values, drawn_images, kind_of_values
from edgedigits_runtime.golden import record
from edgedigits_runtime.preprocessing import dequantize, quantize
from edgedigits_runtime.reading.reader import Reader
from tests.support.tiny_models import contract, onnx_bytes

LOGITS = np.random.default_rng(0).normal(0, 4, (12, 10)).astype(np.float32)

logits = arrays.arrays(
    np.float32,
    st.tuples(st.integers(8, 16), st.integers(2, 30)),
    elements=st.floats(-20, 20, width=32),
    fill=st.nothing(),
)


def softmax(values: NDArray[Any]) -> NDArray[np.float32]:
    powers = np.exp(values - values.max(axis=1, keepdims=True), dtype=np.float64)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def logistic(values: NDArray[Any]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-values.astype(np.float64)))).astype(np.float32)


def stored_as(values: NDArray[np.float32], dtype: str, scale: float, zero_point: int) -> NDArray[np.float32]:
    """Return the real values that a quantized tensor has for `values`."""
    tensor = Tensor("output", (1, values.shape[1]), dtype, scale, zero_point)
    return dequantize(quantize(values, tensor), tensor)


VALUES: dict[OutputKind, NDArray[np.float32]] = {
    "probabilities": softmax(LOGITS),
    "logits": LOGITS,
    "log-probabilities": np.log(softmax(LOGITS)),
    "sigmoids": logistic(LOGITS),
    "sigmoid": logistic(LOGITS[:, :1]),
}


@settings(max_examples=30)
@given(logits, st.sampled_from([("int8", -128), ("uint8", 0)]))
def test_a_softmax_is_known_in_every_precision(values: NDArray[np.float32], stored: tuple[str, int]) -> None:
    exact = softmax(values)
    assert kind_of_values(exact) == "probabilities"
    assert kind_of_values(exact.astype(np.float16).astype(np.float32)) == "probabilities"
    dtype, zero_point = stored
    # The largest, 1, is stored as 255/256.
    assert kind_of_values(stored_as(exact, dtype, 1 / 256, zero_point), 1 / 256) == "probabilities"


@settings(max_examples=30)
@given(logits)
def test_a_log_softmax_is_known_in_every_precision(values: NDArray[np.float32]) -> None:
    with np.errstate(divide="ignore"):
        exact = np.log(softmax(values - values.mean()))
        # One class at 1 has the logarithm 0, and the others -infinity.
        sure = np.log(np.eye(values.shape[1], dtype=np.float32))
    assert kind_of_values(exact) == "log-probabilities"
    # As LiteRT's LOG_SOFTMAX stores it.
    assert kind_of_values(stored_as(exact, "int8", 1 / 16, 127), 1 / 16) == "log-probabilities"
    assert kind_of_values(sure) == "log-probabilities"


@given(arrays.arrays(np.float32, (9, 1), elements=st.floats(-20, 20, width=32)))
def test_one_output_is_a_sigmoid_or_nothing(values: NDArray[np.float32]) -> None:
    assert kind_of_values(logistic(values)) == "sigmoid"
    assert kind_of_values(stored_as(logistic(values), "uint8", 1 / 256, 0), 1 / 256) == "sigmoid"
    assert kind_of_values(np.concatenate([values, [[-1.0]]])) is None


def test_quantized_logits_and_sigmoids_are_known() -> None:
    assert kind_of_values(stored_as(LOGITS, "int8", 0.15, 3), 0.15) == "logits"
    assert kind_of_values(stored_as(logistic(LOGITS), "int8", 1 / 256, -128), 1 / 256) == "sigmoids"


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("kind", VALUES)
def test_values_that_are_not_finite_are_refused(kind: OutputKind, broken: float) -> None:
    values = VALUES[kind].copy()
    values[3, 0] = broken
    assert kind_of_values(values) is None
    with pytest.raises(ContractInvalid, match="no kind"):
        check_values(values, stating(kind), "a.onnx")


def stating(kind: OutputKind) -> Contract:
    one = kind == "sigmoid"
    tensor = Tensor("output", (None, 1 if one else 10), "float32")
    return contract(output_kind=kind, output=tensor, labels=("no", "yes") if one else contract().labels)


@pytest.mark.parametrize(
    ("stated", "found", "named"),
    [
        ("probabilities", "logits", "are logits"),
        ("probabilities", "log-probabilities", "are log-probabilities"),
        ("probabilities", "sigmoids", "are independent sigmoids"),
        ("logits", "probabilities", "are probabilities"),
        ("log-probabilities", "probabilities", "are probabilities"),
        ("log-probabilities", "sigmoids", "are independent sigmoids"),
        ("sigmoids", "logits", "are logits"),
        ("sigmoids", "log-probabilities", "are log-probabilities"),
    ],
)
def test_another_kind_than_stated_is_an_error_that_names_it(stated: OutputKind, found: OutputKind, named: str) -> None:
    assert kind_of_values(VALUES[found]) == found
    with pytest.raises(ContractInvalid, match=rf"a\.onnx: .*output_kind {stated}.* {named}"):
        check_values(VALUES[found], stating(stated), "a.onnx")


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        *((kind, kind) for kind in VALUES),
        # Converted to the same probabilities.
        ("logits", "log-probabilities"),
        ("log-probabilities", "logits"),
        ("sigmoids", "probabilities"),
        # Small logits.
        ("logits", "sigmoids"),
    ],
)
def test_kinds_that_give_the_same_probabilities_are_accepted(stated: OutputKind, found: OutputKind) -> None:
    check_values(VALUES[found], stating(stated), "a.onnx")


def test_an_opened_model_is_checked(tiny_model: Path) -> None:
    with open_engine(tiny_model) as engine:
        check_output_kind(engine, "tiny")
        engine.contract = dataclasses.replace(engine.contract, output_kind="logits")
        with pytest.raises(ContractInvalid, match=r"tiny: .* are probabilities"):
            check_output_kind(engine, "tiny")


def test_golden_vectors_of_a_wrong_contract_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_bytes(contract(output_kind="logits")))
    with pytest.raises(ContractInvalid, match="are probabilities"):
        record(Reader(Classifier(open_engine(path))))


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (20, 30, 1), (8, 8, 3)])
def test_pictures_are_drawn_in_the_size_of_the_model(shape: tuple[int, int, int]) -> None:
    images = drawn_images(shape)
    assert images.shape == (12, *shape) and images.dtype == np.uint8
    assert len(np.unique(images.reshape(12, -1), axis=0)) == 12
