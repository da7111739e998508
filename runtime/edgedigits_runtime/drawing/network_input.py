"""What the network saw: the framed crops of a picture, side by side, with what was made of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgedigits_runtime.drawing.canvas import FAINT, REFUSED, as_image, colour_of
from edgedigits_runtime.drawing.contact_sheet import Cell, SheetStyle, contact_sheet

if TYPE_CHECKING:
    from edgedigits_runtime.reading.results import Trace

MOST_CELLS = 96
"""More crops than these are counted, not drawn; those left out and the least sure come first."""

SECOND_CHOICES = 2
WORTH_SHOWING = 0.005

CROPS = SheetStyle(cell_width=140, cell_height=140)


def network_input_sheet(trace: "Trace", labels: Sequence[str]) -> Image.Image:
    """Return the crops as the network took them, enlarged, each with its answer, RGB.

    Args:
        trace: of one picture.
        labels: the model's names of its classes.
    """
    count = len(trace.framed)
    shape = "x".join(str(side) for side in trace.framed.shape[1:3])
    title = f"{trace.reading.source}: {count} crop{'' if count == 1 else 's'} of {shape}"
    return contact_sheet(crop_cells(trace, labels), title, hidden_crops(trace), CROPS)


def crop_cells(trace: "Trace", labels: Sequence[str]) -> list[Cell]:
    """Return a cell for each crop, in reading order, at most MOST_CELLS of them, numbered from 1."""
    return [_cell(trace, labels, int(index)) for index in _shown(trace)]


def hidden_crops(trace: "Trace") -> list[str]:
    """Return a line that counts the crops which are not drawn, or no line."""
    hidden = len(trace.framed) - MOST_CELLS
    return [f"{hidden} of {len(trace.framed)} crops, the surest, are not drawn here"] if hidden > 0 else []


def _shown(trace: "Trace") -> Sequence[int]:
    if len(trace.framed) <= MOST_CELLS:
        return range(len(trace.framed))
    doubt = np.lexsort((trace.confidences.max(axis=1), trace.kept))
    return sorted(int(index) for index in doubt[:MOST_CELLS])


def _cell(trace: "Trace", labels: Sequence[str], index: int) -> Cell:
    row = trace.confidences[index]
    order = np.argsort(-row, kind="stable")
    best = float(row[order[0]])
    kept = bool(trace.kept[index])
    colour = colour_of(best) if kept else REFUSED
    others = ", ".join(f"{labels[i]} {row[i]:.0%}" for i in order[1 : 1 + SECOND_CHOICES] if row[i] >= WORTH_SHOWING)
    verdict = "" if kept else trace.why[index] or "left out"
    return Cell(
        as_image(trace.framed[index]),
        title=f"{labels[order[0]]}  {best:.1%}" if kept else f"({labels[order[0]]}  {best:.1%})",
        lines=(
            (f"#{index + 1}" + (f"   or {others}" if others else ""), FAINT),
            *((line, colour) for line in _wrapped(verdict)),
        ),
        frame=colour,
    )


def _wrapped(text: str, width: int = 20, most: int = 3) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, max_lines=most, placeholder=" ..")
