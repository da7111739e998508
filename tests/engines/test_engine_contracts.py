"""LiteRT follows each field of a contract: layout, normalisation, polarity and kind of output."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import LAYOUTS, Contract, Normalisation, OutputKind, Polarity, Scaling, Tensor
from edgedigits_runtime.embedded_contract import append_zipped
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.golden import golden_path, read_golden, replay, write_golden
from edgedigits_runtime.reading.reader import Reader
from tests.support.edited_tflite import FLOAT32, INT8, UINT8, Builder

HEIGHT, WIDTH, CLASSES = 9, 8, 10
OPERATORS = {
    "probabilities": "SOFTMAX",
    "log-probabilities": "LOG_SOFTMAX",
    "sigmoid": "LOGISTIC",
    "sigmoids": "LOGISTIC",
}
"""The last operator for each kind of output; logits have none."""

Floats = NDArray[np.float64]


def contract_of(
    layout: str = "NHWC",
    kind: OutputKind = "logits",
    dtype: str = "float32",
    quantization: tuple[float, int] = (1 / 64, 0),
    **changes: Any,
) -> Contract:
    """Return the contract of a model for images with three channels if the layout has channels, else one."""
    sizes = {"N": 1, "H": HEIGHT, "W": WIDTH, "C": 3, "F": HEIGHT * WIDTH * 3}
    shape = tuple(sizes[axis] for axis in layout)
    values = 1 if kind == "sigmoid" else CLASSES
    scale, zero = (None, None) if dtype == "float32" else quantization
    own = Contract(
        name="own",
        input=Tensor("t0", shape, dtype, scale, zero),
        output=Tensor("out", (1, values) if "N" in layout else (values,), "float32"),
        labels=tuple("01" if kind == "sigmoid" else "0123456789"),
        layout=layout,
        image=(HEIGHT, WIDTH, 3) if "F" in layout else None,
        output_kind=kind,
        format="tflite",
    )
    return dataclasses.replace(own, **changes)


def matrix_of(own: Contract) -> NDArray[np.float32]:
    """Return weights [values, inputs]."""
    inputs = int(np.prod(own.image_shape))
    return np.random.default_rng(5).normal(0, 2 / inputs**0.5, (own.output.shape[-1] or 0, inputs)).astype(np.float32)


def write_model(own: Contract, folder: Path) -> Path:
    """Write a dense layer, and what the kind of output needs, with the contract inside."""
    kinds = {"float32": FLOAT32, "int8": INT8, "uint8": UINT8}
    shape = [size or 1 for size in own.input.shape]
    build = Builder(shape, kinds[own.input.dtype], own.input.scale or 1, own.input.zero_point or 0)
    if own.input.dtype != "float32":
        build.add("DEQUANTIZE", build.tensor(shape, FLOAT32), version=2)
    matrix = matrix_of(own)
    values, inputs = matrix.shape
    build.add("RESHAPE", build.tensor([1, inputs], FLOAT32), build.constant([1, inputs]))
    weights = build.constant(matrix, FLOAT32)
    build.add(
        "FULLY_CONNECTED", build.tensor([1, values], FLOAT32), weights, -1, options="FullyConnectedOptions", version=1
    )
    if own.output_kind in OPERATORS:
        softmax = {"options": "SoftmaxOptions", "beta": 1.0} if own.output_kind == "probabilities" else {}
        build.add(OPERATORS[own.output_kind], build.tensor([1, values], FLOAT32), **softmax)
    if "N" not in own.layout:
        build.add("RESHAPE", build.tensor([values], FLOAT32), build.constant([values]))
    path = folder / "own.tflite"
    path.write_bytes(append_zipped(build.pack(), own))
    return path


def images_of(own: Contract, count: int = 12) -> NDArray[np.uint8]:
    return np.random.default_rng(6).integers(0, 256, (count, *own.image_shape), np.uint8)


def expected(own: Contract, images: NDArray[np.uint8]) -> Floats:
    """Return the probabilities, computed with NumPy in float64."""
    pixels = 255.0 - images if own.polarity == "dark-on-bright" else images.astype(np.float64)
    if isinstance(own.normalisation, Scaling):
        real = pixels * np.array(own.normalisation.scale) + np.array(own.normalisation.offset)
    elif own.normalisation == "column-l2":
        real = pixels / np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1)
    else:
        real = pixels / 255
    if own.input.scale is not None and own.input.zero_point is not None:
        limits = np.iinfo(own.input.dtype)
        stored = np.clip(np.rint(real / own.input.scale) + own.input.zero_point, limits.min, limits.max)
        real = (stored - own.input.zero_point) * own.input.scale
    if "F" not in own.layout:
        kept = [axis for axis in own.layout if axis != "N"]
        real = real if "C" in kept else real[..., 0]
        present = "NHWC" if "C" in kept else "NHW"
        real = real.transpose([present.index(axis) for axis in ["N", *kept]])
    logits = real.reshape(len(images), -1) @ matrix_of(own).T.astype(np.float64)
    if own.output_kind == "sigmoid":
        second = 1 / (1 + np.exp(-logits))
        return np.concatenate([1 - second, second], axis=1)
    powers = 1 / (1 + np.exp(-logits)) if own.output_kind == "sigmoids" else np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def check(own: Contract, folder: Path, options: EngineOptions | None = None) -> None:
    images = images_of(own)
    with open_engine(write_model(own, folder), options=options) as engine:
        assert engine.contract == own
        assert engine.feed(images).shape == (len(images), *own.input.shape["N" in own.layout :])
        wanted = expected(own, images)
        np.testing.assert_allclose(engine.run_all(images), wanted, rtol=0, atol=2e-5)
        labelled = wanted[:, : len(own.labels)]
        np.testing.assert_allclose(engine.run(images), labelled, rtol=0, atol=2e-5)
        np.testing.assert_allclose(engine.run(images[:1]), labelled[:1], rtol=0, atol=2e-5)
    assert len(set(wanted.argmax(axis=1))) > 1


@pytest.mark.parametrize("polarity", ["bright-on-dark", "dark-on-bright"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: str, polarity: Polarity, tmp_path: Path) -> None:
    check(contract_of(layout, polarity=polarity), tmp_path)


@pytest.mark.parametrize("kind", ["logits", *OPERATORS])
def test_every_kind_of_output(kind: OutputKind, tmp_path: Path) -> None:
    check(contract_of(kind=kind, normalisation=Scaling((2 / 255,), (-1.0,))), tmp_path)


NINE = {"labels": tuple("012345678"), "non_digit": True}
"""Changes with which the last of ten outputs is that of a non-digit."""


@pytest.mark.parametrize("kind", ["logits", "probabilities", "log-probabilities", "sigmoids"])
def test_the_output_of_a_non_digit_is_hidden(kind: OutputKind, tmp_path: Path) -> None:
    scaling = Scaling((2 / 255,), (-1.0,))
    # The reader of digits would refuse these images, which are noise.
    own = contract_of(kind=kind, temperature=1.7, normalisation=scaling, reader="plain", **NINE)
    check(own, tmp_path)
    images, wanted = images_of(own), expected(own, images_of(own))
    powers = np.maximum(wanted, 1e-7) ** (1 / 1.7)
    with Classifier(open_engine(tmp_path / "own.tflite")) as classifier:
        assert classifier.predict(images).shape == (12, 9)
        np.testing.assert_allclose(classifier.predict(images).sum(axis=1), 1 - wanted[:, 9], atol=2e-5)
        confidences = classifier.confidences(images)
    np.testing.assert_allclose(confidences, (powers / powers.sum(axis=1, keepdims=True))[:, :9], atol=2e-5)


SCALINGS: dict[str, tuple[Normalisation, tuple[float, int]]] = {
    "raw pixels": (Scaling((1.0,), (0.0,)), (1.0, -128)),
    "-1 to 1": (Scaling((2 / 255,), (-1.0,)), (1 / 127, 0)),
    "by channel": (Scaling((1 / 58, 1 / 57, 1 / 56), (-2.1, -2.0, -1.8)), (0.0191, -16)),
    "column-l2": ("column-l2", (1 / 301, -120)),
    "out of range": (Scaling((1 / 100,), (0.5,)), (0.0131, -100)),
}
"""Normalisations, and an int8 input for each."""


@pytest.mark.parametrize("polarity", ["bright-on-dark", "dark-on-bright"])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("name", SCALINGS)
def test_quantized_inputs(name: str, dtype: str, polarity: Polarity, tmp_path: Path) -> None:
    normalisation, (scale, zero) = SCALINGS[name]
    taken = scale, zero + (128 if dtype == "uint8" else 0)
    layout = "NCHW" if name == "by channel" else "NHWC"
    # Sigmoids of raw pixels, which are large, would all be 0 or 1.
    kind: OutputKind = "log-probabilities" if name == "raw pixels" else "sigmoids"
    check(contract_of(layout, kind, dtype, taken, normalisation=normalisation, polarity=polarity), tmp_path)


@pytest.mark.parametrize(
    ("layout", "kind", "changes"), [("CHW", "sigmoid", {}), ("NF", "log-probabilities", {}), ("NHWC", "logits", NINE)]
)
def test_an_isolated_engine(layout: str, kind: OutputKind, changes: dict[str, Any], tmp_path: Path) -> None:
    own = contract_of(layout, kind, "uint8", (1 / 127, 128), normalisation=Scaling((2 / 255,), (-1.0,)), **changes)
    check(own, tmp_path, EngineOptions(isolation=Isolation()))


@pytest.mark.parametrize(("layout", "kind"), [("HW", "sigmoids"), ("F", "sigmoid"), ("NCHW", "logits")])
def test_golden_vectors_are_recorded_and_replayed(layout: str, kind: OutputKind, tmp_path: Path) -> None:
    own = contract_of(layout, kind, "uint8", (1.0, 0), normalisation=Scaling((1.0,), (0.0,)), polarity="dark-on-bright")
    path = write_model(own, tmp_path)
    with open_engine(path) as engine:
        reader = Reader(Classifier(engine))
        write_golden(reader, path)
        vectors = read_golden(golden_path(path))
        assert vectors["output"].shape == (len(vectors["framed"]), own.output.shape[-1])
        assert [(stage.stage, stage.detail) for stage in replay(vectors, reader)] == [
            (stage, "") for stage in ("framed", "input", "output", "text")
        ]
        vectors["output"][0, 0] += 1
        assert [stage.stage for stage in replay(vectors, reader) if not stage.alike] == ["output"]
