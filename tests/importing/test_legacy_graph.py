"""Keras 2 networks, translated into flat Keras 3 ones; computed with NumPy."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits.importing.legacy_config import clean
from edgedigits.importing.legacy_graph import Network, translate
from edgedigits_exporters.untrusted_keras import check_config
from edgedigits_runtime.errors import ArtifactUnsupported, EdgedigitsError

Array = NDArray[np.float64]

INPUT = {"class_name": "InputLayer", "config": {"name": "input", "batch_input_shape": [None, 2], "dtype": "float32"}}


def rescaling(name: str, scale: float, offset: float = 0.0) -> dict[str, Any]:
    return {"class_name": "Rescaling", "config": {"name": name, "scale": scale, "offset": offset}}


def sequential(name: str, *layers: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def at(name: str, call: int = 0, /, **arguments: Any) -> list[Any]:
    """A reference to a call of a layer."""
    return [name, call, 0, arguments]


def called(layer: dict[str, Any], *calls: Any) -> dict[str, Any]:
    return {**layer, "name": layer["config"]["name"], "inbound_nodes": list(calls)}


def function(name: str, function: str, *calls: Any) -> dict[str, Any]:
    return called({"class_name": "TFOpLambda", "config": {"name": name, "function": function}}, *calls)


def functional(name: str, *layers: Any, end: Any = None) -> dict[str, Any]:
    ends = {"input_layers": [["input", 0, 0]], "output_layers": [end or [layers[-1]["name"], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": name, "layers": [called(INPUT), *layers], **ends}}


LAYERS: dict[str, Callable[[dict[str, Any], list[Array]], Array]] = {
    "Rescaling": lambda config, x: x[0] * np.asarray(config["scale"]) + np.asarray(config["offset"]),
    "ReLU": lambda config, x: np.clip(x[0], 0, config.get("max_value")),
    "Add": lambda _, x: x[0] + x[1],
    "Subtract": lambda _, x: x[0] - x[1],
    "Multiply": lambda _, x: x[0] * x[1],
    "Concatenate": lambda config, x: np.concatenate(x, config["axis"]),
}


def compute(network: Network, x: Array) -> Array:
    """Compute a translated network as Keras would, in the order of its layers' calls."""
    config = network.config["config"]
    known = {(config["input_layers"][0][0], 0): x}
    waiting = [(layer, number) for layer in config["layers"] for number in range(len(layer["inbound_nodes"]))]
    while waiting:
        layer, number = waiting.pop(0)
        node = layer["inbound_nodes"][number]
        tensors = node["args"][0] if isinstance(node["args"][0], list) else node["args"]
        used = [tuple(tensor["config"]["keras_history"][:2]) for tensor in tensors]
        if all(key in known for key in used):
            known[layer["name"], number] = LAYERS[layer["class_name"]](layer["config"], [known[key] for key in used])
        else:
            waiting.append((layer, number))
    return known[tuple(config["output_layers"][0][:2])]


def translated(model: Any) -> Network:
    network = translate(clean(json.loads(json.dumps(model))))
    check_config(network.config, "x.h5")
    names = [layer["name"] for layer in network.config["config"]["layers"]]
    assert len(set(names)) == len(names)
    return network


X = np.array([[1.0, -2.0], [0.5, 4.0]])


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> tuple[Any, list[float]]:
    """Draw nested Sequential models whose layers have unlike scales and few names; the scales in order."""
    layers, scales = [], []
    for number in range(draw(st.integers(1, 3))):
        if depth and draw(st.booleans()):
            inner, more = draw(trees(depth - 1))
            layers.append(sequential(f"m{number}", *inner["config"]["layers"]))
            scales += more
        else:
            scales.append(draw(st.sampled_from([0.5, 2.0, 3.0])))
            layers.append(rescaling(f"r{number}", scales[-1]))
    return sequential("net", *layers), scales


@given(tree=trees())
def test_nested_models_become_one_chain(tree: tuple[Any, list[float]]) -> None:
    model, scales = tree
    model["config"]["layers"].insert(0, INPUT)
    network = translated(model)
    layers = network.config["config"]["layers"]
    assert [layer["config"].get("scale") for layer in layers[1:]] == scales
    assert np.allclose(compute(network, X), X * np.prod(scales))
    assert len({path for _, path in network.origins}) == len(scales)


NUMBERS = st.floats(-8, 8).filter(lambda number: abs(number) > 0.1)

STEPS: dict[str, Callable[[Array, float], Array]] = {
    "math.truediv": lambda x, y: x / y,
    "math.multiply": lambda x, y: x * y,
    "math.subtract": lambda x, y: x - y,
    "__operators__.add": lambda x, y: x + y,
}


