"""The network's layers, drawn and listed."""

from edgedigits.reports.facts import Facts
from edgedigits.reports.figures.network import network_figure
from edgedigits.reports.html import Picture, Section, charts, table
from edgedigits.reports.layers import Layer, layers_of
from edgedigits_runtime.errors import MissingExtra

TITLE = "Network"


def network(facts: Facts) -> Section:
    """Return the layered drawing and the summary."""
    if facts.network is None:
        return Section("network", TITLE, missing=facts.why("network"))
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
    said = ", ".join(f"{layer.kind} to {layer.shape_text}" for layer in layers)
    return Picture(
        "network", network_figure(layers), f"Layered drawing of the network, from an input of {shape}: {said}.",
        "Each layer with the shape of its output and its parameters.", wide=True,
    )  # fmt: skip
