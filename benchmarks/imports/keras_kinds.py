"""Kinds of Keras 3 model, as `.keras` and `.h5` files: every layer that people put into a small classifier."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.imports import bare, pictures
from benchmarks.imports.kind import (
    Feed,
    Kind,
    Source,
    column_l2,
    inverted,
    mnist_mean,
    raw,
    stated_for,
    symmetric,
    unit,
)
from benchmarks.imports.small_mnist import load
from benchmarks.imports.trained import INPUTS, base_layers, base_network, refed, trained

FEEDS: dict[str, Feed] = {
    "unit": unit, "raw": raw, "-1..1": symmetric, "mean and deviation": mnist_mean, "inverted": inverted,
}  # fmt: skip


def _source(path: Path, **options: Any) -> Source:
    """Return a source of digits whose answers Keras computes."""
    images, feed = pictures.compared_digits(), options.get("feed", unit)
    return Source(path, images, bare.answers(path, feed(images)), stated=stated_for(feed), **options)


def _base(place: Path, suffix: str = ".keras", given: str = "unit", end: str | None = "softmax") -> Source:
    path = place / f"model{suffix}"
    if not path.is_file():
        network = base_layers(end)
        network.set_weights(refed(base_network(place.parent), *INPUTS[given]))
        path.parent.mkdir(parents=True, exist_ok=True)
        network.save(path)
    return _source(path, feed=FEEDS[given], output="probabilities" if end else "logits")


def _layers(build: Callable[[Any], Any], place: Path, *, feed: Feed = unit, shape: Any = (28, 28, 1)) -> Source:
    """Train a network of digits; `build` returns its output from its input, without the last layer."""

    def network() -> Any:
        import keras

        given = keras.Input(shape)
        return keras.Model(given, keras.layers.Dense(10, activation="softmax")(build(given)))

    path = place / "model.keras"
    trained(path, network, feed=feed)
    return _source(path, feed=feed)


def _keras_layers() -> Any:
    import keras

    return keras.layers


def _start(x: Any, filters: int = 8, activation: str | None = "relu") -> Any:
    """Return 14x14 features of a picture."""
    return _keras_layers().Conv2D(filters, 3, strides=2, padding="same", activation=activation)(x)


def _end(x: Any) -> Any:
    layers = _keras_layers()
    return layers.Flatten()(layers.Conv2D(12, 3, strides=2, activation="relu")(x))


def rescaling(x: Any) -> Any:
    return _end(_start(_keras_layers().Rescaling(1 / 255)(x)))


def normalization(x: Any) -> Any:
    layers = _keras_layers()
    return _end(_start(layers.Normalization(axis=None, mean=33.3, variance=78.6**2)(x)))


def dense(x: Any) -> Any:
    layers = _keras_layers()
    return layers.Dense(48, activation="relu")(layers.Flatten()(x))


def lstm(x: Any) -> Any:
    return _keras_layers().LSTM(24)(x)


def gelu(x: Any) -> Any:
    return _end(_start(x, activation="gelu"))


def squeeze_and_excite(x: Any) -> Any:
    layers = _keras_layers()
    x = _start(x)
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(weights))
    return _end(layers.Multiply()([x, weights]))


def cropping(x: Any) -> Any:
    return _end(_start(_keras_layers().Cropping2D(2)(x)))


def layer_normalization(x: Any) -> Any:
    layers = _keras_layers()
    return layers.Dense(32, activation="relu")(layers.LayerNormalization()(layers.Flatten()(x)))


def attention(x: Any) -> Any:
    layers = _keras_layers()
    patches = layers.Reshape((16, 16))(layers.Conv2D(16, 7, strides=7)(x))
    seen = layers.MultiHeadAttention(2, 8)(patches, patches)
    return layers.Flatten()(layers.LayerNormalization()(layers.Add()([patches, seen])))


def transposed(x: Any) -> Any:
    return _end(_keras_layers().Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu")(_start(x)))


def upsampling(x: Any) -> Any:
    return _end(_keras_layers().UpSampling2D(2)(_start(x)))


def resizing(x: Any) -> Any:
    return _end(_start(_keras_layers().Resizing(20, 20)(x)))


def leaky(x: Any) -> Any:
    layers = _keras_layers()
    return _end(layers.LeakyReLU()(_start(x, activation=None)))


def prelu(x: Any) -> Any:
    layers = _keras_layers()
    return _end(layers.PReLU(shared_axes=[1, 2])(_start(x, activation=None)))


def hard_swish(x: Any) -> Any:
    return _end(_start(x, activation="hard_swish"))


def tanh(x: Any) -> Any:
    return _end(_start(x, activation="tanh"))


def branches(x: Any) -> Any:
    layers = _keras_layers()
    x = _start(x)
    parts = [layers.Conv2D(4, size, padding="same", activation="relu")(x) for size in (1, 3)]
    return _end(layers.Concatenate()(parts))


def global_max(x: Any) -> Any:
    layers = _keras_layers()
    return layers.GlobalMaxPooling2D()(layers.Conv2D(24, 3, activation="relu")(_start(x)))


def residual(x: Any) -> Any:
    layers = _keras_layers()
    x = layers.BatchNormalization()(_start(x))
    more = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    return _end(layers.Add()([x, layers.Conv2D(8, 1)(more)]))


def _shapes(place: Path, *, classes: int = 3) -> Source:
    """Build a network of coloured shapes from raw pixels; two classes have one sigmoid."""

    def network() -> Any:
        import keras

        end = keras.layers.Dense(1, activation="sigmoid") if classes == 2 else keras.layers.Dense(3, "softmax")
        return keras.Sequential([
            keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(12, 3, strides=2, activation="relu"), keras.layers.Flatten(), end,
        ])  # fmt: skip

    path, names = place / "model.keras", pictures.SHAPES[:classes]
    trained(path, network, pictures.shapes(1_200, 1, classes), feed=raw, loss="two" if classes == 2 else "classes")
    test = pictures.shapes(300, 3, classes)
    folder = pictures.as_folder(place / "pictures", pictures.shapes(300, 2, classes), test, names)
    images = test.images[: pictures.COMPARED]
    output = "sigmoid" if classes == 2 else "probabilities"
    return Source(path, images, bare.answers(path, raw(images)), raw, output, {"data": str(folder)})


def _eleven(place: Path) -> Source:
    """Build a network whose outputs are in the order of image_dataset_from_directory: 0, 1, 10, 2, ..."""
    names = tuple(map(str, range(11)))
    train, test = pictures.eleven(pictures.digits(), 2_200, 1), pictures.eleven(load().train, 330, 2)
    to_sorted = np.array([sorted(names).index(name) for name in names])

    def network() -> Any:
        import keras

        given = keras.Input((28, 28, 1))
        return keras.Model(given, keras.layers.Dense(11, activation="softmax")(rescaling(given)))

    path = place / "model.keras"
    trained(path, network, type(train)(train.images, to_sorted[train.labels]), feed=raw)
    folder = pictures.as_folder(place / "pictures", pictures.eleven(load().train, 330, 3), test, names)
    images = test.images[: pictures.COMPARED]
    return Source(path, images, bare.answers(path, raw(images)), raw, options={"data": str(folder)})


def _refused(place: Path, build: Callable[[], Any]) -> Source:
    path = place / "model.keras"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        build().save(path)
    return Source(path, pictures.compared_digits(), None)


def _lambda() -> Any:
    import keras

    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x / 255), *base_layers().layers])


def _custom() -> Any:
    import keras

    class Doubled(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return 2 * inputs

    return keras.Sequential([keras.Input((28, 28, 1)), Doubled(), *base_layers().layers])


def _two_inputs() -> Any:
    import keras

    given = [keras.Input((28, 28, 1)), keras.Input((28, 28, 1))]
    return keras.Model(given, base_layers()(keras.layers.Add()(given)))


def _kind(name: str, build: Callable[[Path], Source], refused: bool = False) -> Kind:
    return Kind("Keras 3", name, build, refused)


SINGLE: dict[str, Callable[[Any], Any]] = {
    "gelu": gelu, "squeeze and excite": squeeze_and_excite, "Cropping2D": cropping,
    "Flatten, LayerNormalization": layer_normalization, "MultiHeadAttention on patches": attention,
    "Conv2DTranspose": transposed, "UpSampling2D": upsampling, "Resizing": resizing, "LeakyReLU": leaky,
    "PReLU": prelu, "hard_swish": hard_swish, "tanh": tanh, "branches, Concatenate": branches,
    "GlobalMaxPooling2D": global_max, "depthwise, BatchNormalization, Add": residual,
}  # fmt: skip

KINDS = [
    _kind("CNN on pixel / 255", _base),
    _kind("CNN as .h5", partial(_base, suffix=".h5")),
    _kind("raw pixels", partial(_base, given="raw")),
    _kind("pixels -1..1", partial(_base, given="-1..1")),
    _kind("MNIST mean and deviation", partial(_base, given="mean and deviation")),
    _kind("dark on bright", partial(_base, given="inverted")),
    _kind("logits", partial(_base, end=None)),
    _kind("unit columns", partial(_layers, dense, feed=column_l2, shape=(28, 28))),
    _kind("flat input", partial(_layers, dense, shape=(784,))),
    _kind("LSTM on rows", partial(_layers, lstm, shape=(28, 28))),
    _kind("Rescaling", partial(_layers, rescaling, feed=raw)),
    _kind("Normalization", partial(_layers, normalization, feed=raw)),
    _kind("Rescaling, RGB, folder", _shapes),
    _kind("one sigmoid, RGB, folder", partial(_shapes, classes=2)),
    _kind("11 classes in the order 0, 1, 10", _eleven),
    *(_kind(name, partial(_layers, build)) for name, build in SINGLE.items()),
    _kind("Lambda", partial(_refused, build=_lambda), refused=True),
    _kind("custom layer", partial(_refused, build=_custom), refused=True),
    _kind("two inputs", partial(_refused, build=_two_inputs), refused=True),
    _kind("untrained", partial(_refused, build=base_layers), refused=True),
]
