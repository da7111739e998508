"""The layers of the network, drawn and listed."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ImageFont, ImageOps

from edgedigits.plotting import style
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, charts, table
from edgedigits_runtime.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Layer:
    """One layer, with the shape of its output without the batch."""

    name: str
    kind: str
    shape: tuple[int | None, ...]
    parameters: int

    @property
    def shape_text(self) -> str:
        return "×".join("?" if size is None else str(size) for size in self.shape)


def layers_of(model: Any) -> tuple[Layer, ...]:
    """Return the layers of a built Keras model without its input."""
    return tuple(
        Layer(layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), int(layer.count_params()))
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    )


TITLE = "Network"


def network(facts: Facts) -> Section:
    """Return the layered drawing and the summary."""
    if facts.network is None:
        return Section("network", TITLE, missing=facts.reasons("network"))
    model = facts.network.model
    layers = layers_of(model)
    shape = "×".join(map(str, model.input_shape[1:]))
    rows = [(layer.name, layer.kind, layer.shape_text, f"{layer.parameters:,}") for layer in layers]
    rows.append(("all", "", "", f"{model.count_params():,}"))
    summary = table(f"Layers; the input is {shape}", ("layer", "kind", "output", "parameters"), rows, numbers_from=3)
    try:
        picture = _drawing(layers, shape)
    except MissingExtra as error:
        return Section("network", TITLE, (summary,), missing=(f"the drawing: {error}",))
    return Section("network", TITLE, (charts([picture]), summary), (picture,))


def _drawing(layers: tuple[Layer, ...], shape: str) -> Picture:
    listing = ", ".join(f"{layer.kind} to {layer.shape_text}" for layer in layers)
    return Picture(
        "network", network_figure(layers), f"Layered drawing of the network, from an input of {shape}: {listing}.",
        "Each layer with the shape of its output and its parameters.", wide=True,
    )  # fmt: skip


FONT_SIZE = 18
MARGIN = 12
TALLEST = 220
"""Greatest height of a box, in pixels."""
COLOURS = {
    "Conv2D": style.BLUE, "MaxPooling2D": style.VERMILION, "AveragePooling2D": style.VERMILION,
    "Dropout": style.YELLOW, "Flatten": style.GREEN, "Dense": style.ORANGE, "BatchNormalization": style.PURPLE,
}  # fmt: skip
OTHER = style.SKY


def network_figure(layers: Sequence[Layer]) -> "Figure":
    """Draw the layers as boxes with their kind, output shape and parameters; MissingExtra without visualkeras."""
    try:
        visualkeras: Any = importlib.import_module("visualkeras")
    except ImportError as error:
        raise MissingExtra("drawing a network", "train-cpu") from error
    from matplotlib import font_manager

    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), FONT_SIZE)
    stand_ins = [_stand_in(layer) for layer in layers]
    tallest = max((layer.shape[0] or 1 for layer in layers if len(layer.shape) == 3), default=TALLEST)
    fills = {type(one): COLOURS.get(type(one).__name__, OTHER) for one in stand_ins}
    colours = {kind: {"fill": fill, "outline": style.INK} for kind, fill in fills.items()}
    drawing = visualkeras.layered_view(
        SimpleNamespace(layers=stand_ins),
        color_map=colours,
        text_callable=lambda i, _: (_caption(layers[i]), False),
        font=font, font_color=style.INK, spacing=112, padding=70, draw_funnel=False, one_dim_orientation="y",
        scale_xy=TALLEST / tallest, max_xy=TALLEST, min_xy=12, scale_z=0.5, max_z=120, min_z=12,
        legend_text_spacing_offset=0,
    )  # fmt: skip
    drawing = ImageOps.expand(drawing, MARGIN, "white")
    figure, axes = style.bare_axes(drawing.width / style.DPI, drawing.height / style.DPI)
    axes.imshow(np.asarray(drawing.convert("RGB")))
    return figure


def _stand_in(layer: Layer) -> Any:
    """Return an object with `output_shape`, which visualkeras needs and Keras 3 layers lack."""
    return type(layer.kind, (), {"name": layer.name, "output_shape": (None, *layer.shape)})()


def _caption(layer: Layer) -> str:
    parameters = f"{layer.parameters:,}" if layer.parameters else "–"
    return f"{layer.kind}\n{layer.shape_text}\n{parameters}"
