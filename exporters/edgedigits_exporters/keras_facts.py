"""What a Keras model states: its tensors, and how it is fed if its first layers scale the pixels."""

from pathlib import Path
from typing import Any

import numpy as np

from edgedigits_exporters.keras_backend import require_keras
from edgedigits_exporters.keras_file import load_bare
from edgedigits_runtime.contract import Normalisation, Tensor
from edgedigits_runtime.foreign.facts import RAW, Facts

PASSING = ("InputLayer", "Reshape", "Dropout", "GaussianNoise", "Identity", "Resizing", "ZeroPadding2D", "Permute")
"""Layers before which the pixels are still those of the input; random augmentation is another kind of them."""

LARGEST_SCALED = 8.0
"""Of pixels that are scaled already: standardised ones reach 3, raw ones 255."""


def read_facts(path: Path) -> Facts:
    """Return what a `.keras` file states; for errors see keras_file.load_model."""
    require_keras()
    model = load_bare(path)
    source, target = _tensor(model.inputs[0], "image"), _tensor(model.outputs[0], "probabilities")
    normalisation, reason = _normalisation(model)
    return Facts(path, "keras", "float32", source, target, None, normalisation, reason)


def _tensor(end: Any, name: str) -> Tensor:
    return Tensor(name, tuple(None if size is None else int(size) for size in end.shape), "float32")


def _normalisation(model: Any) -> tuple[Normalisation | None, str]:
    """Return what the first layer that changes pixels states about them."""
    for layer in _flat(model):
        kind = type(layer).__name__
        if kind in PASSING or kind.startswith("Random"):
            continue
        if kind not in ("Rescaling", "Normalization") or getattr(layer, "invert", False):
            return None, ""
        scale, offset = (layer.scale, layer.offset) if kind == "Rescaling" else _standard(layer)
        known: tuple[tuple[Normalisation, float], ...] = ((RAW, 255.0), ("unit", 1.0))
        for normalisation, largest in known:
            ends = np.abs([np.asarray(offset), largest * np.asarray(scale) + np.asarray(offset)])
            # Layers scale pixels to about -1..1; by much less where the input is smaller than expected.
            if ends.max() <= LARGEST_SCALED and np.asarray(largest * scale).max() >= 0.5:
                return normalisation, f"its {kind} layer"
        return None, ""
    return None, ""


def _standard(layer: Any) -> tuple[Any, Any]:
    """Return scale and offset of a Normalization layer."""
    mean, deviation = np.asarray(layer.mean), np.sqrt(np.asarray(layer.variance))
    return 1 / np.maximum(deviation, 1e-7), -mean / np.maximum(deviation, 1e-7)


def _flat(model: Any) -> list[Any]:
    """Return the layers in order, those of models in the model in their place."""
    return [inner for layer in model.layers for inner in (_flat(layer) if hasattr(layer, "layers") else [layer])]
