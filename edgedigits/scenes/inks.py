"""Digits and letters as tiles of ink: uint8 [h, w], tight, ink bright on 0.

Only the parts of public data that may be trained on, by writer where the source names them:

- MNIST: its training rows in blocks of 500; every tenth block is validation
- pendigits: the 30 writers of .tra train, the 14 of .tes validate
- semeion: its groups of writers, the last one validates; optdigits-orig: training only
- hands: folds 0 to 2 train, fold 3 validates, fold 4 (writers 48 to 59) is in neither
- omniglot: drawers 0 to 15 of each alphabet train, 16 to 19 validate
- the project's own styles: other tracings
- fonts: other fonts, see glyphs.py
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgedigits.data import hands, load_dataset, omniglot, optdigits_orig, pendigits, semeion
from edgedigits.data.characters import Characters, class_of
from edgedigits.scenes.glyphs import Font, fonts
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.scene import IGNORED, LETTER, Part, Pixels
from edgedigits.scenes.strokes import Strokes, draw_strokes, written_digits, written_letters

MNIST_BLOCK = 500
Tiles = Sequence[Sequence[Pixels]]
"""Tiles of each class: 0 to 9, LETTER, and last IGNORED."""


@dataclass(frozen=True)
class Hand:
    """How one person writes on one surface.

    Args:
        source: key of SHARES.
        pen: width of strokes in heights of a digit; those of scans are thinned.
        slant: how far the top leans to the right, in heights.
        soft: whether edges are smoothed.
        font: for printed digits.
    """

    source: str
    pen: float
    slant: float
    soft: bool = True
    font: Font | None = None


SHARES = {
    "mnist": 0.26,
    "pendigits": 0.28,
    "written": 0.24,
    "hands": 0.06,
    "optdigits": 0.05,
    "semeion": 0.03,
    "font": 0.08,
}
"""Share of each source of digits among surfaces."""

PENS = (0.015, 0.2)
"""Thinnest and thickest pen: a ball pen on a large digit, and a marker on a small one."""
MNIST_PEN = 0.1
"""About the thickness of MNIST's strokes; for thinner pens they are thinned, as far as they can be."""
THINNED = 190.0
"""Grey level that is taken from MNIST's images for the thinnest pen."""

LARGEST = {"semeion": 56, "optdigits": 110, "hands": 130}
"""Pixels of the height above which a digit is taken from MNIST instead."""


def draw_hand(rng: np.random.Generator, part: Part, printed: float = SHARES["font"]) -> Hand:
    """Return a random hand; `printed` is the share of fonts."""
    names = [*SHARES]
    weights = np.array([printed if name == "font" else SHARES[name] for name in names])
    source = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    if part == "validation" and source == "optdigits":
        source = "mnist"
    font = fonts(part)[int(rng.integers(len(fonts(part))))] if source == "font" else None
    slant = 0.0 if font else float(rng.normal(0, 0.1))
    return Hand(source, float(np.exp(rng.uniform(*np.log(PENS)))), slant, bool(rng.random() < 0.85), font)


def digit_tile(rng: np.random.Generator, part: Part, hand: Hand, value: int, height: float) -> Pixels:
    """Return a digit by a hand; strokes are drawn for `height` pixels."""
    if hand.font is not None:
        return hand.font.tile(str(value))
    if hand.source in ("pendigits", "written"):
        ways = _pen_ways(part)[value] if hand.source == "pendigits" else written_digits(part)[value]
        return _drawn(ways[int(rng.integers(len(ways)))], hand, height)
    # The coarse scans would show their pixels.
    source = "mnist" if height > LARGEST.get(hand.source, np.inf) else hand.source
    tiles = _digits(part, source)[value]
    tile = tiles[int(rng.integers(len(tiles)))]
    return thinned(tight(tile), hand.pen) if source == "mnist" else tile


