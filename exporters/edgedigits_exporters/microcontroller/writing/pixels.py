"""The C text that prepares pixels as the contract says: as edgedigits_runtime.preprocessing does."""

import numpy as np

from edgedigits_exporters.microcontroller.graph import Graph
from edgedigits_exporters.microcontroller.layers.layer import STORED
from edgedigits_exporters.microcontroller.writing import literals
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.preprocessing import pixel_table
from edgedigits_runtime.templates import fill


def pixel_kernels(contract: Contract) -> tuple[str, ...]:
    """Return the files under kernels/ that the text needs."""
    return ("limited", "round_xnnpack") if contract.normalisation == "column-l2" else ()


def pixels_text(graph: Graph, contract: Contract) -> str:
    """Return the definition of `prepare`: from a row of pixels to a row of stored values."""
    from edgedigits_exporters.microcontroller.writing.source import kernel

    if contract.normalisation == "column-l2":
        values = {"SCALE": literals.number(graph.input.scale), "ZERO": graph.input.zero_point + STORED}
        return fill(kernel("pixels_column_l2"), values)
    table = stored_pixels(graph)
    if np.array_equal(table, np.arange(256)):
        return kernel("pixels_unchanged")
    return literals.array("uint8_t", "stored_pixels", table) + "\n\n" + kernel("pixels_by_table")


def stored_pixels(graph: Graph) -> np.ndarray:
    """Return what is stored, plus 128, for each pixel value."""
    table = pixel_table("unit", Tensor("input", (1,), "int8", graph.input.scale, graph.input.zero_point))
    assert table is not None
    return np.frombuffer(table, np.int8).astype(np.int16) + STORED
