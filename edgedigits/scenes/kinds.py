"""Kinds of scenes by name: surfaces and what stands on them, each to be left out at will."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import cv2
import numpy as np

from edgedigits.scenes import contents, surfaces
from edgedigits.scenes.light import photograph
from edgedigits.scenes.painter import Painter
from edgedigits.scenes.scene import Part, Scene
from edgedigits.scenes.surfaces import Surface
from edgedigits_runtime.errors import UnknownName

Entry = TypeVar("Entry")

SURFACES: dict[str, tuple[Callable[[Painter], Surface], float]] = {
    "page": (surfaces.page, 3.0),
    "desk": (surfaces.desk, 4.0),
    "ground": (surfaces.open_ground, 1.5),
}
CONTENTS: dict[str, tuple[Callable[[Painter, Surface], None], float]] = {
    "single": (contents.single, 3.0),
    "numbers": (contents.numbers, 4.0),
    "grid": (contents.grid, 1.0),
    "nothing": (contents.nothing, 0.7),
}
ALL_KINDS: tuple[str, ...] = (*SURFACES, *CONTENTS)


def draw_scene(
    generator: np.random.Generator, side: int = 320, part: Part = "train", kinds: Sequence[str] = ALL_KINDS
) -> Scene:
    """Draw a scene of `side` x `side`.

    Args:
        generator: the only source of chance: its state decides every pixel.
        part: whose inks, fonts and grounds are used; none of "validation" occurs in "train".
        kinds: entries of SURFACES and CONTENTS that may occur, at least one of each.

    Raises:
        UnknownName: no such kind, or none of a sort.
    """
    for kind in kinds:
        if kind not in ALL_KINDS:
            raise UnknownName("kind of scene", kind, ALL_KINDS)
    # The few calls of OpenCV that draw themselves follow the same chance.
    cv2.setRNGSeed(int(generator.integers(2**31)))
    painter = Painter(generator, np.empty((side, side, 3), np.uint8), part)
    surface = _drawn(generator, SURFACES, kinds)(painter)
    _drawn(generator, CONTENTS, kinds)(painter, surface)
    return painter.finish(photograph(painter))


def _drawn(generator: np.random.Generator, entries: dict[str, tuple[Entry, float]], kinds: Sequence[str]) -> Entry:
    names = [name for name in entries if name in kinds]
    if not names:
        raise UnknownName("kind of scene", ", ".join(kinds), [*entries])
    weights = np.array([entries[name][1] for name in names])
    return entries[names[int(generator.choice(len(names), p=weights / weights.sum()))]][0]
