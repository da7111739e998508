"""Pixels to tensors and back agree with direct formulas, for all inputs."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits_runtime.contract import LAYOUTS, Scaling, Tensor
from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.preprocessing import (
    apply_temperature,
    arrange,
    as_batch,
    dequantize,
    normalise,
    pixel_table,
    probabilities_of,
    quantize,
)
from tests.support.tiny_models import contract

ALL_PIXELS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
images = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=4, max_dims=4, max_side=6), elements=st.integers(0, 255))


@st.composite
def stored_tensors(draw: st.DrawFn) -> Tensor:
    dtype = draw(st.sampled_from(["int8", "uint8"]))
    low = -128 if dtype == "int8" else 0
    return Tensor("t", (1,), dtype, draw(st.floats(1e-4, 10)), draw(st.integers(low, low + 255)))


@given(tensor=stored_tensors(), fractions=st.lists(st.floats(0, 1), min_size=1))
def test_quantizing_is_off_by_half_a_step_at_most(tensor: Tensor, fractions: list[float]) -> None:
    limits = np.iinfo(tensor.dtype)
    assert tensor.scale is not None
    assert tensor.zero_point is not None
    low = (limits.min - tensor.zero_point) * tensor.scale
    high = (limits.max - tensor.zero_point) * tensor.scale
    values = np.array([low + fraction * (high - low) for fraction in fractions], np.float32)
    stored = quantize(values, tensor)
    assert stored.dtype == tensor.dtype
    error = np.abs(dequantize(stored, tensor) - values)
    # A float32 has 24 bits, some of which are lost in sums and quotients.
    assert error.max() <= tensor.scale * (0.5 + 1e-4)


@given(tensor=stored_tensors())
def test_stored_values_survive_a_round_trip(tensor: Tensor) -> None:
    limits = np.iinfo(tensor.dtype)
    every = np.arange(limits.min, limits.max + 1).astype(tensor.dtype)
    np.testing.assert_array_equal(quantize(dequantize(every, tensor), tensor), every)


@given(tensor=stored_tensors(), values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1))
def test_values_out_of_range_saturate_and_keep_their_order(tensor: Tensor, values: list[float]) -> None:
    ordered = np.sort(np.array(values, np.float32))
    assert (np.diff(quantize(ordered, tensor).astype(int)) >= 0).all()


def test_shipped_models_store_pixels_minus_128() -> None:
    tensor = Tensor("image", (1, 16, 16, 1), "int8", 1 / 255, -128)
    stored = quantize(normalise(ALL_PIXELS, "unit"), tensor)
    np.testing.assert_array_equal(stored.astype(int), ALL_PIXELS.astype(int) - 128)


def test_halves_are_rounded_to_even() -> None:
    tensor = Tensor("t", (1,), "int8", 1.0, 0)
    assert quantize(np.array([-1.5, -0.5, 0.5, 1.5, 2.5], np.float32), tensor).tolist() == [-2, 0, 0, 2, 2]


def test_float_tensors_pass_through() -> None:
    tensor = Tensor("t", (1,), "float32")
    values = np.array([0.25, -3.0], np.float32)
    assert quantize(values, tensor) is values
    assert dequantize(values, tensor) is values
    assert dequantize(values.astype(np.float16), tensor).dtype == np.float32


@given(images)
def test_unit_is_pixel_by_255(batch: NDArray[np.uint8]) -> None:
    scaled = normalise(batch, "unit")
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, batch.astype(np.float32) / np.float32(255))
    assert scaled.min() >= 0
    assert scaled.max() <= 1


@given(images)
def test_column_l2_gives_each_column_unit_length_or_zero(batch: NDArray[np.uint8]) -> None:
    scaled = normalise(batch, "column-l2")
    assert scaled.dtype == np.float32
    count, _, width, channels = batch.shape
    for image, column, channel in np.ndindex(count, width, channels):
        pixels = [float(value) for value in batch[image, :, column, channel]]
        length = sum(pixel**2 for pixel in pixels) ** 0.5 or 1.0
        direct = [pixel / length for pixel in pixels]
        np.testing.assert_allclose(scaled[image, :, column, channel], direct, rtol=1e-6)


def test_a_column_of_zeros_stays_zero() -> None:
    batch = np.zeros((1, 4, 2, 1), np.uint8)
    batch[0, :, 1, 0] = [0, 3, 4, 0]
    scaled = normalise(batch, "column-l2")[0, :, :, 0]
    assert scaled[:, 0].tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(scaled[:, 1], [0, 0.6, 0.8, 0])


@st.composite
def probabilities(draw: st.DrawFn, least: float = 0.0) -> NDArray[np.float32]:
    """Rows that sum to 1, of 2 to 12 classes."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(2, 12)))
    weights = draw(arrays.arrays(np.float64, shape, elements=st.floats(0.0, 1.0)))
    weights = weights + 1e-6
    weights = weights / weights.sum(axis=1, keepdims=True)
    return ((1 - least * shape[1]) * weights + least).astype(np.float32)


