"""Make torture/wide/: one small untrained network of many operators in every format, for torture.models to damage.

    python -m torture.wide

The shipped models hold six operators; strangers' models hold others, and each kernel has faults of its own.
"""

from pathlib import Path
from typing import Any

import numpy as np

from edgedigits_exporters import ExportOptions, get_exporter
from edgedigits_exporters.calibration import Calibration
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_exporters.keras_file import float_border, save_model
from edgedigits_runtime.contract import Contract, DataUsed

FOLDER = Path(__file__).parent / "wide"
SHAPE = (12, 12, 1)
LABELS = tuple("0123456789")
MADE = (
    ("tflite", "float32"), ("tflite", "float16"), ("tflite", "dynamic"), ("tflite", "int8"),
    ("onnx", "float32"), ("onnx", "int8"), ("onnx", "dynamic"),
)  # fmt: skip


def network() -> Any:
    """Return a Keras model with branches that are added, multiplied, joined, padded and bent in many ways."""
    keras = load_keras()
    from keras import layers

    keras.utils.set_random_seed(0)
    image = layers.Input(SHAPE, name="image")
    start = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.ZeroPadding2D(1)(image))
    one = layers.LeakyReLU()(layers.DepthwiseConv2D(3, strides=2, padding="same")(start))
    two = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(4, 3, strides=2, padding="same", dilation_rate=1)(start))
    three = layers.ReLU(6)(layers.BatchNormalization()(layers.SeparableConv2D(4, 3, strides=2, padding="same")(start)))
    mixed = layers.Concatenate()(
        [
            layers.Add()([one, two]),
            layers.Multiply()([layers.Activation("sigmoid")(two), three]),
            layers.Subtract()([one, layers.Activation("tanh")(three)]),
            layers.Maximum()([layers.Activation("elu")(one), two]),
            layers.Minimum()([layers.Activation("gelu")(one), three]),
            layers.Activation("hard_swish")(two),
        ]
    )
    pooled = layers.Add()([layers.MaxPooling2D(2)(mixed), layers.AveragePooling2D(2)(mixed)])
    flat = layers.Concatenate()(
        [
            layers.Flatten()(layers.Permute((2, 1, 3))(layers.Cropping2D(1)(pooled))),
            layers.GlobalAveragePooling2D()(pooled),
            layers.GlobalMaxPooling2D()(pooled),
            layers.Softmax()(layers.GlobalAveragePooling2D()(mixed)),
        ]
    )
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.Dense(8, activation="relu")(flat)))


def main() -> None:
    """Write the files."""
    model = network()
    contract = Contract("wide", *float_border(SHAPE, len(LABELS)), labels=LABELS)
    keras = save_model(model, contract, FOLDER / "wide.keras")
    images = np.random.default_rng(0).integers(0, 256, (100, *SHAPE), np.uint8)
    calibration = Calibration(images, DataUsed("noise", len(images), "sha256:none"))
    for file_format, precision in MADE:
        path = FOLDER / f"wide.{precision}.{file_format}"
        get_exporter(file_format).export(keras, path, ExportOptions(precision, calibration))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
