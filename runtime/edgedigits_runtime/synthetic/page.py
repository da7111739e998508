"""Pages with known truth: what is written, where its ink is, and a picture of it as somebody would take it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.synthetic.layout import Mark, PageOptions, lay_out
from edgedigits_runtime.synthetic.painting import paint
from edgedigits_runtime.synthetic.scenes import Scene
from edgedigits_runtime.synthetic.strokes import ink_traces
from edgedigits_runtime.synthetic.views import View, draw_view, scale_at, seen_points

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Page:
    """A picture of a page, and the truth about it.

    Args:
        picture: RGB, uint8 [H, W, 3].
        ink: the digits' ink in the picture before blur and noise, uint8 [H, W], 0 bare to 255 full.
        boxes: (x, y, width, height) in pixels of each digit, in reading order: the smallest that hold its ink.
        text: the digits, lines parted by "\\n"; empty for a page without any.
        other_ink: the ink of what is no digit, like `ink`.
        other_boxes: its boxes, like `boxes`.
    """

    picture: NDArray[np.uint8]
    ink: NDArray[np.uint8]
    boxes: list[Box]
    text: str
    other_ink: NDArray[np.uint8]
    other_boxes: list[Box]


def draw_page(rng: np.random.Generator, options: PageOptions | None = None, scene: Scene | None = None) -> Page:
    """Write a page and picture it; the same state of `rng` gives the same page.

    Args:
        rng: draws everything that the options leave open.
        options: what is written; by default one digit anywhere. With no lines the page is blank.
        scene: paper, light and camera; by default white paper, black ink and nothing in the way (scenes.py).

    Returns:
        The picture and its truth, both in the picture's pixels, perspective included.
    """
    options, scene = options or PageOptions(), scene or Scene()
    size = options.width, options.height
    marks = lay_out(rng, options)
    view = draw_view(rng, size, tilt=scene.tilt, turn=scene.turn)
    covers: dict[int, NDArray[np.uint8]] = {}
    inks = {is_digit: np.zeros((options.height, options.width), np.uint8) for is_digit in (True, False)}
    boxes: dict[bool, list[Box]] = {True: [], False: []}
    for mark in marks:
        (left, top), drawn = _inked(mark, view, rng)
        is_digit = mark.digit is not None
        for ink in (inks[is_digit], covers.setdefault(mark.pen, np.zeros_like(inks[True]))):
            window = ink[top : top + drawn.shape[0], left : left + drawn.shape[1]]
            np.maximum(window, drawn, out=window)
        boxes[is_digit].append((left, top, drawn.shape[1], drawn.shape[0]))
    return Page(
        picture=paint(scene, view, covers, size, rng),
        ink=inks[True],
        boxes=boxes[True],
        text=_text(marks),
        other_ink=inks[False],
        other_boxes=boxes[False],
    )


def _inked(mark: Mark, view: View, rng: np.random.Generator) -> tuple[tuple[int, int], NDArray[np.uint8]]:
    """Return the left and top of a mark in the picture and its ink, cut close."""
    middle = np.concatenate(mark.strokes).mean(axis=0)
    # Thinner than a pixel it would fade away.
    thickness = max(1.0, mark.thickness * scale_at(view, middle))
    strokes = [seen_points(view, stroke) for stroke in mark.strokes]
    points = np.concatenate(strokes)
    low = np.floor(points.min(axis=0) - 0.6 * thickness - 1)
    side = math.ceil((points.max(axis=0) - low).max() + 0.6 * thickness + 2)
    ink = ink_traces(
        [stroke - low for stroke in strokes],
        side,
        thickness,
        rng,
        # Enough for smooth edges; large digits need less.
        supersampling=4 if side < 100 else 2,
        discs=6.0,
    )
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return (int(low[0] + columns[0]), int(low[1] + rows[0])), cut


def _text(marks: list[Mark]) -> str:
    lines: dict[int, str] = {}
    for mark in marks:
        if mark.digit is not None:
            lines[mark.line] = lines.get(mark.line, "") + str(mark.digit)
    return "\n".join(lines[line] for line in sorted(lines))
