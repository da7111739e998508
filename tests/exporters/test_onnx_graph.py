"""The cleaned ONNX graph of many kinds of networks: static shapes, fixed names, equal outputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ConversionFailed, GraphUnsupported

GREY, COLOUR = (28, 28, 1), (32, 32, 3)
CLASSES = 5
LEFTOVERS = {"Transpose", "Shape", "Gather", "Slice", "Concat"}


def flat_dense(layers: Any) -> list[Any]:
    return [layers.Flatten(), layers.Dense(16, activation="relu")]


def conv_flat(layers: Any) -> list[Any]:
    return [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten()]


def global_average(layers: Any) -> list[Any]:
    return [layers.Conv2D(6, 3, activation="relu"), layers.GlobalAveragePooling2D()]


def global_maximum(layers: Any) -> list[Any]:
    return [layers.Conv2D(6, 3, activation="relu"), layers.GlobalMaxPooling2D()]


def normalised(layers: Any) -> list[Any]:
    return [layers.Conv2D(6, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(), layers.Flatten()]


def separable(layers: Any) -> list[Any]:
    return [
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.DepthwiseConv2D(3, padding="same", activation="relu6"),
        layers.Conv2D(8, 1, activation="relu"),
        layers.SeparableConv2D(8, 3, strides=2, padding="same"),
        layers.GlobalAveragePooling2D(),
    ]


def dropped_out(layers: Any) -> list[Any]:
    return [layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dropout(0.5), layers.Dense(8)]


def averaged(layers: Any) -> list[Any]:
    return [layers.Conv2D(4, 5, padding="same", strides=2), layers.AveragePooling2D(2), layers.Flatten()]


def activated_flat(layers: Any) -> list[Any]:
    return [layers.Conv2D(4, 3), layers.Flatten(), layers.LeakyReLU(), layers.Dense(8, use_bias=False)]


def normalised_flat(layers: Any) -> list[Any]:
    return [layers.Conv2D(4, 3), layers.Flatten(), layers.BatchNormalization(), layers.Dense(8)]


def padded(layers: Any) -> list[Any]:
    return [layers.ZeroPadding2D(2), layers.Conv2D(4, 5, strides=2), layers.Flatten()]


NETWORKS = [
    flat_dense, conv_flat, global_average, global_maximum, normalised, separable, dropped_out, averaged,
    activated_flat, normalised_flat, padded,
]  # fmt: skip


def save(folder: Path, layers_of: Callable[[Any], list[Any]], shape: tuple[int, int, int]) -> tuple[Any, Path]:
    """Write an untrained network with its contract as a `.keras` file."""
    import keras

    from edgedigits_exporters.keras_file import float_border, save_model

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input(shape, name="image"),
            *layers_of(keras.layers),
            keras.layers.Dense(CLASSES, activation="softmax", name="probabilities"),
        ]
    )
    # Untrained batch normalisation is the identity.
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            rng = np.random.default_rng(2)
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    border = float_border(shape, CLASSES)
    contract = Contract("net", *border, tuple("abcde"), reader="plain")
    return model, save_model(model, contract, folder / "net.keras")


@pytest.mark.slow
@pytest.mark.parametrize("shape", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("layers_of", NETWORKS)
def test_networks_export_without_shape_arithmetic_and_with_equal_outputs(
    layers_of: Callable[[Any], list[Any]], shape: tuple[int, int, int], tmp_path: Path
) -> None:
    import onnx

    from edgedigits_exporters import onnx as exporter

    model, source = save(tmp_path, layers_of, shape)
    # In this process, where TensorFlow is imported already; `export` converts in a child process.
    serialized, contract = exporter.convert(source, None, "float32", None)
    path = tmp_path / "net.onnx"
    path.write_bytes(exporter.with_contract(serialized, contract))

    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    graph = written.graph
    assert [(value.name, _sizes(value)) for value in graph.input] == [("image", ["batch", *shape])]
    assert [(value.name, _sizes(value)) for value in graph.output] == [("probabilities", ["batch", CLASSES])]
    found = [(node.op_type, node.input[0]) for node in graph.node if node.op_type in LEFTOVERS]
    assert found in ([], [("Transpose", "image")])
    if shape == GREY:
        assert found == []

    images = np.random.default_rng(0).integers(0, 256, (9, *shape), np.uint8)
    wanted = np.asarray(model(images.astype(np.float32) / 255, training=False))
    assert np.abs(open_engine(path).run(images) - wanted).max() < 1e-4


def _sizes(value: Any) -> list[int | str]:
    return [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]


@pytest.mark.slow
@pytest.mark.parametrize("layers_of", NETWORKS)
def test_the_same_networks_export_to_tflite(layers_of: Callable[[Any], list[Any]], tmp_path: Path) -> None:
    from edgedigits_exporters import tflite as exporter
    from edgedigits_runtime.embedded_contract import append_zipped

    model, source = save(tmp_path, layers_of, COLOUR)
    flatbuffer, contract = exporter.convert(source, None, "float32", None)
    path = tmp_path / "net.tflite"
    path.write_bytes(append_zipped(flatbuffer, contract))
    images = np.random.default_rng(0).integers(0, 256, (9, *COLOUR), np.uint8)
    wanted = np.asarray(model(images.astype(np.float32) / 255, training=False))
    assert np.abs(open_engine(path).run(images) - wanted).max() < 1e-4
    assert (contract.input.shape, contract.input.dtype) == ((1, *COLOUR), "float32")


def _model(nodes: list[Any], initializers: list[Any], shape: tuple[int | str, ...]) -> Any:
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, CLASSES])],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_reshape_into_the_batch_is_unchanged() -> None:
    from onnx import helper, numpy_helper

    from edgedigits_exporters.onnx_graph import clean

    model = _model(
        [helper.make_node("Reshape", ["x", "sizes"], ["y"])],
        [numpy_helper.from_array(np.array([-1, CLASSES], np.int64), "sizes")],
        (3, 4, CLASSES),
    )
    assert [node.op_type for node in clean(model).graph.node] == ["Reshape"]


@pytest.mark.parametrize(("second", "fact"), [("weights", "weights"), ("other", "MatMul, MatMul")])
def test_a_flattening_before_two_layers_is_refused(second: str, fact: str) -> None:
    from onnx import helper, numpy_helper

    from edgedigits_exporters.onnx_graph import clean

    def branch(name: str, matrix: str, flat: str) -> list[Any]:
        transposed = helper.make_node("Transpose", ["x"], [f"t{name}"], perm=[0, 2, 3, 1])
        reshape = helper.make_node("Reshape", [f"t{name}", "sizes"], [f"f{name}"])
        return [transposed, reshape, helper.make_node("MatMul", [flat, matrix], [f"m{name}"])]

    matrix = np.ones((24, CLASSES), np.float32)
    nodes = branch("1", "weights", "f1") + branch("2", second, "f2" if second == "weights" else "f1")
    model = _model(
        [*nodes, helper.make_node("Add", ["m1", "m2"], ["y"])],
        [
            numpy_helper.from_array(np.array([-1, 24], np.int64), "sizes"),
            numpy_helper.from_array(matrix, "weights"),
            numpy_helper.from_array(matrix, "other"),
        ],
        (2, 3, 4),
    )
    with pytest.raises(GraphUnsupported, match=fact):
        clean(model)


def kept_flattening() -> Any:
    """A Transpose and a flattening, followed by what has no weights to reorder."""
    from onnx import helper, numpy_helper

    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["t", "sizes"], ["f"]),
        helper.make_node("Softmax", ["f"], ["s"]),
        helper.make_node("MatMul", ["s", "weights"], ["y"]),
    ]
    weights = np.random.default_rng(0).normal(size=(24, CLASSES)).astype(np.float32)
    sizes = numpy_helper.from_array(np.array([-1, 24], np.int64), "sizes")
    return _model(nodes, [sizes, numpy_helper.from_array(weights, "weights")], (2, 3, 4))


def test_a_graph_that_keeps_a_transpose_is_valid_where_strictness_is_not_asked() -> None:
    import onnxruntime

    from edgedigits_exporters.onnx_graph import clean, describe, leftovers

    def run(model: Any) -> Any:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: pixels})[0]

    pixels = np.random.default_rng(1).normal(size=(3, 2, 3, 4)).astype(np.float32)
    with pytest.raises(GraphUnsupported):
        clean(kept_flattening())
    cleaned = clean(kept_flattening(), strict=False)
    assert [node.op_type for node in cleaned.graph.node] == ["Transpose", "Flatten", "Softmax", "MatMul"]
    assert describe(leftovers(cleaned)) == "1 Transpose"
    np.testing.assert_allclose(run(cleaned), run(kept_flattening()), atol=1e-6)


def test_operators_and_inputs_that_onnx_does_not_know_are_named() -> None:
    from onnx import TensorProto, helper

    from edgedigits_exporters.onnx_graph import clean

    with pytest.raises(ConversionFailed, match="Erfinv"):
        clean(_model([helper.make_node("Erfinv", ["x"], ["y"])], [], (CLASSES,)), strict=False)
    model = _model([helper.make_node("Add", ["x", "mean"], ["y"])], [], (CLASSES,))
    model.graph.input.append(helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1]))
    with pytest.raises(ConversionFailed, match="2 and 1"):
        clean(model, strict=False)


def test_a_flattening_of_an_unknown_shape_is_refused() -> None:
    from onnx import helper, numpy_helper

    from edgedigits_exporters.onnx_graph import clean

    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["t", "sizes"], ["f"]),
        helper.make_node("MatMul", ["f", "weights"], ["y"]),
    ]
    sizes = numpy_helper.from_array(np.array([-1, 24], np.int64), "sizes")
    weights = numpy_helper.from_array(np.ones((24, CLASSES), np.float32), "weights")
    with pytest.raises(GraphUnsupported, match="x"):
        clean(_model(nodes, [sizes, weights], (2, "height", 4)))


def test_leftover_shape_arithmetic_is_refused() -> None:
    from onnx import helper, numpy_helper

    from edgedigits_exporters.onnx_graph import clean

    model = _model(
        [
            helper.make_node("ReduceMean", ["x"], ["means"], axes=[1, 2], keepdims=0),
            helper.make_node("Gather", ["means", "order"], ["y"], name="pick", axis=1),
        ],
        [numpy_helper.from_array(np.arange(CLASSES, dtype=np.int64), "order")],
        (3, 4, CLASSES),
    )
    with pytest.raises(GraphUnsupported, match=r"Gather \(pick\)"):
        clean(model)


def test_unused_nodes_and_weights_are_removed() -> None:
    from onnx import helper, numpy_helper

    from edgedigits_exporters.onnx_graph import clean

    matrix = np.ones((CLASSES, CLASSES), np.float32)
    model = _model(
        [
            helper.make_node("Shape", ["x"], ["sizes"]),
            helper.make_node("Gather", ["sizes", "first"], ["count"]),
            helper.make_node("ReduceMean", ["x"], ["means"], axes=[1, 2], keepdims=0),
            helper.make_node("MatMul", ["means", "weights"], ["y"]),
        ],
        [
            numpy_helper.from_array(np.array(0, np.int64), "first"),
            numpy_helper.from_array(matrix, "weights"),
        ],
        (3, 4, CLASSES),
    )
    cleaned = clean(model)
    assert [node.op_type for node in cleaned.graph.node] == ["ReduceMean", "MatMul"]
    assert [entry.name for entry in cleaned.graph.initializer] == ["weights"]
    assert [node.output[0] for node in cleaned.graph.node][-1] == "probabilities"
