"""Draw each cause of docs/reading.md as read by the shipped base model, and tabulate the readings.

A sheet shows the reading, the ink that was found, and the network's input. The table also counts how many of twenty
pictures of the same cause are read correctly.
"""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, PngImagePlugin

from benchmarks.reading_pictures.causes import Cause
from edgedigits.loading import load
from edgedigits.predicting.text import single_line
from edgedigits_runtime.drawing.annotate import annotate, outline_digits
from edgedigits_runtime.drawing.canvas import FAINT
from edgedigits_runtime.drawing.contact_sheet import Cell, SheetStyle, contact_sheet
from edgedigits_runtime.drawing.explain import stacked
from edgedigits_runtime.drawing.network_input import crop_cells

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reader

FOLDER, PAGE, SECTION = Path("pictures", "reading"), "reading.md", "readings"

SEED, ALIKE = 0, 20
"""Seed of the displayed picture, and the number of pictures of the same cause, from that seed on."""

WIDTH = 800
PANELS = SheetStyle(cell_width=378, cell_height=262, sheet_width=WIDTH, text=13, heading=18)
CROPS = SheetStyle(cell_width=112, cell_height=112, sheet_width=WIDTH, text=12, heading=15)
# A compromise between file size and legible text, boxes and paper.
COLOURS = 56


@dataclass(frozen=True)
class Outcome:
    """Readings of a cause.

    Attributes:
        cause: the cause.
        there: written digits, lines separated by "\\n".
        read: digits read, as text.
        right: number of correct readings of ALIKE pictures.
    """

    cause: Cause
    there: str
    read: str
    right: int

    @property
    def claim(self) -> str:
        """Text on the sheet of this cause."""
        return f"{single_line(self.there)} written, {single_line(self.read)} read"


@cache
def _reader(length: int | None) -> "Reader":
    return load("base", length=length)


def read_cause(cause: Cause, alike: int = ALIKE) -> Outcome:
    """Read `alike` pictures of a cause."""
    reader = _reader(cause.length)
    pages = [cause.draw(SEED + number) for number in range(alike)]
    read = [reader.read(page.picture).text for page in pages]
    right = sum(text == page.text for text, page in zip(read, pages, strict=True))
    return Outcome(cause, pages[0].text, read[0], right)


def draw_sheet(cause: Cause) -> bytes:
    """Return the sheet of a cause as a PNG file with its claim as "Description"."""
    page, reader = cause.draw(SEED), _reader(cause.length)
    trace = reader.trace(page.picture, name=cause.name)
    claim = Outcome(cause, page.text, trace.reading.text, 0).claim
    ink = outline_digits(trace.ink, trace.reading.digits, PANELS.cell_width, PANELS.cell_height)
    cells = [
        Cell(annotate(trace.picture, trace.reading), lines=(("the picture, and what was read", FAINT),)),
        Cell(ink, lines=(("the ink that was found in it", FAINT),)),
    ]
    option = f" (--length {cause.length})" if cause.length else ""
    panels = contact_sheet(cells, f"{cause.title}: {claim}{option}", style=PANELS)
    crops = crop_cells(trace, reader.classifier.contract.labels)
    sheet = stacked([panels, contact_sheet(crops, "network input and result", style=CROPS)])
    wide = Image.new("RGB", (WIDTH, sheet.height), "white")
    wide.paste(sheet, (0, 0))
    return _small_png(wide, claim)


def _small_png(sheet: Image.Image, claim: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Description", claim)
    file = io.BytesIO()
    # Maximum coverage keeps the rare colours of pens; k-means then fits the frequent colours of paper.
    palette = sheet.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    palette.save(file, "PNG", optimize=True, pnginfo=info)
    return file.getvalue()


def table(outcomes: list[Outcome]) -> str:
    """Return the page's table as Markdown."""
    lines = [f"| picture | written | read | right of {ALIKE} drawn alike |", "|---|---|---|---|"]
    for one in outcomes:
        cause = one.cause
        option = f", `--length {cause.length}`" if cause.length else ""
        picture = f"[{cause.title}]({(FOLDER / f'{cause.name}.png').as_posix()}){option}"
        lines.append(f"| {picture} | {single_line(one.there)} | {single_line(one.read)} | {one.right} |")
    return "\n".join(lines)
