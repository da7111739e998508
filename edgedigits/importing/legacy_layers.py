"""Translate a layer of Keras 2 into layers of Keras 3."""

from typing import Any, NamedTuple

from edgedigits_exporters.keras_classes import MODELS
from edgedigits_runtime.errors import ArtifactUnsupported


class Layer(NamedTuple):
    """A layer of Keras 3.

    Attributes:
        class_name, config: its class and its arguments, without a name.
        module: that of an operation that is no layer.
        constants: arguments of its call behind the tensors.
        outputs: their number.
    """

    class_name: str
    config: dict[str, Any]
    module: str = "keras.layers"
    constants: tuple[Any, ...] = ()
    outputs: int = 1


ANY = object()

WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "autocast": (ANY,),
    "batch_input_shape": (ANY,),
    "dynamic": (False,),
    "implementation": (ANY,),
    "key_shape": (ANY,),
    "optional": (False,),
    "query_shape": (ANY,),
    "ragged": (False, None),
    "renorm": (False,),
    "rng_type": (ANY,),
    "softmax_robust_masking": (False,),
    "time_major": (False,),
    "value_shape": (ANY,),
    "virtual_batch_size": (None,),
}
"""Arguments that Keras 3 lacks, with the values that compute what Keras 3 does."""

ONE_GROUP = frozenset({
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D",
    "SeparableConv2D",
})  # fmt: skip
"""Convolutions whose `groups` Keras 2 wrote and ignored."""

_ACTIVATIONS = """
elu exponential gelu hard_sigmoid leaky_relu linear log_softmax mish relu relu6 selu sigmoid silu softmax softplus
softsign swish tanh
"""

ACTIVATIONS = frozenset(_ACTIVATIONS.split())

_RECURRENT = "ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell SimpleRNN SimpleRNNCell"

RECURRENT = frozenset(_RECURRENT.split())

HARD_SIGMOID = (Layer("Rescaling", {"scale": 0.2, "offset": 0.5}), Layer("ReLU", {"max_value": 1.0}))
"""hard_sigmoid of Keras 2, x / 5 + 0.5 between 0 and 1; that of Keras 3 is x / 6 + 0.5."""


def translate_layer(layer: dict[str, Any]) -> list[Layer]:
    """Return the layers of Keras 3 that compute what a layer of a cleaned config does; the first has its weights.

    Raises:
        ArtifactUnsupported: Keras 3 has no such argument or activation.
    """
    name, config = layer["class_name"], dict(layer["config"])
    where = f"layer {str(config.pop('name', name))[:60]!r} ({name})"
    if name == "InputLayer":
        shape = config.get("batch_input_shape") or config.get("batch_shape")
        return [Layer(name, {"batch_shape": shape, "dtype": config.get("dtype") or "float32"})]
    for key in [key for key in config if key in WITHOUT_EFFECT or (key == "groups" and name in ONE_GROUP)]:
        allowed, value = WITHOUT_EFFECT.get(key, (1,)), config.pop(key)
        if ANY not in allowed and value not in allowed:
            raise ArtifactUnsupported(f"{where} has {key} {value!r}, which Keras 3 lacks")
    if name in ("RandomHeight", "RandomWidth"):
        # Only training changes the size.
        return [Layer("Identity", {})]
    if name == "ThresholdedReLU":
        return [Layer("ReLU", {"threshold": config["theta"]})]
    if name.startswith("SpatialDropout"):
        config = {key: value for key, value in config.items() if key not in ("noise_shape", "trainable")}
    if name == "LeakyReLU" and "alpha" in config:
        config["negative_slope"] = config.pop("alpha")
    if isinstance(axis := config.get("axis"), list) and len(axis) == 1:
        config["axis"] = axis[0]
    after = _split_activation(name, config, where)
    return [Layer(name, {key: _inner(value, where) for key, value in config.items()}), *after]


def _split_activation(name: str, config: dict[str, Any], where: str) -> list[Layer]:
    """Return the layers that compute a layer's activation if Keras 3 lacks it or it is a layer itself."""
    for key in ("activation", "recurrent_activation"):
        found = config.get(key) or "linear"
        separate = key == "activation" and name not in RECURRENT
        if isinstance(found, dict) and separate:
            config[key] = "linear"
            return translate_layer(found)
        if not isinstance(found, str) or found not in ACTIVATIONS:
            raise ArtifactUnsupported(f"{where} has the activation {str(found)[:80]!r}; use one of Keras's own")
        if found == "hard_sigmoid" and not separate:
            raise ArtifactUnsupported(f"{where} has hard_sigmoid of Keras 2, which Keras 3 computes differently")
        if found == "hard_sigmoid":
            config[key] = "linear"
            return list(HARD_SIGMOID)
    return []


def _inner(value: Any, where: str) -> Any:
    """Translate the layers in an argument: those of wrappers, and cells."""
    if isinstance(value, list):
        return [_inner(part, where) for part in value]
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    layers = translate_layer(value) if value["class_name"] not in MODELS else []
    if len(layers) != 1:
        raise ArtifactUnsupported(f"{where} holds {value['class_name']}, expected one layer; use its layers one by one")
    return as_object(layers[0], value["config"]["name"])


def as_object(layer: Layer, name: str) -> dict[str, Any]:
    """Return a layer as Keras 3 writes it."""
    config = {**layer.config, "name": name}
    return {"module": layer.module, "class_name": layer.class_name, "config": config, "registered_name": None}
