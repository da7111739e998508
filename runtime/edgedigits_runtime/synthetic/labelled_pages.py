"""Labelled pages: a picture of a written page with its text, the boxes of its digits, and their ink."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.synthetic.handwriting import ink_traces
from edgedigits_runtime.synthetic.layout import Extent, PageOptions, Symbol, bounds, lay_out
from edgedigits_runtime.synthetic.painting import PANEL_PEN, paint
from edgedigits_runtime.synthetic.scenes import Scene
from edgedigits_runtime.synthetic.views import View, draw_view, scale_at, seen_points

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Page:
    """A picture of a page and its ground truth.

    Args:
        picture: RGB, uint8 [H, W, 3].
        ink: the digits' ink in the picture before blur and noise, uint8 [H, W], 0 blank to 255 full.
        boxes: (x, y, width, height) of each digit in reading order, in pixels, tight around its ink.
        text: the digits, lines separated by "\\n"; empty for a page without digits.
        other_ink: the ink of non-digits, like `ink`.
        other_boxes: the boxes of non-digits, like `boxes`.
    """

    picture: NDArray[np.uint8]
    ink: NDArray[np.uint8]
    boxes: list[Box]
    text: str
    other_ink: NDArray[np.uint8]
    other_boxes: list[Box]


def draw_page(rng: np.random.Generator, options: PageOptions | None = None, scene: Scene | None = None) -> Page:
    """Write a random page and picture it; the same state of `rng` gives the same page.

    Args:
        rng: random source of everything that the options leave open.
        options: content; by default one digit anywhere. With no lines the page is blank.
        scene: paper, light and camera; by default black ink on white paper (scenes.py).

    Returns:
        The picture and its ground truth, both in the picture's pixels, perspective included.
    """
    options = options or PageOptions()
    return render_symbols(rng, lay_out(rng, options), (options.width, options.height), scene or Scene())


def render_symbols(rng: np.random.Generator, symbols: Sequence[Symbol], size: tuple[int, int], scene: Scene) -> Page:
    """Picture symbols that are already laid out; the same state of `rng` gives the same page.

    Args:
        rng: random source of the pen's pressure, textures, light and camera.
        symbols: in pixels of the page, digits in reading order.
        size: (width, height) of the page and of the picture, in pixels.
        scene: paper, light and camera.

    Raises:
        ArrayError: a symbol extends beyond the picture.
    """
    view = draw_view(rng, size, tilt=scene.tilt, turn=scene.turn)
    covers: dict[int, NDArray[np.uint8]] = {}
    panels = _panels(symbols, size) if scene.panel else {}
    inks = {is_digit: np.zeros((size[1], size[0]), np.uint8) for is_digit in (True, False)}
    boxes: dict[bool, list[Box]] = {True: [], False: []}
    for symbol in symbols:
        (left, top), drawn = _inked(symbol, view, rng)
        is_digit = symbol.digit is not None
        pen = PANEL_PEN if symbol.line in panels else symbol.pen
        for ink in (inks[is_digit], covers.setdefault(pen, np.zeros_like(inks[True]))):
            window = ink[top : top + drawn.shape[0], left : left + drawn.shape[1]]
            if min(left, top) < 0 or window.shape != drawn.shape:
                raise ArrayError(f"expected all symbols within the picture of {size[0]}x{size[1]}; move or shrink them")
            np.maximum(window, drawn, out=window)
        boxes[is_digit].append((left, top, drawn.shape[1], drawn.shape[0]))
    return Page(
        picture=paint(scene, view, covers, size, rng, list(panels.values())),
        ink=inks[True],
        boxes=boxes[True],
        text=_text(symbols),
        other_ink=inks[False],
        other_boxes=boxes[False],
    )


def _panels(symbols: Sequence[Symbol], size: tuple[int, int]) -> dict[int, Extent]:
    """Return a panel for every second line, by line; it reaches at most half-way to the lines beside it."""
    lines = {symbol.line for symbol in symbols}
    extents = {line: bounds([symbol for symbol in symbols if symbol.line == line]) for line in lines}
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


def _inked(symbol: Symbol, view: View, rng: np.random.Generator) -> tuple[tuple[int, int], NDArray[np.uint8]]:
    """Return a symbol's left and top in the picture, and its cropped ink."""
    middle = np.concatenate(symbol.strokes).mean(axis=0)
    # A stroke thinner than a pixel would fade.
    thickness = max(1.0, symbol.thickness * scale_at(view, middle))
    strokes = [seen_points(view, stroke) for stroke in symbol.strokes]
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
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return (int(low[0] + columns[0]), int(low[1] + rows[0])), cropped


def _text(symbols: Sequence[Symbol]) -> str:
    lines: dict[int, str] = {}
    for symbol in symbols:
        if symbol.digit is not None:
            lines[symbol.line] = lines.get(symbol.line, "") + str(symbol.digit)
    return "\n".join(lines[line] for line in sorted(lines))