def thinned(tile: Pixels, pen: float) -> Pixels:
    """Return a digit of MNIST, three times enlarged, with strokes as thin as a pen's, or nearly so."""
    level = THINNED * max(1 - pen / MNIST_PEN, 0)
    if not level:
        return tile
    tall, wide = tile.shape
    large = cv2.resize(tile, (3 * wide, 3 * tall), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return tight(np.clip((large - level) * (255 / (255 - level)), 0, 255).astype(np.uint8))


def mnist_image(rng: np.random.Generator, part: Part, value: int) -> Pixels:
    """Return an image of MNIST, uint8 [28, 28], with its margins."""
    images = _digits(part, "mnist")[value]
    return images[int(rng.integers(len(images)))]


def letter_tile(rng: np.random.Generator, part: Part, hand: Hand, height: float) -> tuple[Pixels, int]:
    """Return a letter and LETTER, or IGNORED for one like a digit."""
    if hand.font is not None and hand.font.has_letters:
        # Some fonts print small letters as capitals, and a D or I may be a digit.
        character = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcefghjklmnopqrstuvwxyz&%?@"[int(rng.integers(54))]
        return hand.font.tile(character), class_of(character)
    chance = rng.random()
    if chance < 0.35:
        ways = written_letters(part)
        return _drawn(ways[int(rng.integers(len(ways)))], hand, height), LETTER
    tiles = _characters(part, "hands" if chance < 0.7 else "omniglot")
    kind = LETTER if rng.random() < 0.8 else IGNORED
    return tiles[kind][int(rng.integers(len(tiles[kind])))], kind


def tight(image: Pixels, level: int = 40) -> Pixels:
    """Return the image cropped to its ink."""
    x, y, width, height = cv2.boundingRect(cv2.threshold(image, level, 255, cv2.THRESH_BINARY)[1])
    return image[y : y + height, x : x + width] if width else image


def _drawn(strokes: Strokes, hand: Hand, height: float) -> Pixels:
    pixels = float(np.clip(height * 1.3, 40, 320))
    return draw_strokes(strokes, pixels, hand.pen * pixels, hand.soft)


@cache
def _digits(part: Part, source: str) -> Tiles:
    if source == "hands":
        return _characters(part, "hands")
    images, labels, held_out = _SCANNED[source]()
    chosen = held_out if part == "validation" else ~held_out
    return _by_class(images, labels, chosen)


def _mnist() -> tuple[Sequence[Pixels], NDArray[np.int64], NDArray[np.bool_]]:
    samples = load_dataset("mnist").train
    # Rows of one writer are neighbours.
    held_out: NDArray[np.bool_] = np.arange(len(samples)) // MNIST_BLOCK % 10 == 9
    return [*samples.images[..., 0]], samples.labels, held_out


def _semeion() -> tuple[Sequence[Pixels], NDArray[np.int64], NDArray[np.bool_]]:
    found = semeion.load_characters()
    held_out: NDArray[np.bool_] = found.writers == found.writers.max()
    return [*found.ink], found.classes, held_out


def _optdigits() -> tuple[Sequence[Pixels], NDArray[np.int64], NDArray[np.bool_]]:
    found = optdigits_orig.load_characters()
    return found.ink, found.classes, np.zeros(len(found), np.bool_)


_SCANNED: dict[str, Callable[[], tuple[Sequence[Pixels], NDArray[np.int64], NDArray[np.bool_]]]] = {
    "mnist": _mnist,
    "semeion": _semeion,
    "optdigits": _optdigits,
}


@cache
def _pen_ways(part: Part) -> Sequence[Sequence[Strokes]]:
    strokes = pendigits.load_strokes()
    ways: list[list[Strokes]] = [[] for _ in range(10)]
    for row in np.flatnonzero(strokes.writers == int(part == "validation")).tolist():
        digit = int(strokes.classes[row])
        wide = np.array([pendigits.WIDTHS[digit], 1], np.float32)
        ways[digit].append([_curve(stroke * wide) for stroke in pendigits.parted(strokes.points[row], digit)])
    return ways


def _curve(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a Catmull-Rom curve through points [n, 2], as [6 n - 6, 2]."""
    padded = np.concatenate([points[:1], points, points[-1:]])[:, np.newaxis]
    t = np.linspace(0, 1, 6, dtype=np.float32)[:, np.newaxis]
    before, start, end, after = (padded[k : k + len(points) - 1] for k in range(4))
    curve = start + t / 2 * (
        (end - before) + t * ((2 * before - 5 * start + 4 * end - after) + t * (3 * (start - end) + after - before))
    )
    return np.ascontiguousarray(curve.reshape(-1, 2), np.float32)


@cache
def _characters(part: Part, source: str) -> Tiles:
    """Return the digits and letters of photographs (hands), or the letters of other alphabets (omniglot)."""
    if source == "omniglot":
        found = _omniglot()
        held_out = found.writers % omniglot.DRAWERS >= 16
        return _by_class(found.ink, found.classes, held_out if part == "validation" else ~held_out)
    ink, classes, folds = _photographed_hands()
    return _by_class(ink, classes, folds == 3 if part == "validation" else folds < 3)


@cache
def _omniglot() -> Characters:
    return omniglot.load_characters()


@cache
def _photographed_hands() -> tuple[Sequence[Pixels], NDArray[np.int64], NDArray[np.int64]]:
    """Return the clear characters of hands with their classes and folds.

    Some photographs are there twice, under the numbers of two writers: the last has them, so that none is in two folds.
    """
    pictures = hands.load_pictures()
    clear: dict[bytes, tuple[Pixels, int, int]] = {}
    for name in sorted(pictures, key=lambda name: name[-7:-4]):
        tile = _photographed(pictures[name])
        if tile is not None:
            clear[tile.tobytes()] = (tile, class_of(name.split("-")[1]), int(name[-7:-4]))
    ink, classes, writers = zip(*clear.values(), strict=True)
    return ink, np.array(classes), hands.fold_of(np.array(writers))


def _by_class(images: Sequence[Pixels], classes: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Tiles:
    kinds = [*range(10), LETTER, IGNORED]
    return [[images[row] for row in np.flatnonzero(chosen & (classes == kind)).tolist()] for kind in kinds]


def _photographed(picture: Pixels) -> Pixels | None:
    """Return the ink of a photographed character without lines at the border, or None where it is not clear."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    ground = cv2.medianBlur(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA), 31)
    ground = cv2.resize(ground, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    dark = cv2.subtract(ground, grey)
    level, mask = cv2.threshold(dark, 0, 255, cv2.THRESH_OTSU)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2 or level < 12:
        return None
    tall, wide = grey.shape
    x, y, width, height, areas = stats.T
    at_border = (x == 0).astype(int) + (y == 0) + (x + width == wide) + (y + height == tall)
    main = 1 + int(areas[1:].argmax())
    if areas[main] < 12 or at_border[main] > 1:
        return None
    # The bar of a 5 or the dot of an i, but no specks, and no lines at the border.
    parts = [k for k in range(1, count) if k == main or (areas[k] > 0.06 * areas[main] and not at_border[k])]
    near = cv2.dilate(np.isin(labels, parts).astype(np.uint8), np.ones((3, 3), np.uint8))
    peak = float(np.percentile(dark[labels == main], 80))
    ink = np.clip((dark - 0.3 * level) * (255 / max(peak - 0.3 * level, 1)), 0, 255).astype(np.uint8) * near
    return tight(ink)
