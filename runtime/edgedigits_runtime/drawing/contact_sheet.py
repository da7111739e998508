"""A contact sheet: pictures side by side in rows, each with a title and lines of text below it."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from edgedigits_runtime.drawing.canvas import FAINT, GROUND, INK, draw_on, fitted, font, printable, shortened

MARGIN = 16
GAP = 12
PADDING = 6
BORDER = "#d0d7de"


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet.

    Attributes:
        image: picture, scaled to the cell.
        title: in large text below the picture.
        lines: of text below the title, each with its colour.
        border: colour of the line around the picture.
    """

    image: Image.Image
    title: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    border: str = BORDER


@dataclass(frozen=True)
class SheetStyle:
    """Sizes in pixels: of a cell's picture, of the sheet at most, and of the text."""

    cell_width: int = 168
    cell_height: int = 168
    sheet_width: int = 1440
    text: int = 14
    heading: int = 20

    @property
    def line(self) -> int:
        return round(self.text * 1.3)

    @property
    def title(self) -> int:
        return round(self.heading * 1.4)


def contact_sheet(
    cells: Sequence[Cell], title: str, notes: Sequence[str] = (), style: SheetStyle = SheetStyle()
) -> Image.Image:
    """Return the sheet, RGB: a title, lines of notes, and the cells from left to right, top to bottom."""
    available = (style.sheet_width - 2 * MARGIN + GAP) // (style.cell_width + GAP)
    columns = max(1, min(len(cells), max(1, available)))
    pitch = style.cell_width + GAP
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    heights = [style.cell_height + _text_height(row, style) + GAP for row in rows]
    top = MARGIN + style.title + len(notes) * style.line + GAP
    heading = [(title, style.heading, INK), *((note, style.text, FAINT) for note in notes)]
    widest = max(font(size).getlength(printable(text)) for text, size, _ in heading)
    width = min(max(columns * pitch - GAP, int(widest) + 1), style.sheet_width - 2 * MARGIN)
    sheet = Image.new("RGB", (width + 2 * MARGIN, top + sum(heights)), GROUND)
    draw = draw_on(sheet)
    for number, (text, size, colour) in enumerate(heading):
        down = style.title + (number - 1) * style.line if number else 0
        draw.text((MARGIN, MARGIN + down), shortened(printable(text), size, width), colour, font(size))
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            _place(sheet, cell, (MARGIN + column * pitch, top), style)
        top += height
    return sheet


def _text_height(cells: Sequence[Cell], style: SheetStyle) -> int:
    titles = style.title if any(cell.title for cell in cells) else 0
    return PADDING + titles + style.line * max((len(cell.lines) for cell in cells), default=0)


def _place(sheet: Image.Image, cell: Cell, corner: tuple[int, int], style: SheetStyle) -> None:
    left, top = corner
    image = fitted(cell.image, style.cell_width, style.cell_height)
    x, y = left + (style.cell_width - image.width) // 2, top + (style.cell_height - image.height) // 2
    sheet.paste(image, (x, y))
    draw = draw_on(sheet)
    draw.rectangle((x - 2, y - 2, x + image.width + 1, y + image.height + 1), outline=cell.border, width=2)
    top += style.cell_height + PADDING
    if cell.title:
        title = shortened(printable(cell.title), style.heading, style.cell_width)
        draw.text((left, top), title, INK, font(style.heading))
        top += style.title
    for number, (line, colour) in enumerate(cell.lines):
        text = shortened(printable(line), style.text, style.cell_width)
        draw.text((left, top + number * style.line), text, colour, font(style.text))