@given(steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), NUMBERS, st.booleans()), min_size=1, max_size=5))
def test_arithmetic_with_constants_is_rescaling(steps: list[tuple[str, float, bool]]) -> None:
    layers, expected, last = [], X, "input"
    for number, (name, constant, left) in enumerate(steps):
        left = left and name != "math.truediv"
        call = ["_CONSTANT_VALUE", -1, constant, {"y": [last, 0, 0], "name": None}] if left else at(last, y=constant)
        last = f"tf.{number}"
        layers.append(function(last, name, call))
        pair = (np.full_like(X, constant), expected) if left else (expected, np.full_like(X, constant))
        expected = STEPS[name](*pair)  # type: ignore[arg-type]  # A number and an array may change places.
    assert np.allclose(compute(translated(functional("net", *layers)), X), expected)


def test_a_constant_for_each_channel() -> None:
    model = functional("net", function("tf.0", "math.subtract", at("input", y=[[10.0, 20.0]])))
    assert np.allclose(compute(translated(model), X), X - [10, 20])


def test_arithmetic_of_two_tensors() -> None:
    model = functional(
        "net",
        called(rescaling("r", 3.0), [at("input")]),
        function("add", "__operators__.add", at("input", y=["r", 0, 0], name=None)),
        function("sub", "math.subtract", at("add", y=["r", 0, 0])),
        function("concat", "concat", [at("sub", axis=-1), at("r", axis=-1)]),
    )
    assert np.allclose(compute(translated(model), X), np.concatenate([X, 3 * X], -1))


@pytest.mark.parametrize("first", [0, 1])
def test_a_model_that_is_called_twice_shares_its_layers(first: int) -> None:
    """Keras counts the calls of a model with an input layer from 1."""
    inner = functional("inner", called(rescaling("r", 2.0, 1.0), [at("input")]))
    model = functional(
        "net",
        called(inner, [at("input")], [at("inner", first)]),
        called({"class_name": "Add", "config": {"name": "add"}}, [at("inner", first), at("inner", first + 1)]),
    )
    network = translated(model)
    assert [path for _, path in network.origins] == [("inner", "r"), ("add",)]
    assert np.allclose(compute(network, X), (2 * X + 1) + (2 * (2 * X + 1) + 1))


def test_layers_may_be_listed_in_any_order() -> None:
    layers = [
        called(rescaling(f"r{number}", 2.0), [at(f"r{number - 1}" if number else "input")]) for number in range(9)
    ]
    model = functional("net", *layers[::-1], end=["r8", 0, 0])
    assert np.allclose(compute(translated(model), X), X * 2**9)


def test_hard_sigmoid_of_keras_2_is_a_fifth_and_a_half() -> None:
    model = sequential(
        "net", INPUT, {"class_name": "Activation", "config": {"name": "a", "activation": "hard_sigmoid"}}
    )
    network = translated(model)
    activation = network.config["config"]["layers"].pop(1)
    assert activation["config"]["activation"] == "linear"
    network.config["config"]["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = "input"
    assert np.allclose(compute(network, X), np.clip(X / 5 + 0.5, 0, 1))


def first_layer(**layer: Any) -> dict[str, Any]:
    """The first layer of Keras 3 that a layer of Keras 2 becomes."""
    made = translated(sequential("net", INPUT, layer)).config["config"]["layers"][1]
    return {"class_name": made["class_name"], **made["config"]}


def test_arguments_that_keras_3_lacks() -> None:
    depthwise = first_layer(class_name="DepthwiseConv2D", config={"name": "d", "kernel_size": [3, 3], "groups": 1})
    assert "groups" not in depthwise
    assert first_layer(class_name="Conv2D", config={"name": "c", "groups": 2})["groups"] == 2
    assert first_layer(class_name="LeakyReLU", config={"name": "l", "alpha": 0.1})["negative_slope"] == 0.1
    assert first_layer(class_name="ThresholdedReLU", config={"name": "t", "theta": 2.0})["threshold"] == 2.0
    assert first_layer(class_name="BatchNormalization", config={"name": "b", "axis": [3]})["axis"] == 3
    assert first_layer(class_name="RandomHeight", config={"name": "h", "factor": 0.2})["class_name"] == "Identity"
    lstm = {"class_name": "LSTM", "config": {"name": "lstm", "units": 3, "time_major": False, "implementation": 2}}
    wrapped = first_layer(class_name="Bidirectional", config={"name": "both", "layer": lstm})
    assert wrapped["layer"]["module"] == "keras.layers" and wrapped["layer"]["config"] == {"name": "lstm", "units": 3}


def test_an_activation_that_is_a_layer_follows() -> None:
    leaky = {"class_name": "LeakyReLU", "config": {"name": "leaky", "alpha": 0.1}}
    model = sequential("net", INPUT, {"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": leaky}})
    layers = translated(model).config["config"]["layers"]
    assert [layer["class_name"] for layer in layers] == ["InputLayer", "Dense", "LeakyReLU"]


