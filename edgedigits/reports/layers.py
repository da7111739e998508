"""The layers of a Keras network, as a report lists them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layer:
    """One layer: its name, its class, the shape of its output without the batch, and its parameters."""

    name: str
    kind: str
    shape: tuple[int | None, ...]
    parameters: int

    @property
    def shape_text(self) -> str:
        return "×".join("?" if size is None else str(size) for size in self.shape)


def layers_of(model: Any) -> tuple[Layer, ...]:
    """Return the layers of a built Keras model; the input is none."""
    return tuple(
        Layer(layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), int(layer.count_params()))
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    )
