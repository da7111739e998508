"""A sheet of misread pictures, each with its boxes, its label and its reading."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgedigits.predicting.text import NO_DIGIT, single_line
from edgedigits_runtime.drawing.annotate import outline_digits
from edgedigits_runtime.drawing.canvas import DOUBTFUL, FAINT, INK, text_width
from edgedigits_runtime.drawing.contact_sheet import Cell, SheetStyle, contact_sheet
from edgedigits_runtime.errors import PictureError
from edgedigits_runtime.reading.decode import decode

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgedigits.verification.folder_evaluation import Case

MOST_CELLS = 120
CELLS = SheetStyle(cell_width=224, cell_height=224)


def misread_sheet(misread: "Sequence[Case]", title: str) -> "Image":
    """Return the sheet, RGB, of at most 120 pictures in the order given, without those that cannot be opened."""
    readable = [case for case in misread if case.reading is not None]
    cells = [cell for case in readable[:MOST_CELLS] if (cell := _cell(case))]
    more = len(misread) - len(cells)
    return contact_sheet(cells, title, [f"and {more} more"] if more else [], CELLS)


def _cell(case: "Case") -> Cell | None:
    try:
        picture = decode(case.picture.path, channels=3)
    except PictureError:
        return None
    label = case.picture.label or NO_DIGIT
    read = single_line(case.reading.text) if case.reading else NO_DIGIT
    short = f"{label} read as {read}"
    fits = text_width(short, CELLS.heading) <= CELLS.cell_width
    lines = [] if fits else [(f"label: {label}", INK), (f"read: {read}", DOUBTFUL)]
    confidence = f"{case.confidence:.1%} sure, " if case.read else ""
    image = outline_digits(picture, case.digits, CELLS.cell_width, CELLS.cell_height)
    return Cell(image, short if fits else "", (*lines, (f"{confidence}{case.picture.name}", FAINT)))
