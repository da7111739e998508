"""Write files of Keras 2 into a folder: `python -m tests.support.keras_2_models FOLDER`.

A process of its own, because tf-keras must not meet Keras 3.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import h5py
import numpy as np
import tensorflow as tf
import tf_keras as keras

layers = keras.layers

IMAGE = (12, 12, 3)


def with_random_weights(model: Any) -> Any:
    """Give every weight of a model a random value, a variance a positive one; those of a new model are often 0 or 1."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.uniform(0.1 if array.ndim < 2 else -0.2, 0.3, array.shape).astype(array.dtype)
        if array.dtype.kind == "f"
        else array
        for array in model.get_weights()
    ]
    model.set_weights(arrays)
    return model


def depthwise() -> Any:
    """A trained network; DepthwiseConv2D has the argument `groups`."""
    model = keras.Sequential([
        layers.Conv2D(4, 3, activation="relu", input_shape=IMAGE, kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.random.default_rng(0).random((8, *IMAGE)), np.arange(8), verbose=0)
    return model


def operations() -> Any:
    """Every TensorFlow function that is translated."""
    image = layers.Input(IMAGE)
    x = tf.cast(image, tf.float32) / 127.5 - 1.0
    x = tf.add(0.5 * x, [0.1, 0.2, 0.3])
    x = tf.nn.bias_add(tf.math.negative(tf.identity(x)), [0.1, 0.0, -0.1])
    x = layers.Conv2D(4, 3, name="block1/conv")(tf.image.resize(x, (16, 16)))
    x = tf.math.multiply(x, 2.0) + x / 3.0
    branches = [
        tf.nn.relu(x), tf.nn.relu6(x + 3.0) * (1 / 6), tf.nn.leaky_relu(x, 0.3), tf.nn.elu(x), tf.nn.selu(x),
        tf.nn.silu(x), tf.math.sigmoid(x), tf.math.tanh(x), tf.math.softplus(x), tf.nn.softmax(x),
        tf.clip_by_value(x, 0.0, 0.7), tf.stop_gradient(1.0 - x), x * x, x - tf.nn.relu(x),
        tf.maximum(x, tf.math.tanh(x)), tf.minimum(x, tf.math.tanh(x)),
    ]  # fmt: skip
    x = layers.Conv2D(6, 1)(tf.concat(branches, axis=-1))
    means = tf.concat([tf.reduce_mean(x, axis=[1, 2]), tf.reduce_max(x, axis=[1, 2])], axis=1)
    grey = layers.Conv2D(1, 1)(tf.transpose(x, [0, 2, 1, 3]))
    rows = tf.reduce_mean(tf.reshape(tf.image.grayscale_to_rgb(grey), [-1, 14 * 14, 3]), axis=1)
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.concatenate([means, rows])))


def arrays() -> Any:
    """Slices and other functions of arrays, with a few numbers of each at the end."""
    image = layers.Input(IMAGE)
    x = layers.Conv2D(4, 3)(image)
    row, last = x[:, 0], tf.expand_dims(x[..., -1], -1)
    left, _ = tf.split(x, 2, axis=-1)
    parts = [
        x[:, 2:8:2, ..., 1:3], x[:, ::-1], tf.strided_slice(x, [0, 1, 1, 0], [1, 5, 5, 4], begin_mask=1, end_mask=1),
        tf.slice(x, [0, 1, 0, 0], [-1, 3, 3, 4]), left, tf.gather(x, [0, 2], axis=-1), last,
        tf.pad(x, [[0, 0], [1, 1], [2, 0], [0, 0]]), tf.image.flip_left_right(x), tf.nn.gelu(x),
        tf.math.exp(x), tf.sqrt(tf.square(x)), tf.pow(tf.abs(x), 1.5), tf.math.log(tf.abs(x) + 1.0),
        tf.math.rsqrt(tf.abs(x) + 1.0), x / (tf.abs(x) + 1.0),
    ]  # fmt: skip
    ends = [layers.GlobalAveragePooling2D()(part) for part in parts]
    ends += [layers.Flatten()(tf.stack([row, x[:, 1]], axis=1)), layers.Flatten()(tf.squeeze(last, axis=-1))]
    ends += [tf.reduce_sum(row, axis=1), tf.reduce_min(row, axis=-1), tf.reduce_mean(row, axis=-1)]
    ends.append(layers.Flatten()(tf.matmul(row, layers.Permute((2, 1))(row))))
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.concatenate(ends)))


def teachable() -> Any:
    """What Teachable Machine exports: a MobileNet and a head, each a Sequential in a Sequential."""
    image = layers.Input(IMAGE)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="Conv1_pad")(image)
    x = layers.Conv2D(6, 3, strides=2, use_bias=False, name="Conv1")(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization(name="bn_Conv1")(x))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    y = layers.Conv2D(6, 1, use_bias=False)(layers.ReLU(6.0)(layers.BatchNormalization()(y)))
    backbone = keras.Model(image, layers.Add()([x, y]), name="model1")
    features = keras.Sequential([backbone, layers.GlobalAveragePooling2D()], name="sequential_1")
    head = keras.Sequential(
        [layers.Dense(20, activation="relu", input_shape=(6,)), layers.Dense(3, "softmax", use_bias=False)],
        name="sequential_3",
    )
    return keras.Sequential([features, head], name="sequential_4")


