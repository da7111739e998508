"""Layers: one module per operator of the graph, all `lower(operator, sources, kernels) -> Layer`."""

import importlib

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Clamp, Operator, Reshape
from edgedigits_exporters.microcontroller.layers import clamp
from edgedigits_exporters.microcontroller.layers.layer import Layer, Source, require_sizes

_HERE = "edgedigits_exporters.microcontroller.layers"

LAYERS = {
    "Add": f"{_HERE}.add",
    "Clamp": f"{_HERE}.clamp",
    "Convolution": f"{_HERE}.convolution",
    "Depthwise": f"{_HERE}.depthwise",
    "Pad": f"{_HERE}.pad",
    "Pool": f"{_HERE}.pool",
    "Mean": f"{_HERE}.mean",
    "Separable": f"{_HERE}.separable",
    "Softmax": f"{_HERE}.softmax",
}


def lower(operator: Operator, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return an operator as C.

    Raises:
        ArtifactUnsupported: sizes or scales with which LiteRT's answers cannot be had.
    """
    require_sizes(operator)
    layer: Layer = importlib.import_module(LAYERS[type(operator).__name__]).lower(operator, sources, kernels)
    return layer


def does_nothing(operator: Operator, kernels: Kernels) -> bool:
    """Return whether an operator leaves all values as they are stored."""
    return isinstance(operator, Reshape) or (isinstance(operator, Clamp) and clamp.is_identity(operator, kernels))
