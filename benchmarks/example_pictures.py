"""Draw the pictures in examples/: `python -m benchmarks.example_pictures examples/`.

Each picture has another typical pen, camera or file format. The first character of a file's name is its label.
"""

import argparse
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.paper import BLUE_PEN, CHALK, MARKER, PENCIL, PHONE_PHOTO, SCREEN, Paper, set_on_paper
from edgedigits_runtime.whole_files import write_whole

_EXIF_ORIENTATION = 0x0112
# EXIF's value 6: rotate the picture clockwise by 90 degrees to display it upright.
_EXIF_TURN_CLOCKWISE = 6


@dataclass(frozen=True)
class Example:
    """One picture to draw.

    Args:
        name: file name without suffix, starting with the digit.
        seed: of the random source.
        canvas: width and height in pixels.
        digit_size: side of the digit's square, in pixels.
        thickness: of the stroke, in pixels.
        paper: paper, ink and camera.
        encode: returns a file's suffix and content for an RGB picture.
        at: left and top of the digit's square; None for the centre.
    """

    name: str
    seed: int
    canvas: tuple[int, int]
    digit_size: int
    thickness: float
    paper: Paper
    encode: Callable[[Image.Image], tuple[str, bytes]]
    at: tuple[int, int] | None = None


def draw_examples() -> dict[str, bytes]:
    """Return the name and content of every example file and of labels.csv (file, label)."""
    files = dict(_draw(example) for example in EXAMPLES)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["file", "label"])
    writer.writerows([name, name[0]] for name in sorted(files))
    return {**files, "labels.csv": table.getvalue().encode()}


def _draw(example: Example) -> tuple[str, bytes]:
    rng = np.random.default_rng(example.seed)
    width, height = example.canvas
    size = example.digit_size
    left, top = example.at or ((width - size) // 2, (height - size) // 2)
    ink: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
    ink[top : top + size, left : left + size] = draw_digit(
        int(example.name[0]), rng, size=size, thickness=example.thickness
    )
    suffix, content = example.encode(set_on_paper(ink, example.paper, rng))
    return example.name + suffix, content


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _png(picture: Image.Image) -> tuple[str, bytes]:
    return ".png", _saved(picture, "PNG", optimize=True)


def _grey_png(picture: Image.Image) -> tuple[str, bytes]:
    return _png(picture.convert("L"))


def _one_bit_png(picture: Image.Image) -> tuple[str, bytes]:
    return _png(picture.convert("1", dither=Image.Dither.NONE))


def _palette_png(picture: Image.Image) -> tuple[str, bytes]:
    return _png(picture.quantize(16, dither=Image.Dither.NONE))


def _sixteen_bit_png(picture: Image.Image) -> tuple[str, bytes]:
    grey = np.asarray(picture.convert("L")).astype(np.uint16)
    # 257 takes 255 to 65535.
    return _png(Image.fromarray(grey * 257))


def _transparent_png(picture: Image.Image) -> tuple[str, bytes]:
    """Make dark ink opaque and white paper transparent, as drawing programs do."""
    cover = picture.convert("L").point(lambda grey: 255 - grey)
    sketch = Image.new("RGBA", picture.size, (120, 30, 140, 0))
    sketch.putalpha(cover)
    return _png(sketch)


def _jpeg(picture: Image.Image) -> tuple[str, bytes]:
    return ".jpg", _saved(picture, "JPEG", quality=78, optimize=True)


def _poor_jpeg(picture: Image.Image) -> tuple[str, bytes]:
    return ".jpg", _saved(picture, "JPEG", quality=30, optimize=True)


def _cmyk_jpeg(picture: Image.Image) -> tuple[str, bytes]:
    return ".jpg", _saved(picture.convert("CMYK"), "JPEG", quality=85)


def _turned_jpeg(picture: Image.Image) -> tuple[str, bytes]:
    """Save the picture rotated, with the EXIF orientation to display it upright."""
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = _EXIF_TURN_CLOCKWISE
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    return ".jpg", _saved(lying, "JPEG", quality=78, optimize=True, exif=exif)


_SKETCH = Paper(ink=(0, 0, 0))
_SCANNER = Paper(ground=(238, 238, 238), ink=(52, 52, 52), grain=0.1, blur=0.5, noise=2.0)
_NOTEBOOK = Paper(ground=(247, 246, 240), ink=(150, 34, 44), light=0.10, grain=0.15, blur=0.6, noise=2.0)
_FAX = Paper(grain=0.25, blur=0.5, noise=12.0)
_POSTER = Paper(ground=(250, 214, 70), ink=(20, 70, 120), blur=0.4)

EXAMPLES = (
    Example("0-marker-on-white", 5, (200, 200), 160, 17, MARKER, _png),
    Example("1-chalk-on-blackboard", 2, (360, 300), 250, 15, CHALK, _jpeg),
    Example("2-transparent-sketch", 3, (200, 240), 180, 14, _SKETCH, _transparent_png),
    Example("3-blue-pen", 4, (320, 360), 230, 9, BLUE_PEN, _jpeg),
    Example("4-phone-photo", 21, (480, 640), 330, 24, PHONE_PHOTO, _jpeg),
    Example("5-white-on-black-28x28", 6, (28, 28), 26, 2.6, SCREEN, _grey_png),
    Example("5-pencil", 7, (300, 300), 220, 5, PENCIL, _jpeg),
    Example("6-small-in-a-big-photo", 19, (1200, 900), 190, 15, PHONE_PHOTO, _jpeg, at=(820, 150)),
    Example("7-turned-by-exif", 9, (300, 400), 260, 12, _NOTEBOOK, _turned_jpeg),
    Example("7-tiny-20x20", 10, (20, 20), 20, 2.0, Paper(), _grey_png),
    Example("8-scan-16-bit", 11, (180, 220), 160, 12, _SCANNER, _sixteen_bit_png),
    Example("8-fax-1-bit", 12, (200, 200), 160, 11, _FAX, _one_bit_png),
    Example("9-poster-palette", 13, (240, 240), 190, 18, _POSTER, _palette_png),
    Example("2-print-cmyk", 14, (260, 300), 210, 16, replace(MARKER, ink=(180, 30, 110)), _cmyk_jpeg),
    Example("4-messenger-jpeg", 15, (240, 240), 190, 12, replace(CHALK, grain=0.2, light=0.1), _poor_jpeg),
    Example("9-ballpoint-on-card", 16, (340, 260), 190, 7, replace(PHONE_PHOTO, ink=(30, 40, 110)), _jpeg),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the example pictures and their labels.csv.")
    parser.add_argument("folder", type=Path, help="output folder, such as examples/")
    folder: Path = parser.parse_args().folder
    for name, content in draw_examples().items():
        write_whole(folder / name, content)


if __name__ == "__main__":
    main()
