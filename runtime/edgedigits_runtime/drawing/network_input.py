"""The network's input: the framed crops of a picture side by side, each with its result."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgedigits_runtime.drawing.canvas import FAINT, REFUSED, as_image, colour_of
from edgedigits_runtime.drawing.contact_sheet import Cell, SheetStyle, contact_sheet

if TYPE_CHECKING:
    from edgedigits_runtime.reading.results import Trace

MOST_CELLS = 96
"""Maximum number of drawn crops; rejected and least confident ones come first."""

SECOND_CHOICES = 2
LEAST_SHARE = 0.005

CROPS = SheetStyle(cell_width=140, cell_height=140)


def network_input_sheet(trace: "Trace", labels: Sequence[str]) -> Image.Image:
    """Return a sheet of the enlarged crops of one picture, each with its result, RGB."""
    count = len(trace.framed)
    shape = "x".join(str(side) for side in trace.framed.shape[1:3])
    title = f"{trace.reading.source}: {count} crop{'' if count == 1 else 's'} of {shape}"
    return contact_sheet(crop_cells(trace, labels), title, hidden_crops(trace), CROPS)


def crop_cells(trace: "Trace", labels: Sequence[str]) -> list[Cell]:
    """Return a cell for each crop in reading order, at most MOST_CELLS, numbered from 1."""
    count = len(trace.framed)
    order = np.lexsort((trace.confidences.max(axis=1), trace.kept)) if count > MOST_CELLS else np.arange(count)
    return [_cell(trace, labels, index) for index in sorted(order[:MOST_CELLS].tolist())]


def hidden_crops(trace: "Trace") -> list[str]:
    """Return a line with the number of crops that are not drawn, or no line."""
    hidden = len(trace.framed) - MOST_CELLS
    return [f"{hidden} of {len(trace.framed)} crops, the surest, are not drawn here"] if hidden > 0 else []


def _cell(trace: "Trace", labels: Sequence[str], index: int) -> Cell:
    row = trace.confidences[index]
    order = np.argsort(-row, kind="stable")
    best = float(row[order[0]])
    kept = bool(trace.kept[index])
    colour = colour_of(best) if kept else REFUSED
    others = ", ".join(f"{labels[i]} {row[i]:.0%}" for i in order[1 : 1 + SECOND_CHOICES] if row[i] >= LEAST_SHARE)
    reason = "" if kept else trace.why[index] or "left out"
    found = [] if trace.scores is None else [f"digit {trace.scores[index, 0]:.0%}, letter {trace.scores[index, 1]:.0%}"]
    return Cell(
        as_image(trace.framed[index]),
        title=f"{labels[order[0]]}  {best:.1%}" if kept else f"({labels[order[0]]}  {best:.1%})",
        lines=(
            (f"#{index + 1}" + (f"   or {others}" if others else ""), FAINT),
            *((line, FAINT) for line in found),
            *((line, colour) for line in textwrap.wrap(reason, 20, max_lines=3, placeholder=" ..")),
        ),
        border=colour,
    )
