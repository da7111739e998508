"""Quantization-aware training computes what the int8 export will compute."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED, open_model
from edgedigits.recipes import get_recipe
from edgedigits_runtime.errors import EdgedigitsError

pytestmark = pytest.mark.slow


@settings(max_examples=50)
@given(low=st.floats(-9, 0), high=st.floats(0.1, 9), seed=st.integers(0, 99))
def test_values_are_rounded_to_256_levels_including_0(low: float, high: float, seed: int) -> None:
    from edgedigits.training.quantization import _rounded

    given = np.random.default_rng(seed).uniform(low - 1, high + 1, 400).astype(np.float32)
    given[0] = 0
    rounded = np.asarray(_rounded(given, np.float32(low), np.float32(high)))
    step = (high - low) / 255
    assert rounded[0] == 0
    assert len(np.unique(rounded)) <= 256
    inside = (given > low + step) & (given < high - step)
    assert np.abs(rounded - given)[inside].max(initial=0) <= 0.501 * step + 1e-6


def test_the_gradient_passes_the_rounding() -> None:
    import keras

    from edgedigits.training.quantization import Quantized

    network = get_recipe("pico").build((28, 28, 1), 10)
    from edgedigits.training.folding import fold_batch_normalisation

    network = fold_batch_normalisation(network)
    quantized = Quantized(network)
    images = np.random.default_rng(0).random((64, 28, 28, 1), np.float32)
    quantized.measure(images)
    before = [np.copy(weight) for weight in network.get_weights()]
    quantized.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    first, *_, last = quantized.fit(images, np.arange(64) % 10, epochs=20, verbose=0).history["loss"]
    assert last < first
    assert all((one != other).any() for one, other in zip(before, network.get_weights(), strict=True))


def test_simulated_int8_agrees_with_the_converted_file(mnist: Dataset, tmp_path: Path) -> None:
    from edgedigits.data.splits import SplitPlan, split
    from edgedigits.exporting.export import export_model
    from edgedigits.exporting.plan import ExportRequest
    from edgedigits.training.quantization import Quantized
    from edgedigits_exporters.conversion import choose_balanced
    from edgedigits_exporters.keras_file import load_model

    model = SHIPPED / "pico.keras"
    network, _ = load_model(model)
    parts = split(mnist, SplitPlan())
    calibration = choose_balanced(parts.train.images, parts.train.labels, "mnist/train")
    quantized = Quantized(network)
    quantized.measure(calibration.images / np.float32(255))
    export = export_model(ExportRequest(model, "tflite", "int8", tmp_path / "pico.tflite", verify=False))
    images = parts.validation.images[:2000]
    simulated = np.asarray(quantized.predict(images / np.float32(255), batch_size=500, verbose=0))
    real = open_model(export.path).run(images)
    assert (simulated.argmax(axis=1) == real.argmax(axis=1)).mean() >= 0.99
    floats = network.predict(images / np.float32(255), batch_size=500, verbose=0)
    assert np.abs(simulated - real).mean() < 0.7 * np.abs(floats - real).mean()
    # Logits may be rounded the other way, by a step of theirs; a probability moves by a few hundredths for each.
    assert np.abs(simulated - real).max() < 0.12
    assert np.abs(simulated - real).mean() < 2 / 256


def test_an_unsupported_layer_is_named() -> None:
    from edgedigits.training.quantization import Quantized

    network = get_recipe("pico").build((28, 28, 1), 10)
    with pytest.raises(EdgedigitsError, match=r"batch_normalization.*Conv2D"):
        Quantized(network)
