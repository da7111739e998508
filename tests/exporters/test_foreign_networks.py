"""Networks of other people: what no recipe has exports too, and computes what Keras computes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits_exporters.conversion import PRECISIONS
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ConversionFailed

CLASSES = 5
GREY, COLOUR = (28, 28, 1), (28, 28, 3)
ROWS = (12, 12, 1)
"""Of recurrent networks, whose graphs have an operator for every row."""


def normalised(image: Any, layers: Any) -> Any:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).uniform(0, 1, (50, *image.shape[1:])).astype(np.float32))
    return layers.Flatten()(layers.Conv2D(4, 3)(layer(image)))


def squeeze_and_excite(image: Any, layers: Any) -> Any:
    pixels = layers.Conv2D(8, 3)(image)
    scales = layers.Dense(2, activation="relu")(layers.GlobalAveragePooling2D()(pixels))
    scales = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(scales))
    return layers.Flatten()(layers.Multiply()([pixels, scales]))


def attention(image: Any, layers: Any) -> Any:
    patches = layers.Reshape((-1, 16))(layers.Conv2D(16, 7, strides=7)(image))
    patches = layers.LayerNormalization()(patches + layers.MultiHeadAttention(2, 8)(patches, patches))
    return layers.GlobalAveragePooling1D()(patches)


def two_branches(image: Any, layers: Any) -> Any:
    flat = [layers.Flatten()(layers.Conv2D(4, 3)(image)) for _ in range(2)]
    return layers.Concatenate()([layers.Dense(4)(layers.Add()(flat)), layers.Dense(3)(flat[0])])


def two_lstms(image: Any, layers: Any) -> Any:
    return layers.LSTM(8)(layers.LSTM(8, return_sequences=True)(layers.Reshape((12, 12))(image)))


def both_directions(image: Any, layers: Any) -> Any:
    return layers.Bidirectional(layers.LSTM(4))(layers.Reshape((12, 12))(image))


def of(*names: str, **settings: dict[str, Any]) -> Callable[[Any, Any], Any]:
    """A network of layers in order, with the settings of each."""

    def body(pixels: Any, layers: Any) -> Any:
        for name in names:
            pixels = getattr(layers, name)(**{**DEFAULTS.get(name, {}), **settings.get(name, {})})(pixels)
        return pixels

    return body


DEFAULTS: dict[str, dict[str, Any]] = {
    "Conv2D": {"filters": 4, "kernel_size": 3},
    "Conv1D": {"filters": 4, "kernel_size": 3},
    "Conv2DTranspose": {"filters": 4, "kernel_size": 3, "strides": 2},
    "Reshape": {"target_shape": (12, 12)},
    "Rescaling": {"scale": 2.0, "offset": -1.0},
    "Cropping2D": {"cropping": ((1, 2), (3, 0))},
    "CenterCrop": {"height": 20, "width": 20},
    "Resizing": {"height": 20, "width": 20},
    "LSTM": {"units": 8},
    "GRU": {"units": 8},
    "SimpleRNN": {"units": 8},
    "RandomFlip": {},
    "Permute": {"dims": (2, 1, 3)},
    "GroupNormalization": {"groups": 2},
}

NETWORKS: dict[str, tuple[tuple[int, int, int], Callable[[Any, Any], Any]]] = {
    "rescaling": (COLOUR, of("Rescaling", "Conv2D", "GlobalAveragePooling2D")),
    "rescaling, flat": (COLOUR, of("Rescaling", "Conv2D", "Flatten")),
    "normalization": (COLOUR, normalised),
    "gelu": (GREY, of("Conv2D", "Flatten", Conv2D={"activation": "gelu"})),
    "swish": (COLOUR, of("Conv2D", "Flatten", Conv2D={"activation": "swish"})),
    "squeeze and excite": (COLOUR, squeeze_and_excite),
    "lstm": (ROWS, of("Reshape", "LSTM")),
    "lstm on lstm": (ROWS, two_lstms),
    "both directions": (ROWS, both_directions),
    "gru": (ROWS, of("Reshape", "GRU")),
    "rnn": (ROWS, of("Reshape", "SimpleRNN")),
    "cropping": (GREY, of("Conv2D", "Cropping2D", "Flatten")),
    "center crop": (COLOUR, of("CenterCrop", "Conv2D", "Flatten")),
    "layer normalization": (GREY, of("Conv2D", "Flatten", "LayerNormalization")),
    "group normalization": (GREY, of("Conv2D", "GroupNormalization", "Flatten")),
    "prelu": (GREY, of("Conv2D", "Flatten", "PReLU")),
    "attention": (GREY, attention),
    "resizing": (COLOUR, of("Resizing", "Conv2D", "Flatten")),
    "upsampling": (GREY, of("Conv2D", "UpSampling2D", "Flatten", Conv2D={"strides": 2})),
    "upsampling, bilinear": (
        GREY,
        of("Conv2D", "UpSampling2D", "Flatten", Conv2D={"strides": 2}, UpSampling2D={"interpolation": "bilinear"}),
    ),
    "transposed convolution": (GREY, of("Conv2D", "Conv2DTranspose", "Flatten", Conv2D={"strides": 2})),
    "convolution of rows": (ROWS, of("Reshape", "Conv1D", "GlobalMaxPooling1D")),
    "permuted": (GREY, of("Conv2D", "Permute", "Flatten")),
    "two branches": (GREY, two_branches),
    "mixed precision": (COLOUR, of("Conv2D", "Flatten", Conv2D={"dtype": "mixed_float16"})),
}  # fmt: skip

STATIC = {"gelu", "swish", "resizing", "upsampling, bilinear", "transposed convolution", "mixed precision"}
"""Networks whose graph keeps nothing that only moves pixels."""

LIMITS = {"float32": 2e-5, "float16": 5e-3, "int8": 0.06, "dynamic": 0.06}
"""Largest difference of a probability; that of float32 is rounding."""


def save(name: str, folder: Path) -> tuple[Any, Path]:
    """Write an untrained network as a `.keras` file; return its model too."""
    import keras

    from edgedigits_exporters.keras_file import float_border, load_bare, save_model

    keras.utils.set_random_seed(1)
    shape, body = NETWORKS[name]
    image = keras.Input(shape, name="image")
    model = keras.Model(image, keras.layers.Dense(CLASSES, activation="softmax")(body(image, keras.layers)))
    path = save_model(
        model, Contract("net", *float_border(shape, CLASSES), tuple("abcde"), reader="plain"), folder / "net.keras"
    )
    return load_bare(path), path


def pictures(model: Any) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (24, *model.input_shape[1:]), np.uint8)


def answers(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(model(images.astype(np.float32) / 255, training=False))


def convert(format: Any, source: Path, precision: str, images: NDArray[np.uint8]) -> Path:
    path = source.with_suffix(format.SUFFIX)
    # In this process, where TensorFlow is imported already; `export` converts in a child process.
    path.write_bytes(format.with_contract(*format.convert(source, None, precision, images)))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_equals_keras(name: str, tmp_path: Path) -> None:
    from edgedigits_exporters import onnx as exporter

    model, source = save(name, tmp_path)
    images = pictures(model)
    path, wanted = convert(exporter, source, "float32", images), answers(model, images)
    with open_engine(path) as engine:
        for count in (1, 3, len(images)):
            given = engine.invoke(engine.feed(images[:count]))
            assert given.shape == (count, CLASSES)
            assert np.abs(given - wanted[:count]).max() < LIMITS["float32"]
    notes = exporter.notes(path)
    assert (notes == []) == (name in STATIC), notes
    assert all("valid" in note for note in notes)


@pytest.mark.slow
@pytest.mark.parametrize("precision", [name for name in PRECISIONS if name != "float32"])
@pytest.mark.parametrize("name", ["lstm", "gru", "attention", "resizing", "transposed convolution", "two branches"])
def test_quantized_onnx_is_close_to_keras(name: str, precision: str, tmp_path: Path) -> None:
    from edgedigits_exporters import onnx as exporter

    model, source = save(name, tmp_path)
    images = pictures(model)
    with open_engine(convert(exporter, source, precision, images)) as engine:
        assert np.abs(engine.run(images) - answers(model, images)).max() < LIMITS[precision]


TFLITE = [
    *((name, "float32") for name in NETWORKS),
    *((name, "int8") for name in ("lstm", "gru", "attention", "resizing", "upsampling", "normalization")),
    *((name, precision) for name in ("lstm", "transposed convolution") for precision in ("float16", "dynamic")),
]


@pytest.mark.slow
# TensorFlow warns at every int8 conversion; in the child process the warning is not printed.
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
@pytest.mark.parametrize(("name", "precision"), TFLITE)
def test_tflite_equals_keras(name: str, precision: str, tmp_path: Path) -> None:
    from edgedigits_exporters import tflite as exporter

    model, source = save(name, tmp_path)
    images = pictures(model)
    path = convert(exporter, source, precision, images)
    with open_engine(path) as engine:
        assert np.abs(engine.run(images) - answers(model, images)).max() < LIMITS[precision]


@pytest.mark.slow
@pytest.mark.parametrize("format", ["onnx", "tflite"])
def test_an_operator_without_translation_is_named(format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgedigits_exporters import get_format

    def inverse(image: Any, layers: Any) -> Any:
        import keras

        return layers.Flatten()(keras.ops.erfinv(layers.Conv2D(2, 3, activation="tanh")(image)))

    monkeypatch.setitem(NETWORKS, "inverse", (GREY, inverse))
    model, source = save("inverse", tmp_path)
    with pytest.raises(ConversionFailed, match="Erfinv") as caught:
        convert(get_format(format), source, "float32", pictures(model))
    assert "\n" not in str(caught.value)
