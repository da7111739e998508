"""Translate a Keras 2 network into a flat Keras 3 one: models inside the model become part of it.

Keras 3 fails on some nested models of Keras 2, and every export is simpler without them.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from edgedigits.importing.legacy_arrays import Tensor
from edgedigits.importing.legacy_layers import Layer, as_object, translate_layer
from edgedigits.importing.legacy_operations import translate_operation
from edgedigits_exporters.keras_classes import MODELS
from edgedigits_exporters.untrusted_legacy_keras import CALLERS
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.limits import PARTS

CONSTANT = "_CONSTANT_VALUE"
"""What Keras 2 writes in place of a layer's name before a constant."""

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")

ARGUMENTS = {"MultiHeadAttention": ("value", "key")}
"""Arguments of a call of a layer that are tensors, beside the first."""

OF_TWO = ("Matmul", "TrueDivide")
"""Operations that take two tensors, not a list of them."""

Calls = dict[tuple[str, int], tuple[dict[str, Any], Any]]
"""By name of a layer and number of a call: the layer, and what it is called with."""


@dataclass(frozen=True)
class Network:
    """A network of Keras 3 without nested models.

    Args:
        config: class and arguments of a Functional model, as Keras 3 writes them.
        origins: for each layer that may have weights, its name and the names that lead to it in the original.
    """

    config: dict[str, Any]
    origins: list[tuple[str, tuple[str, ...]]]


def translate(config: dict[str, Any]) -> Network:
    """Translate a cleaned config; see legacy_config.clean.

    Raises:
        ArtifactUnsupported: several inputs or outputs, or something that Keras 3 lacks.
        LookupError, TypeError, ValueError, AttributeError, RecursionError: the config is damaged.
    """
    return _Translation().network(config)


@dataclass
class _Translation:
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    placed: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    """Names of the layers that were made of a layer of the original, by the path to it."""

    calls: int = 0

    def network(self, config: dict[str, Any]) -> Network:
        own = config["config"]
        _only_one(own, "input")
        _only_one(own, "output")
        (layer,) = translate_layer(_input_layer(config))
        if not layer.config["batch_shape"]:
            raise ArtifactUnsupported("its input has no shape; build the model with a keras.Input and save it again")
        start = self.add(layer, "image" if own["layers"][0]["class_name"] != "InputLayer" else _name(own["layers"][0]))
        end = self.model(config, [Tensor(start, 0, 0)], ())
        if len(end) != 1:
            raise ArtifactUnsupported(f"it has {len(end)} outputs, expected 1")
        flat = {
            "name": NOT_IN_NAMES.sub("_", own["name"]),
            "layers": list(self.layers.values()),
            "input_layers": [[start, 0, 0]],
            "output_layers": [list(end[0])],
        }
        origins = [(names[0], path) for path, names in self.placed.items()]
        model = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": None}
        return Network({**model, "config": flat}, origins)

    def model(self, config: dict[str, Any], inputs: list[Tensor], path: tuple[str, ...]) -> list[Tensor]:
        """Add the calls of a model's layers; return its outputs."""
        if config["class_name"] == "Sequential":
            tensors = inputs
            for layer in config["config"]["layers"]:
                if layer["class_name"] != "InputLayer":
                    tensors = self.call(layer, tensors, {}, path)
            return tensors
        return self.functional(config["config"], inputs, path)

    def functional(self, config: dict[str, Any], inputs: list[Tensor], path: tuple[str, ...]) -> list[Tensor]:
        calls = _calls(config)
        ends = _ends(config["output_layers"])
        known = {(name, 0): [tensor] for (name, *_), tensor in zip(_ends(config["input_layers"]), inputs, strict=True)}
        waiting, open_calls = [(name, number) for name, number, _ in ends], set()
        while waiting:
            key = waiting[-1]
            layer, node = calls[key]
            missing = [] if key in known else [used for used, _ in _references(node, calls) if used not in known]
            if missing:
                if key in open_calls:
                    raise ValueError(f"layer {key[0]} needs its own output")
                open_calls.add(key)
                waiting += missing
                continue
            waiting.pop()
            if key not in known:
                known[key] = self.node(layer, node, calls, known, path)
        return [known[name, number][output] for name, number, output in ends]

    def node(self, layer: Any, node: Any, calls: Calls, known: Any, path: tuple[str, ...]) -> list[Tensor]:
        """Add one call of a layer of a Functional model; return its outputs."""

        def tensor(value: Any) -> Any:
            return next((known[key][output] for key, output in _references(value, calls)), value)

        single = isinstance(node[0], str)
        parts = [node] if single else node
        first = [part[2] if part[0] == CONSTANT else tensor(part[:3]) for part in parts]
        given = parts[0][3] if len(parts[0]) > 3 else {}
        arguments = {key: tensor(value) for key, value in given.items()}
        if layer["class_name"] in CALLERS:
            function = layer["config"]["function"]
            made, inputs = translate_operation(_name(layer), function, first[0] if single else first, arguments)
            end = self.connect(self.add(made, _name(layer)), inputs, {}, made)
            return [end._replace(output=number) for number in range(made.outputs)]
        return self.call(layer, first, arguments, path)

    def call(self, layer: Any, inputs: list[Tensor], arguments: dict[str, Any], path: tuple[str, ...]) -> list[Tensor]:
        self.calls += 1
        if self.calls > PARTS:
            raise ArtifactUnsupported(f"it calls more than {PARTS:,} layers")
        own = (*path, _name(layer))
        _check_arguments(layer, arguments)
        if layer["class_name"] in MODELS:
            return self.model(layer, inputs, own)
        if own not in self.placed:
            made, *after = translate_layer(layer)
            self.placed[own] = [self.add(made, own[-1], "_".join(own))]
            self.placed[own] += [self.add(one, f"{own[-1]}_{one.class_name.lower()}") for one in after]
        tensors = {key: value for key, value in arguments.items() if isinstance(value, Tensor)}
        for name in self.placed[own]:
            inputs, tensors = [self.connect(name, inputs, tensors)], {}
        return inputs

    def add(self, layer: Layer, *wanted: str) -> str:
        """Add a layer under the first of the wanted names that is free, or one with a number; return its name."""
        plain = [NOT_IN_NAMES.sub("_", name).lstrip("_.-") or layer.class_name.lower() for name in wanted]
        numbered = (f"{plain[0]}_{number}" for number in count(1))
        name = next(name for name in chain(plain, numbered) if name not in self.layers)
        self.layers[name] = {**as_object(layer, name), "name": name, "inbound_nodes": []}
        return name

    def connect(
        self, name: str, inputs: list[Tensor], arguments: dict[str, Tensor], made: Layer | None = None
    ) -> Tensor:
        """Add a call of a layer, `made` of a function; return its first output."""
        nodes = self.layers[name]["inbound_nodes"]
        tensors = [_keras_tensor(tensor) for tensor in inputs]
        kwargs = {key: _keras_tensor(tensor) for key, tensor in arguments.items()}
        apart = len(tensors) == 1 or (made is not None and made.class_name in OF_TWO)
        nodes.append(
            {"args": [*(tensors if apart else [tensors]), *(made.constants if made else ())], "kwargs": kwargs}
        )
        return Tensor(name, len(nodes) - 1, 0)


