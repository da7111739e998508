"""Plus and times signs, recognised by their four straight arms.

A ring around the crossing meets ink at four places. That is also true of an open 4, but one of its arms is bent,
and of an 8, whose arms are all bent.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.framed import CENTRE, SIDE
from edgedigits_runtime.reading.marks import mask_stroke_width

OFFSETS = (-2.0, 0.0, 2.0)  # The centre of mass of a framed digit is in the middle; the crossing is near it.
# Radii of the rings, as fractions of the distance from the crossing to the nearest side of the ink's box.
RINGS = (0.65, 0.85)
ANGLES = 72
STROKE = 96  # Grey level from which a pixel counts as stroke.
LEAST_ANGLE = 45.0  # Smallest angle between two arms, in degrees.
# Ink is off the arms if it is farther from their middle lines than half a stroke plus TREMOR pixels. BESIDE is the
# largest share of such ink in a cross; a crossed 7 and an open 4 have 0.05 or more.
TREMOR = 1.0
BESIDE = 0.02


def are_crosses(framed: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return whether each framed image, uint8 [N, 28, 28], is a plus or a times, bool [N]."""
    found = np.zeros(len(framed), bool)
    if not len(framed):
        return found
    strokes = framed >= STROKE
    for y in OFFSETS:
        for x in OFFSETS:
            centre = (CENTRE + x, CENTRE + y)
            for k in np.flatnonzero(_four_arms(strokes, centre) & ~found):
                found[k] = _all_on_arms(strokes[k], centre, RINGS[-1] * _reach(strokes[k : k + 1], centre)[0])
    return found


def _reach(strokes: NDArray[np.bool_], centre: tuple[float, float]) -> NDArray[np.float64]:
    """Return the distance from the centre to the nearest side of each image's ink, float64 [N], at least 1."""
    rows: NDArray[np.bool_] = np.logical_or.reduce(strokes, axis=2)
    columns: NDArray[np.bool_] = np.logical_or.reduce(strokes, axis=1)
    left, right = columns.argmax(axis=1), SIDE - 1 - columns[:, ::-1].argmax(axis=1)
    top, bottom = rows.argmax(axis=1), SIDE - 1 - rows[:, ::-1].argmax(axis=1)
    x, y = centre
    reach: NDArray[np.float64] = np.minimum.reduce([x - left, right - x, y - top, bottom - y])
    return np.maximum(reach, 1.0)


def _ring(strokes: NDArray[np.bool_], centre: tuple[float, float], radius: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the pixels on a ring, bool [N, ANGLES]."""
    cosines, sines = _directions()
    x = np.rint(centre[0] + radius[:, np.newaxis] * cosines).astype(np.int64).clip(0, SIDE - 1)
    y = np.rint(centre[1] + radius[:, np.newaxis] * sines).astype(np.int64).clip(0, SIDE - 1)
    on: NDArray[np.bool_] = strokes[np.arange(len(strokes))[:, np.newaxis], y, x]
    return on


@cache
def _directions() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    return np.cos(angles), np.sin(angles)


def _four_arms(strokes: NDArray[np.bool_], centre: tuple[float, float]) -> NDArray[np.bool_]:
    reach = _reach(strokes, centre)
    four = reach >= 4
    for part in RINGS:
        # The first ring rules out nearly every other shape.
        if not four.any():
            break
        ring = _ring(strokes, centre, part * reach)
        four &= np.count_nonzero(ring & ~np.roll(ring, 1, axis=1), axis=1) == 4
    return four


def _all_on_arms(strokes: NDArray[np.bool_], centre: tuple[float, float], radius: float) -> bool:
    """Return whether four straight arms through a ring's strokes hold all the ink."""
    ring = _ring(strokes[np.newaxis], centre, np.array([radius]))[0]
    starts = np.flatnonzero(ring & ~np.roll(ring, 1))
    ends = np.flatnonzero(ring & ~np.roll(ring, -1))
    ends = np.roll(ends, -1) if ends[0] < starts[0] else ends
    arms = (starts + ((ends - starts) % ANGLES) / 2) * (360 / ANGLES)
    if np.diff(arms, append=arms[0] + 360).min() < LEAST_ANGLE:
        return False
    rows, columns = np.nonzero(strokes)
    x, y = columns - centre[0], rows - centre[1]
    turns = np.deg2rad(arms)[:, np.newaxis]
    along = x * np.cos(turns) + y * np.sin(turns)
    aside = np.where(along > 0, np.abs(y * np.cos(turns) - x * np.sin(turns)), np.hypot(x, y))
    return bool(np.count_nonzero(aside.min(axis=0) > mask_stroke_width(strokes) / 2 + TREMOR) <= BESIDE * len(rows))