def test_names_that_keras_3_refuses_are_changed_and_their_origin_is_kept() -> None:
    network = translated(sequential("a/b", INPUT, rescaling("block1/conv", 2.0), rescaling("block1_conv", 2.0)))
    names = [name for name, _ in network.origins]
    assert len(set(names)) == 2 and not any("/" in name for name in names)
    assert [path for _, path in network.origins] == [("block1/conv",), ("block1_conv",)]


@pytest.mark.parametrize("shape", [[None, 28, 28, 1], [1, 784]])
def test_the_input_may_be_stated_by_the_first_layer_or_the_model(shape: list[int | None]) -> None:
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 3, "batch_input_shape": shape}}
    built = sequential("net", {"class_name": "Dense", "config": {"name": "d", "units": 3}})
    built["config"]["build_input_shape"] = shape
    for model in (sequential("net", dense), sequential("net", sequential("inner", dense)), built):
        assert translated(model).config["config"]["layers"][0]["config"]["batch_shape"] == shape


def two_ends(kind: str) -> dict[str, Any]:
    model = functional("net", called(rescaling("r", 2.0), [at("input")]))
    model["config"][f"{kind}_layers"] = [["left", 0, 0], ["right", 0, 0]]
    return model


REFUSED: dict[str, tuple[Any, str]] = {
    "two inputs": (two_ends("input"), "left, right"),
    "two outputs": (two_ends("output"), "left, right"),
    "no input": (sequential("net", rescaling("r", 2.0)), "no shape"),
    "groups": (
        sequential("net", INPUT, {"class_name": "DepthwiseConv2D", "config": {"name": "d", "groups": 4}}),
        "groups 4",
    ),
    "an activation of its own": (
        sequential("net", INPUT, {"class_name": "Dense", "config": {"name": "d", "activation": "mine"}}),
        "'mine'",
    ),
    "hard_sigmoid inside": (
        sequential(
            "net", INPUT, {"class_name": "LSTM", "config": {"name": "l", "recurrent_activation": "hard_sigmoid"}}
        ),
        "hard_sigmoid",
    ),
    "a model inside of a wrapper": (
        sequential("net", INPUT, {"class_name": "TimeDistributed", "config": {"name": "t", "layer": sequential("m")}}),
        "Sequential",
    ),
    "training": (
        functional("net", called({"class_name": "Dropout", "config": {"name": "d"}}, [at("input", training=True)])),
        "training=True",
    ),
    "a division by a tensor": (
        functional("net", function("f", "math.truediv", ["_CONSTANT_VALUE", -1, 1.0, {"y": ["input", 0, 0]}])),
        "math.truediv",
    ),
    "a division by 0": (functional("net", function("f", "math.truediv", at("input", y=0.0))), "math.truediv"),
    "a reshape of the batch": (
        functional("net", function("f", "reshape", at("input", shape=[4, -1]))),
        "reshape",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_keras_3_cannot_compute_is_refused(case: str) -> None:
    model, fact = REFUSED[case]
    with pytest.raises(ArtifactUnsupported, match=fact):
        translated(model)


def test_models_that_call_each_other_without_end_are_refused() -> None:
    model = functional("m0", called(rescaling("r", 2.0), [at("input")]))
    for number in range(1, 40):
        name = f"m{number - 1}"
        model = functional(f"m{number}", called(model, [at("input")], [at(name)]), end=[name, 1, 0])
    with pytest.raises(ArtifactUnsupported, match="10,000"):
        translated(model)


DAMAGE = (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, EdgedigitsError)


@given(data=st.data())
def test_damaged_configs_raise_what_is_documented(data: st.DataObject) -> None:
    model = json.loads(json.dumps(functional("net", called(rescaling("r", 2.0), [at("input")]))))
    parts, waiting = [], [model]
    while waiting:
        part = waiting.pop()
        for key in part if isinstance(part, dict) else range(len(part)):
            parts.append((part, key))
            if isinstance(part[key], dict | list):
                waiting.append(part[key])
    for part, key in data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3)):
        part[key] = data.draw(st.sampled_from([None, 0, "r", "input", [], {}, [["r", 0, 0, {}]], -1, 2.5]))
    try:
        translate(clean(model))
    except DAMAGE as error:
        assert str(error)
