"""Explain a reading: every stage on one sheet, to find out why a digit was misread."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.drawing.annotate import count_in_words
from edgedigits_runtime.drawing.canvas import GROUND, INK, REFUSED, SURE, as_image, draw_on, fitted, font, text_width
from edgedigits_runtime.drawing.contact_sheet import GAP, MARGIN, SheetStyle, contact_sheet
from edgedigits_runtime.drawing.network_input import CROPS, crop_cells, hidden_crops

if TYPE_CHECKING:
    from edgedigits_runtime.reading.results import Reading, Trace

PANEL_WIDTH, PANEL_HEIGHT = (CROPS.sheet_width - MARGIN - 4 * GAP) // 2, 520
HEADING = 18
NUMBER = 12
LONGEST_RESULT = 32
HEAD = SheetStyle(heading=28)


def explain(trace: "Trace", labels: Sequence[str]) -> Image.Image:
    """Return picture, ink and numbered crops with every box, result and reason on one sheet, RGB."""
    height, width = trace.picture.shape[:2]
    heading = f"1  the picture at {width} x {height}, and the candidates"
    panels = [_panel(trace, as_image(trace.picture), heading)]
    # A model of plain pictures receives the whole picture, without a search for ink.
    if trace.ink.any() or not trace.candidates:
        heading = "2  the ink" if trace.scores is None else "2  the finder's map, and its scores"
        panels.append(_panel(trace, as_image(trace.ink), heading, trace.scores))
    notes = [f"{int(trace.kept.sum())} kept, {int((~trace.kept).sum())} left out (in brackets)", *hidden_crops(trace)]
    crops = contact_sheet(crop_cells(trace, labels), "3  network input and result", notes, CROPS)
    head = contact_sheet([], _result(trace.reading), _details(trace.reading), HEAD)
    return stacked([head, _beside(panels), crops])


def _result(reading: "Reading") -> str:
    name = reading.source.replace("\\", "/").rsplit("/", 1)[-1]
    if not reading.digits:
        return f"{name}: no digit"
    if len(reading.text) <= LONGEST_RESULT:
        return f"{name} reads {' / '.join(reading.text.splitlines())}"
    return f"{name}: {count_in_words(reading)}"


def _details(reading: "Reading") -> list[str]:
    stages = ", ".join(f"{stage} {taken:.1f}" for stage, taken in reading.ms.items())
    return [
        reading.source,
        *([f"note: {reading.note}"] if reading.note else []),
        f"{_models(reading)};  milliseconds: {stages}",
    ]


def _models(reading: "Reading") -> str:
    used = [part for part in (reading, reading.finder) if part is not None]
    return "; ".join(f"{part.model}, {part.engine} ({', '.join(part.providers)})" for part in used)


def _panel(trace: "Trace", image: Image.Image, heading: str, scores: NDArray[np.float32] | None = None) -> Image.Image:
    """Return an image with the numbered candidates, with the finder's scores if they are given, below its heading."""
    scaled = fitted(image, PANEL_WIDTH - 2, PANEL_HEIGHT)
    top = round(HEADING * 1.8)
    width = max(scaled.width + 2, text_width(heading, HEADING))
    panel = Image.new("RGB", (width, top + scaled.height + 2), GROUND)
    panel.paste(scaled, (1, top + 1))
    draw = draw_on(panel)
    draw.text((0, 0), heading, INK, font(HEADING))
    draw.rectangle((0, top, scaled.width + 1, panel.height - 1), outline=INK)
    across, down = scaled.width / image.width, scaled.height / image.height
    for k, (box, kept) in enumerate(zip(trace.candidates, trace.kept, strict=True)):
        label = f"{k + 1}" if scores is None else f"{k + 1}: {scores[k, 0]:.2f}"
        left, upper = 1 + box.x * across, top + 1 + box.y * down
        right, lower = left + box.width * across, upper + box.height * down
        colour = SURE if kept else REFUSED
        draw.rectangle((left - 1, upper - 1, right, lower), outline=colour, width=2)
        at = (left, max(upper - NUMBER - 1, top + 1))
        draw.rectangle(draw.textbbox(at, label, font(NUMBER)), fill=GROUND)
        draw.text(at, label, colour, font(NUMBER))
    return panel


def _beside(images: Sequence[Image.Image]) -> Image.Image:
    lefts = [MARGIN, *(MARGIN + np.cumsum([image.width + 2 * GAP for image in images])).tolist()]
    row = Image.new("RGB", (lefts[-1], max(image.height for image in images)), GROUND)
    for image, left in zip(images, lefts, strict=False):
        row.paste(image, (left, 0))
    return row


def stacked(images: Sequence[Image.Image]) -> Image.Image:
    """Return the images one below another, RGB."""
    tops = [0, *np.cumsum([image.height for image in images]).tolist()]
    sheet = Image.new("RGB", (max(image.width for image in images), tops[-1]), GROUND)
    for image, top in zip(images, tops, strict=False):
        sheet.paste(image, (0, top))
    return sheet
