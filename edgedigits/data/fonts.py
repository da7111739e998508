"""Printed digits and letters: the fonts of Debian packages, unpacked by `make fonts` (requirements/font-packages.txt).

The folder fonts/ is searched in the folder named by EDGEDIGITS_DATA and in the user's cache. apt checks what it
downloads; licences are in usr/share/doc/PACKAGE/copyright of each package.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edgedigits.data.characters import DIGITS, Characters, characters, crop
from edgedigits.data.hands import CAPITALS
from edgedigits.data.storage import search_roots
from edgedigits_runtime.errors import DataNotFound
from edgedigits_runtime.preprocessing import Images

FOLDER = "fonts"
LETTERS = CAPITALS + CAPITALS.lower()
HEIGHT = 48
PROBED = 24
# Mean difference of two pictures of one letter, of 255.
ALIKE = 32
MOST_OF_PACKAGE = 5
# Seven segments do not distinguish letters from digits.
ONLY_DIGITS = ("fonts-dseg",)
# In boxes or outlined.
UNUSABLE = frozenset({"LinBiolinum_K", "OCRBE", "OCRBF", "OCRBX"})
# Drawn for characters that a font lacks; a private code point that hardly any font has.
LACKING = "\uf8fe"


def find_fonts(data_dir: Path | None = None) -> list[Path]:
    """Return the files of the fonts that have all digits and letters, at most MOST_OF_PACKAGE of one package.

    Raises:
        DataNotFound: no fonts.
    """
    for root in search_roots(data_dir):
        files = (root / FOLDER).glob("*/usr/share/fonts/**/*.[ot]tf")
        packages: dict[str, dict[str, Path]] = {}
        for file in sorted(file for file in files if not file.is_symlink()):
            # Many packages bring each font in two formats.
            packages.setdefault(package_of(file), {}).setdefault(file.stem.casefold(), file)
        if packages:
            return [file for fonts in packages.values() for file in _spread(list(fonts.values()))]
    raise DataNotFound(f"no {FOLDER}/ in {', '.join(map(str, search_roots(data_dir)))}; run on Debian: make fonts")


def package_of(font: Path) -> str:
    """Return the Debian package of a font's file."""
    return font.parts[font.parts.index("usr") - 1]


def _spread(fonts: list[Path]) -> list[Path]:
    """Return at most MOST_OF_PACKAGE usable fonts, evenly spread."""
    usable = [font for font in fonts if font.stem not in UNUSABLE and is_complete(font)]
    chosen = np.unique(np.linspace(0, len(usable) - 1, min(len(usable), MOST_OF_PACKAGE)).astype(int))
    return [usable[k] for k in chosen.tolist()]


@lru_cache(maxsize=4096)
def is_complete(path: Path) -> bool:
    """Return whether a font has all digits and Latin letters, and no two digits alike."""
    try:
        drawn = [draw(path, character, PROBED).tobytes() for character in (LACKING, *DIGITS, *LETTERS)]
    except (OSError, ValueError):
        return False
    return all(drawn[1:]) and drawn[0] not in drawn[1:] and len(set(drawn[1:11])) == len(DIGITS)


def draw(path: Path, text: str, height: float) -> Images:
    """Return `text` printed in a font whose em is `height` pixels high: uint8 [H, W], bright on 0, cropped."""
    font = _font(path, height)
    left, top, right, bottom = font.getbbox(text)
    canvas = Image.new("L", (max(1, round(right - left)) + 2, max(1, round(bottom - top)) + 2))
    ImageDraw.Draw(canvas).text((1 - left, 1 - top), text, fill=255, font=font)
    return crop(np.asarray(canvas))


@lru_cache(maxsize=64)
def _font(path: Path, height: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, height, layout_engine=ImageFont.Layout.BASIC)


def load_characters(data_dir: Path | None = None) -> Characters:
    """Print all digits and letters in all fonts; a package is one writer. For errors see find_fonts."""
    fonts = find_fonts(data_dir)
    packages = sorted({package_of(font) for font in fonts})
    printed = [(font, character) for font in fonts for character in (*DIGITS, *LETTERS) if _is_printed(font, character)]
    return characters(
        (draw(font, character, HEIGHT) for font, character in printed),
        [character for _, character in printed],
        [packages.index(package_of(font)) for font, _ in printed],
    )


def _is_printed(font: Path, character: str) -> bool:
    """Return whether a font's character is what its name says, so that its class is right."""
    if package_of(font) in ONLY_DIGITS:
        return character in DIGITS
    # A d and an i that are printed as capitals may be a 0 and a 1.
    return character not in "di" or not _is_of_capitals(font)


@lru_cache(maxsize=4096)
def _is_of_capitals(font: Path) -> bool:
    """Return whether a font prints small letters as capitals."""
    small, capital = (
        np.asarray(Image.fromarray(draw(font, letter, HEIGHT)).resize((16, 16))).astype(np.float64) for letter in "dD"
    )
    return float(np.abs(small - capital).mean()) < ALIKE
