"""What stands on surfaces and is no digit: text, handwriting, letters, doodles, objects, bars, nothing."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes.glyphs import EM, fonts_with_letters
from edgedigits.scenes.grounds import colour
from edgedigits.scenes.inks import letter_tile
from edgedigits.scenes.material import objects
from edgedigits.scenes.painter import Painter, Pen, placed, project, shift
from edgedigits.scenes.scene import LETTER, Pixels
from edgedigits.scenes.strokes import doodles, draw_strokes, joined_word, signs
from edgedigits.scenes.surfaces import Surface
from edgedigits.scenes.writer import Writer, draw_values

_VOWELS, _CONSONANTS = "aeiouy", "bcdfghjklmnpqrstvwxz"
_STRENGTHS = np.array([4, 2, 3, 2, 1.5, 2, 0.6, 1, 3, 2.5, 4, 3.5, 0.2, 4, 4, 5, 1.5, 2, 0.3, 0.2])


def word(rng: np.random.Generator) -> str:
    """Return a word that can be said."""
    weights = _STRENGTHS / _STRENGTHS.sum()
    count = int(rng.integers(2, 10))
    first = int(rng.integers(2))
    vowels = rng.choice([*_VOWELS], count)
    consonants = rng.choice([*_CONSONANTS], count, p=weights)
    text = "".join(vowels[k] if (k + first) % 2 else consonants[k] for k in range(count))
    chance = rng.random()
    return text.upper() if chance < 0.12 else text.capitalize() if chance < 0.3 else text


def text(painter: Painter, surface: Surface) -> None:
    """Print lines of words, with a number here and there."""
    rng = painter.rng
    known = fonts_with_letters(painter.part)
    font = known[int(rng.integers(len(known)))]
    scale = max(painter.scale_at(surface.x + surface.width / 2, surface.y + surface.height / 2), 0.05)
    size = painter.skewed(5, 90) / scale
    with_numbers = painter.chance(0.4)
    step = size * painter.between(1.0, 1.8)
    x0, end = surface.x + 0.3 * size, surface.x + surface.width
    pages = painter.chance(0.5)
    y = surface.y + size + (0 if pages else painter.between(0, 0.7) * max(surface.height - 2 * size, 0))
    with painter.ink(surface.pen):
        while y < surface.y + surface.height - 0.2 * size:
            x = x0
            while x < end:
                number = with_numbers and painter.chance(0.12)
                content = "".join(map(str, rng.integers(0, 10, rng.integers(1, 6)))) if number else word(rng)
                content += "" if number or painter.chance(0.88) else ".,:;-!?)"[int(rng.integers(8))]
                line = font.line(content)
                width = line[0].shape[1] * size / EM
                if x + width > end:
                    break
                print_word(painter, content, line, x, y, size / EM, number)
                x += width + 0.32 * size
            y += step
            if not pages and painter.chance(0.4):
                break


def print_word(
    painter: Painter,
    content: str,
    line: tuple[Pixels, NDArray[np.int32], int],
    x: float,
    y: float,
    ratio: float,
    number: bool,
) -> None:
    """Print a word or number from x on, its base line at y, with the marks of its characters."""
    tile, letters, base = line
    tall, wide = tile.shape
    placement = placed(tile.shape, x + wide * ratio / 2, y + (tall / 2 - base) * ratio, (ratio, ratio))
    key = painter.new_number() if number else None
    if number:
        for k, left, top, width, height in letters.tolist():
            painter.stamp(
                tile[top : top + height, left : left + width], placement @ shift(left, top), int(content[k]), key
            )
        return
    if not painter.stamp(tile, placement):
        return
    for k, left, top, width, height in letters.tolist():
        if content[k].isalpha():
            corners = np.array([[left, top], [left + width, top + height]], np.float64)
            (ax, ay), (bx, by) = project(placement, corners).tolist()
            painter.mark_letter((ax, ay, bx, by), alone=len(content) < 3, letter=content[k])


def handwriting(painter: Painter, surface: Surface) -> None:
    """Write lines of words, joined or letter by letter, in some with a number here and there."""
    writer = Writer(painter, surface, printed=0.0)
    rng = painter.rng
    size = painter.skewed(9, 80) / writer.scale
    y, end = surface.y + size, surface.x + surface.width
    joined, with_numbers = painter.chance(0.5), painter.chance(0.3)
    with painter.ink(surface.pen):
        while y + size / 2 < surface.y + surface.height:
            x = surface.x + painter.between(0.1, 1) * size
            while x < end - size:
                values = draw_values(painter, 4)
                if with_numbers and painter.chance(0.2) and x + writer.width(values, size, 0.1) < end:
                    x = writer.number(values, x, y, size * painter.between(0.8, 1.1), 0.1) + 0.6 * size
                elif joined:
                    tile = draw_strokes(joined_word(rng, painter.part), 48, max(48 * writer.hand.pen, 2))
                    width = tile.shape[1] * size / 48
                    if x + width < end:
                        painter.stamp(tile, placed(tile.shape, x + width / 2, y, (size / 48,) * 2))
                    x += width + 0.5 * size
                else:
                    x = _letters(painter, writer, x, y, size, int(rng.integers(2, 9)), end) + 0.6 * size
            y += size * painter.between(1.3, 2.2)
            if painter.chance(0.15):
                break


def _letters(painter: Painter, writer: Writer, x: float, y: float, size: float, count: int, end: float) -> float:
    """Write letters side by side, and return their end."""
    for _ in range(count):
        tile, kind = letter_tile(painter.rng, painter.part, writer.hand, size * writer.scale)
        scale = size * painter.between(0.7, 1.0) / max(tile.shape[0], 0.7 * tile.shape[1])
        width = tile.shape[1] * scale
        if x + width > end:
            break
        # Among others, no letter is taken for a digit.
        painter.stamp(tile, placed(tile.shape, x + width / 2, y, (scale, scale)), LETTER if count > 2 else kind)
        x += width + painter.between(0.02, 0.2) * size
    return x


def letters(painter: Painter, surface: Surface) -> None:
    """Write letters that stand alone, of any size and alphabet."""
    writer = Writer(painter, surface, printed=0.35)
    size = min(painter.skewed(10, 260) / writer.scale, surface.height)
    across, down = size * painter.between(1.1, 2.5), size * painter.between(1.1, 2.2)
    columns, rows = max(int(surface.width // across), 1), max(int(surface.height // down), 1)
    kept = painter.between(0.3, 1.0)
    with painter.ink(surface.pen):
        for place in range(min(columns * rows, 100)):
            if not painter.chance(kept):
                continue
            x = surface.x + (place % columns + 0.5) * surface.width / columns
            y = surface.y + (place // columns + 0.5) * surface.height / rows
            tile, kind = letter_tile(painter.rng, painter.part, writer.hand, size * writer.scale)
            scale = size * painter.between(0.75, 1) / max(tile.shape)
            degrees = writer.neat * float(painter.rng.normal(0, 5))
            painter.stamp(tile, placed(tile.shape, x, y, (scale, scale), degrees), kind)


def drawings(painter: Painter, surface: Surface) -> None:
    """Draw doodles, scribbles, signs and bars."""
    writer = Writer(painter, surface, printed=0.0)
    rng = painter.rng
    with painter.ink(surface.pen):
        for _ in range(int(rng.integers(1, 7))):
            size = min(painter.skewed(10, 300) / writer.scale, surface.width, surface.height)
            x = surface.x + size / 2 + painter.between(0, 1) * max(surface.width - size, 0)
            y = surface.y + size / 2 + painter.between(0, 1) * max(surface.height - size, 0)
            chance = rng.random()
            if chance < 0.15:
                _bar(painter, x, y, size)
                continue
            ways = doodles(painter.part) if chance < 0.75 else signs(painter.part)
            pixels = float(np.clip(size * writer.scale, 40, 300))
            tile = draw_strokes(ways[int(rng.integers(len(ways)))], pixels, max(min(writer.hand.pen, 0.08) * pixels, 1))
            scale = size / max(tile.shape)
            painter.stamp(tile, placed(tile.shape, x, y, (scale, scale), float(rng.normal(0, 6))))


def _bar(painter: Painter, x: float, y: float, size: float) -> None:
    """Draw a solid bar, disc-like dot or long line."""
    half = size / 2
    if painter.chance(0.5):
        thick = painter.between(0.02, 0.5) * half
        painter.fill([(x - half, y - thick), (x + half, y - thick), (x + half, y + thick), (x - half, y + thick)])
    elif painter.chance(0.5):
        painter.line([(x, y), (x + 0.1, y)], painter.between(0.1, 0.8) * size)
    else:
        dx, dy = painter.rng.uniform(-1, 1, 2) * painter.side
        painter.line([(x - dx, y - dy), (x + dx, y + dy)], painter.skewed(1, 12))


def things(painter: Painter, surface: Surface) -> None:
    """Lay objects on the surface: photographed and drawn animals, fruit, tools, faces."""
    found = objects(painter.part)
    for _ in range(int(painter.rng.integers(1, 5)) if found else 0):
        (x, y), size = _spot(painter, surface, 0.2)
        at = project(painter.plane, np.array([[x, y]]))[0]
        size *= painter.scale_at(x, y)
        painter.picture_on(found[int(painter.rng.integers(len(found)))], float(at[0]), float(at[1]), size)


def _spot(painter: Painter, surface: Surface, least: float) -> tuple[tuple[float, float], float]:
    """Return the middle and size of something within the surface, so that it covers nothing beside it."""
    size = painter.skewed(least, 0.9) * min(surface.width, surface.height)
    x = surface.x + size / 2 + painter.between(0, 1) * (surface.width - size)
    y = surface.y + size / 2 + painter.between(0, 1) * (surface.height - size)
    return (x, y), size


def shapes(painter: Painter, surface: Surface) -> None:
    """Paint filled shapes, outlines and ellipses of any colour."""
    rng = painter.rng
    for _ in range(int(rng.integers(1, 8))):
        middle, size = _spot(painter, surface, 0.06)
        with painter.ink(Pen(colour(rng), painter.between(0.5, 1))):
            corners = int(rng.choice([3, 4, 5, 24]))
            angles = np.sort(rng.uniform(0, 6.28, corners)) if corners < 24 else np.linspace(0, 6.28, 24)
            stretch, turned = painter.between(0.3, 1), painter.between(0, 3.14)
            ring = np.stack([np.cos(angles), stretch * np.sin(angles)], axis=1) * (size / 2)
            cos, sin = np.cos(turned), np.sin(turned)
            outline = ring @ np.array([[cos, sin], [-sin, cos]]) + middle
            points = [(float(x), float(y)) for x, y in outline]
            filled = painter.chance(0.7)
            if filled:
                painter.fill(points)
            else:
                painter.line(points, painter.skewed(1, 10), closed=True)
            if corners == 24 and not filled and stretch > 0.45:
                # A ring may be a 0.
                low, high = outline.min(axis=0), outline.max(axis=0)
                painter.mark_ignored((float(low[0]), float(low[1]), float(high[0]), float(high[1])))


def nothing(painter: Painter, surface: Surface) -> None:
    """Leave the surface empty."""


NON_DIGITS: dict[str, tuple[Callable[[Painter, Surface], None], float]] = {
    "text": (text, 1.6),
    "handwriting": (handwriting, 0.9),
    "letters": (letters, 1.4),
    "drawings": (drawings, 0.8),
    "things": (things, 0.7),
    "shapes": (shapes, 0.4),
    "nothing": (nothing, 0.6),
}
"""Contents without digits, each with its share."""
