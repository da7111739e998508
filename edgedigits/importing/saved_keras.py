"""The Keras 3 side of an import: make a `.keras` file of a network and run it. Called in a child process."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.importing.random_inputs import input_range, random_inputs
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.errors import ArtifactUnsupported, ConversionFailed, first_line

BATCH = 50


def version() -> str:
    """Import Keras, and return its version."""
    return str(load_keras().__version__)


def rebuild(
    config: str, weights: dict[str, list[NDArray[Any]]], inputs: NDArray[Any], batch: int, target: str
) -> NDArray[Any]:
    """Write a translated network with weights by layer to a file; return what the file answers.

    Raises:
        ConversionFailed: Keras 3 refuses the network, or has other weights for a layer.
    """
    keras = load_keras()
    try:
        model = keras.saving.deserialize_keras_object(json.loads(config))
    # Keras's layers raise any exception on arguments that they do not know.
    except Exception as error:
        raise ConversionFailed(f"Keras 3 refuses its layers: {_reason(error)}") from error
    for name, values in weights.items():
        layer = model.get_layer(name)
        ours, theirs = [tuple(weight.shape) for weight in layer.weights], [value.shape for value in values]
        # A random generator is a weight in Keras 2 only.
        if ours and ours != theirs:
            raise ConversionFailed(f"layer {name!r} has weights of {theirs}, Keras 3 expects {ours}")
        if ours:
            layer.set_weights(values)
    model.save(target)
    return _answers(target, inputs, batch)


def resave(source: str, target: str) -> list[NDArray[Any]]:
    """Load a checked file and write it again; return what both answer.

    Raises:
        ConversionFailed: Keras 3 cannot load it.
        ArtifactUnsupported: it has several inputs or outputs, or an input without a shape.
    """
    keras = load_keras()
    try:
        model = keras.models.load_model(source, compile=False, safe_mode=True)
    # Keras passes on any exception of zipfile, json, h5py and its layers.
    except Exception as error:
        raise ConversionFailed(f"Keras {keras.__version__} cannot load it: {_reason(error)}") from error
    ends = {"inputs": model.inputs or [], "outputs": model.outputs or []}
    for kind, tensors in ends.items():
        if len(tensors) != 1:
            names = ", ".join(tensor.name for tensor in tensors)
            raise ArtifactUnsupported(
                f"it has {len(tensors)} {kind} ({names[:200]}), expected 1; save a model with one"
            )
    (tensor,) = ends["inputs"]
    inputs = random_inputs(list(tensor.shape), tensor.dtype, input_range(_layers(model)))
    batch = tensor.shape[0] or BATCH
    before = np.asarray(model.predict(inputs, batch_size=batch, verbose=0))
    model.save(target)
    return [before, _answers(target, inputs, batch)]


def _answers(path: str, inputs: NDArray[Any], batch: int) -> NDArray[Any]:
    model = load_keras().models.load_model(path, compile=False, safe_mode=True)
    return np.asarray(model.predict(inputs, batch_size=batch, verbose=0))


def _layers(model: Any) -> Iterator[tuple[str, dict[str, Any], list[NDArray[Any]]]]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield type(layer).__name__, layer.get_config(), layer.get_weights()


def _reason(error: Exception) -> str:
    """Return the end of a message in which Keras quotes another."""
    return str(error).rpartition("Exception encountered: ")[2].strip().partition("\n")[0][:300] or first_line(error)
