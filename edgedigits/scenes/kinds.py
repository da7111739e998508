"""Kinds of scenes by name: surfaces, papers and what stands on them, each to be left out at will."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from edgedigits.scenes.contents import DIGITS
from edgedigits.scenes.light import letterboxed, photograph
from edgedigits.scenes.non_digits import NON_DIGITS
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.painter import Painter
from edgedigits.scenes.papers import PAPERS
from edgedigits.scenes.scene import Part, Scene
from edgedigits.scenes.surfaces import SURFACES, Surface
from edgedigits_runtime.errors import ArrayError, UnknownName

Entry = TypeVar("Entry")
CONTENTS: dict[str, tuple[Callable[[Painter, Surface], None], float]] = DIGITS | NON_DIGITS
ALL_KINDS: tuple[str, ...] = (*SURFACES, *PAPERS, *CONTENTS)
SIDES = range(64, 961)


def draw_scene(
    generator: np.random.Generator, side: int = 320, part: Part = "train", kinds: Sequence[str] = ALL_KINDS
) -> Scene:
    """Draw a scene of `side` x `side`.

    Args:
        generator: the only source of chance: its state decides every pixel.
        side: 64 to 960.
        part: whose inks, fonts, grounds and objects are used; none of "validation" occurs in "train".
        kinds: entries of ALL_KINDS that may occur; at least one surface and one of the contents. Without a paper,
            papers are blank.

    Raises:
        UnknownName: no such kind, or no surface or content.
        ArrayError: another side.
    """
    if side not in SIDES:
        raise ArrayError(f"expected scenes of {SIDES[0]} to {SIDES[-1]} pixels a side, got {side}")
    for kind in kinds:
        if kind not in ALL_KINDS:
            raise UnknownName("kind of scene", kind, ALL_KINDS)
    # The few calls of OpenCV that draw numbers themselves follow the same chance.
    cv2.setRNGSeed(int(generator.integers(2**31)))
    painter = Painter(generator, np.empty((side, side, 3), np.uint8), part, kinds)
    surface = _drawn(generator, SURFACES, kinds)(painter)
    if surface is not None:
        _fill(painter, surface, kinds, splits=2)
    pixels = photograph(painter)
    if painter.chance(0.2):
        pixels = letterboxed(painter, pixels)
    return painter.finish(pixels)


def _fill(painter: Painter, surface: Surface, kinds: Sequence[str], splits: int) -> None:
    """Put one of the contents on the surface, or different ones side by side."""
    large = min(surface.width, surface.height) > 0.3 * painter.side
    if splits and large and painter.chance(0.22):
        share = painter.between(0.3, 0.7)
        if painter.chance(0.5):
            halves = surface.part(0, 0, share - 0.02, 1), surface.part(share + 0.02, 0, 1 - share - 0.02, 1)
        else:
            halves = surface.part(0, 0, 1, share - 0.02), surface.part(0, share + 0.02, 1, 1 - share - 0.02)
        for half in halves:
            _fill(painter, half, kinds, splits - 1)
        return
    _drawn(painter.rng, CONTENTS, kinds)(painter, surface)


def _drawn(generator: np.random.Generator, entries: Mapping[str, tuple[Entry, float]], kinds: Sequence[str]) -> Entry:
    names = [name for name in entries if name in kinds]
    if not names:
        raise UnknownName("kind of scene", ", ".join(kinds), [*entries])
    weights = np.array([entries[name][1] for name in names])
    return entries[names[int(generator.choice(len(names), p=weights / weights.sum()))]][0]
