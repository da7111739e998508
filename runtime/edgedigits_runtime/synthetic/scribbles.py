"""Scribbles: zigzags, coils, tangles, hatching and crossed-out places.

Each has enough turns not to look like a digit: a zigzag of three turns is a 2 or 3, a coil of two loops an 8.
"""

from collections.abc import Callable

import numpy as np

from edgedigits_runtime.synthetic.handwriting import Points, smooth_curve


def scribble(rng: np.random.Generator) -> list[Points]:
    """Return one scribble: float64 [n, 2] for each stroke, (x, y), about 1 high or wide."""
    return _SCRIBBLES[rng.integers(len(_SCRIBBLES))](rng)


def _zigzag(rng: np.random.Generator) -> list[Points]:
    turns = rng.integers(6, 14)
    along = np.linspace(0, 1, turns) + rng.normal(0, 0.25 / turns, turns)
    across = np.where(np.arange(turns) % 2, 0.0, rng.uniform(0.35, 1.0)) + rng.normal(0, 0.06, turns)
    return [_turned(_jagged(np.stack([along, across], axis=1), rng), rng)]


def _coil(rng: np.random.Generator) -> list[Points]:
    """Draw loops from left to right."""
    loops = rng.integers(4, 9)
    angle = np.linspace(0, 2 * np.pi * loops, 14 * loops)
    radius = rng.uniform(0.2, 0.5) * (1 + 0.15 * np.sin(angle * rng.uniform(0.1, 0.4)))
    x = angle / angle[-1] * rng.uniform(0.8, 1.4) + radius * np.cos(angle) * rng.uniform(0.4, 1.0)
    y = radius * np.sin(angle)
    return [np.stack([x, y], axis=1)]


def _ball(rng: np.random.Generator) -> list[Points]:
    """Draw loops in one place around a moving centre."""
    loops = rng.integers(4, 9)
    angle = np.linspace(0, 2 * np.pi * loops, 16 * loops)
    wander = [np.interp(angle, np.linspace(0, angle[-1], loops + 1), rng.normal(0, 0.12, loops + 1)) for _ in "xy"]
    # The radius varies, because rings of one size look like a bold 0.
    reach = np.where(np.arange(3 * loops) % 2, rng.uniform(0.3, 0.5, 3 * loops), rng.uniform(-0.1, 0.15, 3 * loops))
    radius = np.interp(angle, np.linspace(0, angle[-1], 3 * loops), reach)
    return [np.stack([radius * np.cos(angle) + wander[0], radius * np.sin(angle) + wander[1]], axis=1)]


def _tangle(rng: np.random.Generator) -> list[Points]:
    return [smooth_curve(rng.uniform(0, 1, (rng.integers(14, 24), 2)))]


def _hatching(rng: np.random.Generator) -> list[Points]:
    """Draw parallel strokes, half of the time crossed by others."""
    strokes = []
    for quarter in range(rng.integers(1, 3)):
        places = np.linspace(0, 1, rng.integers(4, 8))
        starts = np.stack([places, rng.normal(0, 0.06, len(places))], axis=1)
        ends = np.stack([places + rng.normal(0.1, 0.05), 1 + rng.normal(0, 0.06, len(places))], axis=1)
        pairs = np.stack([starts, ends], axis=1)
        strokes += list(pairs[..., ::-1] if quarter else pairs)
    return [_turned(stroke, rng, 0.0) for stroke in strokes]


def _crossed_out(rng: np.random.Generator) -> list[Points]:
    """Draw a tangle with strokes through it."""
    under = smooth_curve(rng.uniform(0.1, 0.9, (rng.integers(9, 14), 2)))
    rows = rng.uniform(0.15, 0.85, rng.integers(3, 6))
    strokes = [np.array([[0.0, row + rng.normal(0, 0.1)], [1.0, row + rng.normal(0, 0.1)]]) for row in rows]
    return [under, *strokes]


_SCRIBBLES: tuple[Callable[[np.random.Generator], list[Points]], ...] = (
    *(_zigzag, _coil, _ball, _tangle, _hatching, _crossed_out),
)


def _jagged(points: Points, rng: np.random.Generator) -> Points:
    """Return `points` with sharp or round turns, at random."""
    return smooth_curve(points) if rng.random() < 0.5 else points


def _turned(points: Points, rng: np.random.Generator, spread: float = 0.4) -> Points:
    angle = rng.normal(0.0, spread) if spread else 0.0
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned
