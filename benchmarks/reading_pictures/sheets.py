"""Draw the pictures of docs/reading.md, and write there what was read in them.

    python -m benchmarks.reading_pictures.sheets docs

Each picture of causes.py goes through the shipped base. Its sheet shows what was read, the ink that was found, and
the crops that the network saw; the page's table states it, and how many of twenty drawn alike are read right.
"""

import argparse
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, PngImagePlugin

from benchmarks.reading_pictures.causes import CAUSES, UNREAD, Cause
from edgedigits.predicting.text import single_line
from edgedigits_runtime.drawing.annotate import annotate, mark_digits
from edgedigits_runtime.drawing.canvas import FAINT
from edgedigits_runtime.drawing.contact_sheet import Cell, Layout, contact_sheet
from edgedigits_runtime.drawing.explain import stacked
from edgedigits_runtime.drawing.network_input import crop_cells
from edgedigits_runtime.errors import ArtifactNotFound
from edgedigits_runtime.whole_files import write_whole

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.results import Trace

FOLDER, PAGE = Path("pictures", "reading"), "reading.md"
START, END = "<!-- readings: made by make reading-pictures -->", "<!-- end of readings -->"

SEED, ALIKE = 0, 20
"""The picture that is shown, and how many are drawn alike, from that seed on."""

WIDTH = 800
PANELS = Layout(cell_width=378, cell_height=262, sheet_width=WIDTH, text=13, heading=18)
CROPS = Layout(cell_width=112, cell_height=112, sheet_width=WIDTH, text=12, heading=15)
# Few enough for small files, and enough for text, boxes and the grey of paper.
COLOURS = 56


@dataclass(frozen=True)
class Outcome:
    """What came of a cause.

    Attributes:
        cause: which.
        there: the digits that are written, lines parted by "\\n".
        read: what was read, likewise.
        right: how many of ALIKE were read right.
    """

    cause: Cause
    there: str
    read: str
    right: int

    @property
    def claim(self) -> str:
        """What the sheet of this cause says."""
        return f"{single_line(self.there)} written, {single_line(self.read)} read"


@cache
def _reader(length: int | None) -> "Reader":
    from edgedigits import load

    return load("base", length=length)


def read_cause(cause: Cause, alike: int = ALIKE) -> Outcome:
    """Read the picture of a cause and those drawn alike."""
    reader = _reader(cause.length)
    pages = [cause.draw(SEED + number) for number in range(alike)]
    read = [reader.read(page.picture).text for page in pages]
    right = sum(text == page.text for text, page in zip(read, pages, strict=True))
    return Outcome(cause, pages[0].text, read[0], right)


def draw_sheet(cause: Cause) -> bytes:
    """Return the sheet of a cause as a PNG file; its "Description" is what was written and read."""
    page, reader = cause.draw(SEED), _reader(cause.length)
    trace = reader.trace(page.picture, name=cause.name)
    claim = Outcome(cause, page.text, trace.reading.text, 0).claim
    sheet = stacked([_panels(trace, cause, claim), _crops(trace, reader.classifier.contract.labels)])
    wide = Image.new("RGB", (WIDTH, sheet.height), "white")
    wide.paste(sheet, (0, 0))
    return _small_png(wide, claim)


def _panels(trace: "Trace", cause: Cause, claim: str) -> Image.Image:
    ink = mark_digits(trace.ink, trace.reading.digits, PANELS.cell_width, PANELS.cell_height)
    cells = [
        Cell(annotate(trace.picture, trace.reading), lines=(("the picture, and what was read", FAINT),)),
        Cell(ink, lines=(("the ink that was found in it", FAINT),)),
    ]
    told = f" (--length {cause.length})" if cause.length else ""
    return contact_sheet(cells, f"{cause.title}: {claim}{told}", layout=PANELS)


def _crops(trace: "Trace", labels: tuple[str, ...]) -> Image.Image:
    return contact_sheet(crop_cells(trace, labels), "what the network saw, and what it said", layout=CROPS)


def _small_png(sheet: Image.Image, claim: str) -> bytes:
    said = PngImagePlugin.PngInfo()
    said.add_text("Description", claim)
    file = io.BytesIO()
    # Maximum coverage keeps the few pixels of a coloured pen, and k-means then the many of its paper.
    palette = sheet.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    palette.save(file, "PNG", optimize=True, pnginfo=said)
    return file.getvalue()


def render(outcomes: list[Outcome]) -> str:
    """Return the page's table as Markdown."""
    lines = [f"| picture | written | read | right of {ALIKE} drawn alike |", "|---|---|---|---|"]
    for one in outcomes:
        cause = one.cause
        told = f", `--length {cause.length}`" if cause.length else ""
        picture = f"[{cause.title}]({(FOLDER / f'{cause.name}.png').as_posix()}){told}"
        lines.append(f"| {picture} | {single_line(one.there)} | {single_line(one.read)} | {one.right} |")
    return "\n".join(lines)


def section_of(page: str) -> tuple[str, str, str]:
    """Return what stands before, between and after the markers of the table.

    Raises:
        ArtifactNotFound: the page has no such markers.
    """
    before, found, rest = page.partition(START)
    table, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise ArtifactNotFound(f"{PAGE} has no section between {START} and {END}")
    return before, table.strip(), after


def main() -> None:
    """Draw every sheet and rewrite the page's table."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/reading.md and write what was read.")
    parser.add_argument("docs", type=Path, help="the folder of the page, docs/")
    docs: Path = parser.parse_args().docs
    causes = (*CAUSES, *UNREAD)
    before, _, after = section_of((docs / PAGE).read_text())
    for cause in causes:
        write_whole(docs / FOLDER / f"{cause.name}.png", draw_sheet(cause))
    table = render([read_cause(cause) for cause in causes])
    write_whole(docs / PAGE, f"{before}{START}\n{table}\n{END}{after}".encode())
    print(table)


if __name__ == "__main__":
    main()
