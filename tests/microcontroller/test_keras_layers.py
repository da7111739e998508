"""Layers of Keras models, exported to int8 and to C: both answer alike, with both kernels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedigits_exporters import tflite
from edgedigits_exporters.conversion import CalibrationSet
from edgedigits_exporters.keras_file import float_border, save_model
from edgedigits_exporters.microcontroller import c
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import open_engine
from tests.support.needs import needs

SHAPE = (12, 12, 1)
LABELS = tuple("0123456789")
OPERATORS = {
    *("MUL", "ADD", "SUB", "CONCATENATION", "REDUCE_MAX", "PRELU"),
    *("LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "GELU"),
}


def network() -> Any:
    """Return a Keras model with squeeze-and-excite blocks, branches, and every activation that C has as a table."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = layers.Input(SHAPE, name="image")
    start = layers.Conv2D(8, 3, padding="same")(layers.Rescaling(2, offset=-1)(image))
    x = layers.LeakyReLU()(start)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(gate))
    x = layers.Multiply()([x, gate])
    gate = layers.Dense(4, activation="silu")(layers.GlobalMaxPooling2D()(x))
    gate = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="hard_sigmoid")(gate))
    x = layers.Multiply()([x, gate])
    branches = [
        layers.Conv2D(4, 3, strides=2, padding="same", activation="hard_silu")(x),
        layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(4, 3, strides=2, padding="same")(x)),
        layers.PReLU()(layers.DepthwiseConv2D(3, strides=2, padding="same")(x)),
        layers.Conv2D(4, 1, strides=2, padding="same", activation="tanh")(x),
        layers.Conv2D(4, 3, strides=2, padding="same", activation="gelu")(x),
    ]
    branches.append(layers.Subtract()([branches[0], branches[1]]))
    x = layers.Concatenate()(branches)
    joined = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])
    return keras.Model(image, layers.Dense(10, activation="softmax")(joined))


@pytest.fixture(scope="module")
def int8_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as an int8 `.tflite` file."""
    folder = tmp_path_factory.mktemp("layers")
    contract = Contract("layers", *float_border(SHAPE, len(LABELS)), labels=LABELS)
    keras = save_model(network(), replace(contract, reader="plain"), folder / "layers.keras")
    calibration = CalibrationSet(images(100, 0), DataUsed("noise", 100, "sha256:none"))
    return tflite.export(keras, folder / "layers.tflite", tflite.TfliteOptions(calibration_set=calibration))


def images(count: int, seed: int) -> np.ndarray:
    """Return uint8 [count, ...]: noise around a different brightness in each, black and white."""
    generator = np.random.default_rng(seed)
    centres = generator.uniform(0, 255, (count, 1, 1, 1))
    made = centres + generator.normal(0, 60, (count, *SHAPE))
    made[:2] = [[[[0]]], [[[255]]]]
    return np.clip(made, 0, 255).astype(np.uint8)


@needs("cc")
@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
def test_keras_layers_equal_litert_in_every_value(int8_model: Path, kernels: Kernels, tmp_path: Path) -> None:
    graph = read_graph(int8_model.read_bytes(), "layers")
    assert {operator.name for operator in graph.operators} >= OPERATORS
    folder = c.export(int8_model, tmp_path / "layers-c", c.COptions(kernels=kernels))
    assert read_contract(folder).kernels == kernels
    tested = images(200, 1)
    with (
        open_engine(folder) as ours,
        open_engine(int8_model, options=EngineOptions(kernels=kernels)) as theirs,
    ):
        expected = theirs.invoke(theirs.feed(tested))
        np.testing.assert_array_equal(ours.invoke(ours.feed(tested)), expected)
    assert len(np.unique(expected, axis=0)) > 100
