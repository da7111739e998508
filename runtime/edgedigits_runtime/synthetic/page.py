"""Pages with known truth: what is written, where its ink is, and a picture of it as somebody would take it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.synthetic.layout import Extent, Mark, PageOptions, lay_out
from edgedigits_runtime.synthetic.painting import PANEL_PEN, paint
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
    options = options or PageOptions()
    return picture_marks(rng, lay_out(rng, options), (options.width, options.height), scene or Scene())


def picture_marks(rng: np.random.Generator, marks: Sequence[Mark], size: tuple[int, int], scene: Scene) -> Page:
    """Picture marks that are laid out already; the same state of `rng` gives the same page.

    Args:
        rng: draws the pen's pressure, textures, light and camera.
        marks: what is written, in pixels of the page, digits in reading order.
        size: (width, height) of the page and of the picture, in pixels.
        scene: paper, light and camera.

    Raises:
        ArrayError: a mark reaches out of the picture.
    """
    view = draw_view(rng, size, tilt=scene.tilt, turn=scene.turn)
    covers: dict[int, NDArray[np.uint8]] = {}
    panels = _panels(marks, size) if scene.panel else {}
    inks = {is_digit: np.zeros((size[1], size[0]), np.uint8) for is_digit in (True, False)}
    boxes: dict[bool, list[Box]] = {True: [], False: []}
    for mark in marks:
        (left, top), drawn = _inked(mark, view, rng)
        is_digit = mark.digit is not None
        pen = PANEL_PEN if mark.line in panels else mark.pen
        for ink in (inks[is_digit], covers.setdefault(pen, np.zeros_like(inks[True]))):
            window = ink[top : top + drawn.shape[0], left : left + drawn.shape[1]]
            if min(left, top) < 0 or window.shape != drawn.shape:
                raise ArrayError(f"all marks must lie in the picture of {size[0]}x{size[1]}; one reaches out of it")
            np.maximum(window, drawn, out=window)
        boxes[is_digit].append((left, top, drawn.shape[1], drawn.shape[0]))
    return Page(
        picture=paint(scene, view, covers, size, rng, list(panels.values())),
        ink=inks[True],
        boxes=boxes[True],
        text=_text(marks),
        other_ink=inks[False],
        other_boxes=boxes[False],
    )


def _panels(marks: Sequence[Mark], size: tuple[int, int]) -> dict[int, Extent]:
    """Return by its line the extent of every panel: around each second line, half way to its neighbours at most."""
    extents = {line: _extent([mark for mark in marks if mark.line == line]) for line in {mark.line for mark in marks}}
    panels = {}
    for line, (left, top, right, bottom) in extents.items():
        if line < 0 or line % 2 == 0:
            continue
        margin = 0.25 * (bottom - top)
        above = [other[3] for other in extents.values() if other[3] <= top]
        below = [other[1] for other in extents.values() if other[1] >= bottom]
        panels[line] = (
            max(left - margin, 0.0),
            max([top - margin, 0.0, *((edge + top) / 2 for edge in above)]),
            min(right + margin, float(size[0])),
            min([bottom + margin, float(size[1]), *((edge + bottom) / 2 for edge in below)]),
        )
    return panels


def _extent(marks: Sequence[Mark]) -> Extent:
    extents = np.array([mark.extent for mark in marks])
    left, top = extents[:, :2].min(axis=0).tolist()
    right, bottom = extents[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom


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


def _text(marks: Sequence[Mark]) -> str:
    lines: dict[int, str] = {}
    for mark in marks:
        if mark.digit is not None:
            lines[mark.line] = lines.get(mark.line, "") + str(mark.digit)
    return "\n".join(lines[line] for line in sorted(lines))