def shared() -> Any:
    """A model that is called twice, with layers of the same names as its caller."""
    inner_image = layers.Input(IMAGE)
    inner = keras.Model(inner_image, layers.Conv2D(3, 3, padding="same", name="conv")(inner_image), name="inner")
    image = layers.Input(IMAGE)
    x = layers.Conv2D(3, 3, padding="same", name="conv")(image)
    x = layers.Add()([inner(inner(x, training=False)), x])
    return keras.Model(image, layers.Dense(10)(layers.Flatten()(x)))


def many_layers() -> Any:
    """Layers whose arguments or weights are others in Keras 3."""
    image = layers.Input(IMAGE)
    x = layers.Normalization(mean=[100.0, 120.0, 140.0], variance=[900.0, 1000.0, 1100.0])(image)
    x = layers.GaussianNoise(0.1)(layers.RandomHeight(0.1)(layers.RandomFlip()(x)))
    x = layers.SeparableConv2D(4, 3, activation=layers.LeakyReLU(0.2))(x)
    x = layers.SpatialDropout2D(0.1)(layers.PReLU(shared_axes=[1, 2])(x))
    x = layers.LayerNormalization(axis=[2, 3])(layers.ThresholdedReLU(0.1)(x))
    x = layers.GroupNormalization(2)(layers.Conv2D(4, 3, activation="hard_sigmoid", groups=2)(x))
    x = layers.TimeDistributed(layers.Dense(3, activation="gelu"))(layers.Reshape((8, 32))(x))
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.GRU(4, reset_after=False, return_sequences=True)(x)
    return keras.Model(image, layers.Dense(10, activation="log_softmax")(layers.SimpleRNN(5)(x)))


def flat() -> Any:
    """A fixed batch of 1 and no picture."""
    return keras.Sequential([layers.Dense(10, activation="sigmoid", batch_input_shape=(1, 784))])


def half() -> Any:
    """A network that computes in float16."""
    policy = keras.mixed_precision.Policy("mixed_float16")
    image = layers.Input(IMAGE)
    x = layers.Flatten()(layers.Conv2D(4, 3, dtype=policy)(image))
    return keras.Model(image, layers.Dense(10, activation="softmax", dtype="float32")(x))


def code() -> Any:
    """A network with a Lambda layer."""
    return keras.Sequential([layers.Input(IMAGE), layers.Lambda(lambda x: x / 255), layers.Flatten(), layers.Dense(3)])


class Mine(layers.Layer):  # type: ignore[misc]  # tf-keras publishes no types
    """A class of its own."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2


def custom() -> Any:
    """A network with a layer of its own class."""
    return keras.Sequential([layers.Input(IMAGE), Mine(), layers.Flatten(), layers.Dense(3)])


def two_outputs() -> Any:
    """A network with two outputs."""
    image = layers.Input(IMAGE)
    x = layers.Flatten()(image)
    return keras.Model(image, [layers.Dense(10, name="digit")(x), layers.Dense(2, name="writer")(x)])


MODELS: dict[str, Callable[[], Any]] = {
    "depthwise": depthwise,
    "operations": operations,
    "arrays": arrays,
    "teachable": teachable,
    "shared": shared,
    "many_layers": many_layers,
    "flat": flat,
    "half": half,
    "code": code,
    "custom": custom,
    "two_outputs": two_outputs,
}

EVERY_FORMAT = ("depthwise", "operations")


def make_older(path: Path, older: Path) -> None:
    """Copy an HDF5 file as Keras 2.0 would have written it: a list of layers, initialisers with a dtype."""
    older.write_bytes(path.read_bytes())
    with h5py.File(older, "a") as file:
        config = json.loads(file.attrs["model_config"])
        layers = [layer for layer in config["config"]["layers"] if layer["class_name"] != "InputLayer"]
        for layer in layers:
            for key in [key for key in layer["config"] if key.endswith("_initializer")]:
                arguments = {
                    "scale": 1.0,
                    "mode": "fan_avg",
                    "distribution": "normal",
                    "seed": None,
                    "dtype": "float32",
                }
                layer["config"][key] = {"class_name": "VarianceScaling", "config": arguments}
            for key in ("groups", "build_config"):
                layer["config"].pop(key, None)
        layers[0]["config"]["batch_input_shape"] = [None, *IMAGE]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers}).encode()
        file.attrs["keras_version"] = b"2.0.9"


def main(folder: Path) -> None:
    """Write a `.h5` of every model, `.keras` and SavedModel of some, and further files."""
    folder.mkdir(parents=True)
    for name, build in MODELS.items():
        tf.random.set_seed(0)
        model = with_random_weights(build())
        model.save(folder / f"{name}.h5", save_format="h5")
        if name in EVERY_FORMAT:
            model.save(folder / f"{name}.keras")
            model.save(folder / name, save_format="tf")
        if name == "flat":
            model.save_weights(folder / "weights.h5")
            model.save(folder / "in_disguise.h5", save_format="h5")
            (folder / "in_disguise.h5").rename(folder / "in_disguise.keras")
    make_older(folder / "depthwise.h5", folder / "older.h5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