@given(given=probabilities(), temperature=st.floats(0.25, 4))
def test_calibration_keeps_the_order_and_sums_to_one(given: NDArray[np.float32], temperature: float) -> None:
    calibrated = apply_temperature(given, temperature)
    assert calibrated.dtype == np.float32
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-5)
    for before, after in zip(given, calibrated, strict=True):
        assert (np.diff(after[np.argsort(before)]) >= -1e-7).all()


@given(given=probabilities(least=1 / 400))
def test_temperature_one_keeps_the_probabilities(given: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(apply_temperature(given, 1.0), given, atol=1e-5)


@given(given=probabilities(least=1 / 400), temperature=st.floats(0.25, 4))
def test_calibration_is_softmax_of_the_log_by_the_temperature(given: NDArray[np.float32], temperature: float) -> None:
    powers = given.astype(np.float64) ** (1 / temperature)
    np.testing.assert_allclose(
        apply_temperature(given, temperature), powers / powers.sum(axis=1, keepdims=True), atol=1e-5
    )


def test_a_higher_temperature_is_less_sure_and_a_quantized_zero_stays_finite() -> None:
    sure = np.array([[255 / 256, 1 / 256, 0, 0]], np.float32)
    tops = [float(apply_temperature(sure, temperature).max()) for temperature in (0.5, 1.0, 2.0, 4.0)]
    assert tops == sorted(tops, reverse=True)
    assert np.isfinite(apply_temperature(sure, 0.25)).all()


def test_a_quantized_zero_counts_as_half_a_step() -> None:
    sure = np.array([[1, 0]], np.float32)
    np.testing.assert_allclose(apply_temperature(sure, 1.0, 1 / 256), [[512 / 513, 1 / 513]], rtol=1e-6)
    np.testing.assert_allclose(apply_temperature(sure, 1.0), [[1, 1e-7]], rtol=1e-6)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3]))
def test_batches_of_the_right_shape_pass(count: int, height: int, width: int, channels: int) -> None:
    batch = np.zeros((count, height, width, channels), np.uint8)
    assert as_batch(batch, (height, width, channels)) is batch
    if channels == 1:
        assert as_batch(batch[..., 0], (height, width, 1)).shape == batch.shape


@pytest.mark.parametrize(
    ("batch", "shape", "fact"),
    [
        ([[0]], (28, 28, 1), "list"),
        (np.zeros((2, 28, 28), np.float32), (28, 28, 1), "float32"),
        (np.zeros((2, 28, 28), np.int64), (28, 28, 1), "int64"),
        (np.zeros((28, 28), np.uint8), (28, 28, 1), "[28, 28]"),
        (np.zeros((2, 28, 27), np.uint8), (28, 28, 1), "[2, 28, 27, 1]"),
        (np.zeros((2, 28, 28, 3), np.uint8), (28, 28, 1), "[2, 28, 28, 3]"),
        (np.zeros((2, 32, 32), np.uint8), (32, 32, 3), "[2, 32, 32]"),
        (np.zeros((0, 28, 28), np.uint8), (28, 28, 1), "one image"),
    ],
)
def test_other_batches_are_refused(batch: Any, shape: tuple[int, int, int], fact: str) -> None:
    with pytest.raises(ArrayError, match=re.escape(fact)):
        as_batch(batch, shape)


