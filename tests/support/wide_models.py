"""Write tests/support/wide: a small untrained network of many operators in every format.

    python -m tests.support.wide_models [tflite] [onnx]

The shipped models have six operators, untrusted models have others, and each kernel has its own faults.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits_exporters import tflite
from edgedigits_exporters.conversion import CalibrationSet
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_exporters.keras_file import float_border, save_model
from edgedigits_exporters.onnx import with_contract
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.whole_files import write_whole

FOLDER = Path(__file__).parent / "wide"
SHAPE = (12, 12, 1)
LABELS = tuple("0123456789")
PRECISIONS = ("float32", "float16", "dynamic", "int8")


def network() -> Any:
    """Return a Keras model with many kinds of layers."""
    keras = load_keras()
    from keras import layers

    keras.utils.set_random_seed(0)
    image = layers.Input(SHAPE, name="image")
    start = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.ZeroPadding2D(1)(image))
    one = layers.LeakyReLU()(layers.DepthwiseConv2D(3, strides=2, padding="same")(start))
    two = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(4, 3, strides=2, padding="same", dilation_rate=1)(start))
    three = layers.ReLU(6)(layers.BatchNormalization()(layers.SeparableConv2D(4, 3, strides=2, padding="same")(start)))
    branches = [
        *(layers.Add()([one, two]), layers.Multiply()([layers.Activation("sigmoid")(two), three])),
        *(
            layers.Subtract()([one, layers.Activation("tanh")(three)]),
            layers.Maximum()([layers.Activation("elu")(one), two]),
        ),
        *(layers.Minimum()([layers.Activation("gelu")(one), three]), layers.Activation("hard_swish")(two)),
    ]
    mixed = layers.Concatenate()(branches)
    pooled = layers.Add()([layers.MaxPooling2D(2)(mixed), layers.AveragePooling2D(2)(mixed)])
    means, peaks = layers.GlobalAveragePooling2D()(pooled), layers.GlobalMaxPooling2D()(pooled)
    flat = layers.Flatten()(layers.Permute((2, 1, 3))(layers.Cropping2D(1)(pooled)))
    joined = layers.Concatenate()([flat, means, peaks, layers.Softmax()(layers.GlobalAveragePooling2D()(mixed))])
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.Dense(8, activation="relu")(joined)))


def onnx_network() -> Any:
    """Return an ONNX model with many operators that no exporter writes."""
    from onnx import TensorProto, helper, numpy_helper

    dice = np.random.default_rng(0)
    nodes, constants = [], []

    def constant(name: str, values: Any) -> str:
        constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"{operator}_{len(nodes)}"
        nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def weights(name: str, *shape: int) -> str:
        return constant(name, dice.normal(0, 0.3, shape).astype(np.float32))

    planes = add("Transpose", "image", perm=[0, 3, 1, 2])
    start = add("Conv", planes, weights("k", 4, 1, 3, 3), weights("b", 4), pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    norm = [constant(name, np.ones(4, np.float32)) for name in ("scale", "shift", "mean", "variance")]
    one = add("LeakyRelu", add("BatchNormalization", start, *norm))
    two = add("PRelu", start, weights("slope", 4, 1, 1))
    deep = add("Conv", start, weights("d", 4, 1, 3, 3), group=4, dilations=[2, 2], pads=[2, 2, 2, 2])
    bent = [add(name, one) for name in ("Relu", "Sigmoid", "Tanh")] + [add(name, two) for name in ("Elu", "Erf")]
    mixed = add("Concat", add("Add", one, two), add("Mul", deep, one), add("Sub", two, deep), *bent, axis=1)
    mixed = add("Clip", mixed, constant("low", np.float32(-3)), constant("high", np.float32(3)))
    pooled = add("MaxPool", mixed, kernel_shape=[2, 2], strides=[2, 2])
    other = add("AveragePool", mixed, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    padded = add("Pad", add("Add", pooled, other), constant("pads", np.array([0, 0, 1, 1, 0, 0, 1, 1])))
    cut = add("Slice", padded, constant("from", np.array([1, 1])), constant("to", np.array([7, 7])),
              constant("axes", np.array([2, 3])))  # fmt: skip
    size = add("Gather", add("Shape", cut), constant("first", np.array([0])), axis=0)
    shape = add("Concat", size, constant("rest", np.array([-1])), axis=0)
    flat = add("Reshape", cut, shape)
    mean = add("Squeeze", add("GlobalAveragePool", cut), constant("two_axes", np.array([2, 3])))
    rows = add("Concat", flat, mean, add("ReduceMean", cut, axes=[2, 3], keepdims=0), axis=1)
    dense = add("Gemm", rows, weights("w", 32 * (6 * 6 + 2), 8), weights("c", 8))
    last = add("MatMul", add("LayerNormalization", dense, weights("g", 8), weights("h", 8)), weights("v", 8, 10))
    nodes.append(helper.make_node("Softmax", [last], ["probabilities"], axis=1))
    graph = helper.make_graph(
        nodes,
        "wide",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", *SHAPE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_onnx(contract: Contract, images: Any) -> None:
    """Write a float32 file, and an int8 file by ONNX Runtime's quantizer."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static

    class Reader:
        def __init__(self) -> None:
            self.waiting = [{"image": (images / 255).astype(np.float32)}]

        def get_next(self) -> Any:
            return self.waiting.pop() if self.waiting else None

    model = onnx_network()
    onnx.checker.check_model(model, full_check=True)
    serialized = model.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "int8.onnx"
        # It moves the constants of its argument into a file.
        quantize_static(model, made, Reader(), per_channel=True, activation_type=QuantType.QInt8)  # type: ignore[arg-type]
        for precision, content in (("float32", serialized), ("int8", made.read_bytes())):
            write_whole(FOLDER / f"wide.{precision}.onnx", with_contract(content, replace(contract, format="onnx")))


def main() -> None:
    """Write the files of the given formats; all by default."""
    formats = sys.argv[1:] or ["tflite", "onnx"]
    contract = Contract("wide", *float_border(SHAPE, len(LABELS)), labels=LABELS)
    images = np.random.default_rng(0).integers(0, 256, (100, *SHAPE), np.uint8)
    if "onnx" in formats:
        write_onnx(contract, images)
    if "tflite" in formats:
        keras = save_model(network(), contract, FOLDER / "wide.keras")
        calibration = CalibrationSet(images, DataUsed("noise", len(images), "sha256:none"))
        for precision in PRECISIONS:
            options = tflite.TfliteOptions(precision, calibration_set=calibration)
            tflite.export(keras, FOLDER / f"wide.{precision}.tflite", options)
    for path in sorted(FOLDER.iterdir()):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