def _name(layer: dict[str, Any]) -> str:
    return str(layer["config"].get("name") or layer["name"])


def _input_layer(config: dict[str, Any]) -> dict[str, Any]:
    """Return the input layer of a model, made of the shape that the first layer or the model states if it has none."""
    own = config["config"]
    layers = own["layers"]
    first = layers[0]
    if config["class_name"] != "Sequential":
        (name, *_), *_ = _ends(own["input_layers"])
        first = {layer["name"]: layer for layer in layers}[name]
    if first["class_name"] in MODELS:
        return _input_layer(first)
    if first["class_name"] == "InputLayer":
        return dict(first)
    shape = first["config"].get("batch_input_shape") or own.get("build_input_shape")
    return {"class_name": "InputLayer", "config": {"batch_input_shape": shape}}


def _only_one(config: dict[str, Any], kind: str) -> None:
    ends = _ends(config.get(f"{kind}_layers", [[""]]))
    if len(ends) != 1:
        names = ", ".join(str(name) for name, *_ in ends)
        raise ArtifactUnsupported(f"it has {len(ends)} {kind}s ({names[:200]}), expected 1; save a model with one")


def _ends(ends: Any) -> list[Any]:
    """Return a model's inputs or outputs as a list of [layer, call, output]."""
    if isinstance(ends, dict):
        ends = list(ends.values())
    return [ends] if isinstance(ends[0], str) else list(ends)


def _calls(config: dict[str, Any]) -> Calls:
    """Return the calls in a Functional model, numbered as in the references to them."""
    layers = {layer["name"]: layer for layer in config["layers"]}
    everything = [[layer["inbound_nodes"] for layer in layers.values()], _ends(config["output_layers"])]
    used = [key for key, _ in _references(everything, layers)]
    # The first call of a model may be number 1; number 0 is then its own graph.
    starts = {name: number for name, number in sorted(used, reverse=True) if layers[name]["class_name"] in MODELS}
    return {
        (name, number): (layer, node)
        for name, layer in layers.items()
        for number, node in enumerate(layer["inbound_nodes"] or [[]], starts.get(name, 0))
    }


def _references(value: Any, known: Collection[Any]) -> Iterator[tuple[tuple[str, int], int]]:
    """Yield layer and number of every call that a node refers to, and the output; `known` has layers or calls."""
    if isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str) and value[0] != CONSTANT:
        if isinstance(value[1], int) and (value[0] in known or (value[0], value[1]) in known):
            yield (value[0], value[1]), value[2]
        value = value[3:]
    if isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _references(part, known)


def _check_arguments(layer: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Refuse what a call of a layer was given, unless it changes nothing."""
    allowed = ARGUMENTS.get(layer["class_name"], ())
    for key, value in arguments.items():
        harmless = value is None or value is False or (key in allowed and isinstance(value, Tensor))
        if not harmless:
            raise ArtifactUnsupported(
                f"layer {_name(layer)[:60]!r} ({layer['class_name']}) is called with {key}={str(value)[:60]}, which is"
                " not supported; save the network without it"
            )


def _keras_tensor(tensor: Tensor) -> dict[str, Any]:
    # Keras reads the shape and dtype, and uses only the history.
    config = {"shape": [None], "dtype": "float32", "keras_history": list(tensor)}
    return {"class_name": "__keras_tensor__", "config": config}