finite = st.floats(-300, 300, width=32)
scalings = st.builds(lambda scale, offset: Scaling((scale,), (offset,)), finite.filter(bool), finite)
normalisations = st.sampled_from(["unit"]) | scalings
polarities = st.sampled_from(["bright-on-dark", "dark-on-bright"])


@given(stored_tensors(), images, normalisations, polarities)
def test_the_pixel_table_stores_what_the_arithmetic_stores(
    tensor: Tensor, batch: NDArray[np.uint8], normalisation: Any, polarity: Any
) -> None:
    table = pixel_table(contract(input=tensor, normalisation=normalisation, polarity=polarity))
    assert table is not None
    stored = np.frombuffer(batch.tobytes().translate(table), tensor.dtype).reshape(batch.shape)
    np.testing.assert_array_equal(stored, quantize(normalise(batch, normalisation, polarity), tensor))


@pytest.mark.parametrize(
    ("tensor", "normalisation"),
    [
        (Tensor("t", (1,), "float32"), "unit"),
        (Tensor("t", (1,), "int16", 1 / 255, 0), "unit"),
        (Tensor("t", (1,), "int8", 1 / 255, -128), "column-l2"),
        (Tensor("t", (1,), "int8", 1 / 255, -128), Scaling((1.0, 2.0, 3.0), (0.0,))),
    ],
)
def test_no_pixel_table_for_wider_tensors_and_other_pixels(tensor: Tensor, normalisation: Any) -> None:
    assert pixel_table(contract(input=tensor, normalisation=normalisation)) is None


@given(images, polarities)
def test_scaling_is_by_channel(batch: NDArray[np.uint8], polarity: Any) -> None:
    channels = batch.shape[3]
    scaling = Scaling(tuple(np.linspace(0.1, 3, channels).tolist()), tuple(np.linspace(-2, 7, channels).tolist()))
    pixels = 255 - batch.astype(float) if polarity == "dark-on-bright" else batch.astype(float)
    expected = pixels * scaling.scale + scaling.offset
    np.testing.assert_allclose(normalise(batch, scaling, polarity), expected, rtol=1e-6, atol=1e-5)


@given(images, st.sampled_from(LAYOUTS))
def test_layouts_hold_the_same_values(batch: NDArray[np.uint8], layout: str) -> None:
    if "C" not in layout and "F" not in layout:
        batch = batch[..., :1]
    arranged = arrange(batch, layout)
    assert arranged.ndim == len(layout) + ("N" not in layout)
    channels_first = layout.endswith("CHW")
    back = arranged.transpose(0, 2, 3, 1) if channels_first else arranged
    np.testing.assert_array_equal(back.reshape(batch.shape), batch)


real_outputs = arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(2, 7)), elements=finite)


@given(real_outputs)
def test_logits_become_probabilities_with_the_same_order(logits: NDArray[np.float32]) -> None:
    probabilities = probabilities_of(logits, "logits")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    likeliest = np.take_along_axis(probabilities, logits.argmax(axis=1, keepdims=True), axis=1)
    np.testing.assert_array_equal(likeliest[:, 0], probabilities.max(axis=1))
    again = probabilities_of(np.log(np.maximum(probabilities, 1e-30)), "log-probabilities")
    np.testing.assert_allclose(again, probabilities, atol=1e-5)


def test_sigmoids_become_probabilities() -> None:
    one = np.array([[[0.25]], [[1.0]]], np.float32)
    np.testing.assert_array_equal(probabilities_of(one, "sigmoid"), [[0.75, 0.25], [0, 1]])
    several = np.array([[0.5, 1.0, 0.5], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(probabilities_of(several, "sigmoids"), [[0.25, 0.5, 0.25], [1 / 3] * 3])


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(2, 6))), st.floats(0.5, 4, exclude_min=False))
def test_a_stored_zero_of_sigmoids_counts_as_half_a_step(stored: NDArray[np.uint8], temperature: float) -> None:
    """The confidence is the one that C computes from a table of the stored values."""
    step = 1 / 256
    probabilities = probabilities_of(stored.astype(np.float32) * np.float32(step), "sigmoids", step)
    table = np.maximum(stored * step, step / 2) ** (1 / temperature)
    confidence = apply_temperature(probabilities, temperature)
    np.testing.assert_allclose(confidence, table / table.sum(axis=1, keepdims=True), atol=1e-5)
