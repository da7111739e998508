"""Keras 2 configs, reduced to what computes."""

from typing import Any

import pytest

from edgedigits.importing.legacy_config import clean
from edgedigits_runtime.errors import ArtifactUnsupported


def layer(name: str, /, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


def cleaned(*layers: Any, name: str | None = "net") -> Any:
    return clean({"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}})["config"]["layers"]


def test_what_only_training_needs_is_dropped() -> None:
    dense = layer("Dense", name="d", units=3, kernel_regularizer=layer("L2", l2=0.1), kernel_constraint=None,
                  kernel_initializer=layer("GlorotUniform", seed=None, dtype="float32"))  # fmt: skip
    assert cleaned(dense) == [layer("Dense", name="d", units=3)]


def test_only_the_layers_of_a_file_are_kept() -> None:
    model = {"class_name": "Sequential", "config": {"name": "net", "layers": []}, "training_config": {"loss": "mine"}}
    assert clean(model) == {"class_name": "Sequential", "config": {"name": "net", "layers": []}}
    new = {"module": "keras.layers", "registered_name": None, "build_config": {"input_shape": [None, 3]}}
    assert cleaned({**layer("ReLU", name="r"), **new, "inbound_nodes": [], "name": "r"}) == [
        {**layer("ReLU", name="r"), "inbound_nodes": [], "name": "r"}
    ]


def test_values_have_one_way_to_be_written() -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    relu = {"module": "builtins", "class_name": "function", "config": "relu6", "registered_name": "function"}
    size = {"class_name": "__tuple__", "items": [3, {"class_name": "__tuple__", "items": [1]}]}
    (found,) = cleaned(layer("Conv2D", kernel_size=size, dtype=policy, activation=relu))
    assert found["config"] == {"kernel_size": [3, [1]], "dtype": "mixed_float16", "activation": "relu6"}


def test_models_of_keras_2_0_are_lists_without_a_name() -> None:
    inner = {"class_name": "Sequential", "config": [layer("ReLU", name="r")]}
    found = clean({"class_name": "Sequential", "config": [inner, inner]})
    names = [found["config"]["name"], *(part["config"]["name"] for part in found["config"]["layers"])]
    assert len(set(names)) == 3 and all(names)
    assert found["config"]["layers"][0]["config"]["layers"] == [layer("ReLU", name="r")]


def test_a_nested_model_keeps_the_name_that_others_refer_to() -> None:
    inner = {"class_name": "Sequential", "config": {"layers": []}, "name": "features", "inbound_nodes": []}
    assert cleaned(inner)[0]["config"]["name"] == "features"


def test_renamed_classes() -> None:
    assert cleaned(layer("BatchNormalizationV1", name="b")) == [layer("BatchNormalization", name="b")]


def test_keras_1_is_refused() -> None:
    with pytest.raises(ArtifactUnsupported, match=r"'border_mode' of Keras 1"):
        cleaned(layer("Convolution2D", nb_filter=3, border_mode="same"))
    assert cleaned(layer("Embedding", input_dim=3, output_dim=2))
