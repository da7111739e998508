"""Printed characters: each font's glyphs as tiles, with their place on the line."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edgedigits.scenes.material import packed
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.scene import Part, Pixels

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:;-+=()/%&!?@#*\"'$"
EM = 44
"""Size at which glyphs are drawn, in pixels."""


@dataclass(frozen=True, eq=False)
class Font:
    """The glyphs of one font.

    Args:
        table: int32 [len(CHARACTERS), 6]: offset in `ink`, height, width, left and top of the tile from the pen's
            place on the base line, and advance, in pixels of EM.
        ink: uint8 [n], all tiles one after another.
        has_letters: whether its letters are what their names say.
    """

    table: NDArray[np.int32]
    ink: Pixels
    has_letters: bool = True

    def tile(self, character: str) -> Pixels:
        """Return the tile of one character, tight."""
        offset, height, width = self.table[CHARACTERS.index(character), :3].tolist()
        return self.ink[offset : offset + height * width].reshape(height, width)

    def line(self, text: str, spacing: float = 0.0) -> tuple[Pixels, NDArray[np.int32], int]:
        """Return a line of text as one tile.

        Returns:
            the tile; of each character but spaces its place in the text, x, y, width and height, int32 [n, 5]; and the
            row of the base line in the tile.
        """
        pen, places = 0.0, []
        for k, character in enumerate(text):
            if character == " ":
                pen += 0.3 * EM
                continue
            _, height, width, left, top, advance = self.table[CHARACTERS.index(character)].tolist()
            places.append((k, round(pen) + left, top, width, height))
            pen += advance + spacing * EM
        boxes = np.array(places, np.int32).reshape(-1, 5)
        left, top = boxes[:, 1:3].min(axis=0).tolist()
        boxes[:, 1:3] -= (left, top)
        wide, tall = (boxes[:, 1:3] + boxes[:, 3:]).max(axis=0).tolist()
        tile = np.zeros((tall, wide), np.uint8)
        for k, x, y, width, height in boxes.tolist():
            region = tile[y : y + height, x : x + width]
            np.maximum(region, self.tile(text[k]), out=region)
        return tile, boxes, -top


def drawn_font(path: Path, has_letters: bool = True) -> Font:
    """Return the glyphs of a font file that has all digits and letters; see data/fonts.py."""
    font = ImageFont.truetype(path, EM, layout_engine=ImageFont.Layout.BASIC)
    tiles, rows, offset = [], [], 0
    for character in CHARACTERS:
        tile, left, top, advance = _glyph(font, character)
        tiles.append(tile.ravel())
        rows.append((offset, *tile.shape, left, top, advance))
        offset += tile.size
    return Font(np.array(rows, np.int32), np.concatenate(tiles), has_letters)


def _glyph(font: ImageFont.FreeTypeFont, character: str) -> tuple[Pixels, int, int, int]:
    left, top, right, bottom = (int(value) for value in font.getbbox(character, anchor="ls"))
    image = Image.new("L", (max(right - left, 1) + 4, max(bottom - top, 1) + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), character, fill=255, font=font, anchor="ls")
    ink = np.asarray(image)
    x, y, width, height = cv2.boundingRect(ink)
    if not width:
        return np.zeros((1, 1), np.uint8), 0, 0, int(font.getlength(character))
    return ink[y : y + height, x : x + width], left - 2 + x, top - 2 + y, int(font.getlength(character))


@cache
def fonts(part: Part) -> Sequence[Font]:
    """Return the fonts of the packed material; without it the few that come with Matplotlib."""
    pack = packed(f"fonts-{part}.npz")
    if pack is None:
        return _few_fonts(part)
    with np.load(pack) as arrays:
        tables, ink, starts, lettered = (arrays[name] for name in ("tables", "ink", "starts", "has_letters"))
    ends = itertools.pairwise(starts)
    return [
        Font(table, ink[start:end], bool(has_letters))
        for table, (start, end), has_letters in zip(tables, ends, lettered, strict=True)
    ]


@cache
def fonts_with_letters(part: Part) -> Sequence[Font]:
    """Return the fonts whose letters are none like digits, as those of seven segments are."""
    return [font for font in fonts(part) if font.has_letters]


def _few_fonts(part: Part) -> Sequence[Font]:
    from matplotlib import get_data_path

    names = ["DejaVuSans", "DejaVuSerif", "STIXGeneral"] if part == "train" else ["DejaVuSansMono-Bold", "cmr10"]
    return [drawn_font(Path(get_data_path()) / "fonts" / "ttf" / f"{name}.ttf") for name in names]
