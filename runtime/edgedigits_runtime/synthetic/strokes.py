"""Draw one handwritten digit as ink: a hand chosen at random, written a little differently every time."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic.hands import HANDS, Hand, stroke_points

Points = NDArray[np.float64]

SMALLEST = 16
"""Pixels; on a smaller canvas neither stroke nor margin has room."""

_WORKING_SIZE = 400
_POINTS_BETWEEN = 12


def draw_digit(
    digit: int, rng: np.random.Generator, *, size: int = 112, thickness: float | None = None
) -> NDArray[np.uint8]:
    """Draw `digit` on a square canvas; the same state of `rng` gives the same picture.

    Args:
        digit: 0 to 9.
        rng: chooses the hand, the slant, the proportions, the place and the unsteadiness.
        size: side of the canvas in pixels, at least 16.
        thickness: mean width of the stroke in pixels, 1 to size / 4; 6 to 13% of `size` by default.

    Returns:
        Ink, uint8 [size, size], 0 bare paper to 255 full ink, anti-aliased, the outermost pixels bare.

    Raises:
        UnknownName: `digit` is not one of 0 to 9.
        ArrayError: `size` or `thickness` out of range.
    """
    if digit not in range(10):
        raise UnknownName("digit", str(digit), map(str, range(10)))
    if size < SMALLEST:
        raise ArrayError(f"a digit needs a canvas of at least {SMALLEST} pixels a side, got {size}")
    if thickness is None:
        thickness = max(1.0, size * rng.uniform(0.06, 0.13))
    if not 1 <= thickness <= size / 4:
        raise ArrayError(f"thickness must be 1 to {size / 4:g} pixels on a canvas of {size}, is {thickness:g}")
    hands = tuple(HANDS[digit].values())
    traces = _write(hands[rng.integers(len(hands))], rng)
    # Discs are drawn without anti-aliasing on a larger canvas, which is then averaged down.
    factor = max(2, math.ceil(_WORKING_SIZE / size))
    traces = _place(traces, size, thickness, rng)
    return _ink([trace * factor for trace in traces], size * factor, thickness * factor, factor, rng)


def _write(hand: Hand, rng: np.random.Generator) -> list[Points]:
    """Trace the strokes of `hand` as one person would this time: [n, 2] points each, in digit heights."""
    steadiness = rng.uniform(0.004, 0.014)
    slant = np.clip(rng.normal(0.10, 0.13), -0.15, 0.42)
    width = np.clip(rng.normal(1.0, 0.12), 0.75, 1.3)
    angle = math.radians(np.clip(rng.normal(0.0, 4.0), -10, 10))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    # Row vectors: x' = width * x - slant * y, so that a positive slant leans the top to the right.
    lean = np.array([[width, 0.0], [-slant, 1.0]])
    return [_trace(stroke, steadiness, rng) @ lean @ turn for stroke in hand]


def _trace(stroke: str, steadiness: float, rng: np.random.Generator) -> Points:
    """Move the control points of `stroke` a little and return the curve through them, [n, 2]."""
    pieces = stroke_points(stroke)
    corners = np.cumsum([len(piece) for piece in pieces])
    points = np.concatenate(pieces)
    # A hand strays slowly: neighbouring points stray together, or the curve would tremble.
    astray = np.pad(rng.normal(0.0, steadiness, points.shape), ((1, 1), (0, 0)), mode="edge")
    points += astray[:-2] + astray[1:-1] + astray[2:]
    # A stroke may start or end early or late, as nobody stops where the last time.
    for end, inner in ((0, 1), (-1, -2)):
        points[end] += rng.uniform(-0.10, 0.12) * (points[end] - points[inner])
    curves = []
    start = 0
    for stop in corners:
        curves.append(_smooth(points[max(start - 1, 0) : stop]))
        start = stop
    return np.concatenate(curves)


def _smooth(points: Points) -> Points:
    """Return a curve through `points` ([n, 2], n >= 2): the centripetal Catmull-Rom spline.

    Centripetal, since it makes no loops of its own (Yuksel et al., "Parameterization and applications of
    Catmull-Rom curves", 2011). Barry and Goldman's pyramidal form.
    """
    before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    padded = np.vstack([before, points, after])
    steps = np.sqrt(np.maximum(np.linalg.norm(np.diff(padded, axis=0), axis=1), 1e-6))
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    curve = []
    for i in range(1, len(padded) - 2):
        t0, t1, t2, t3 = knots[i - 1 : i + 3]
        p0, p1, p2, p3 = padded[i - 1 : i + 3]
        t = np.linspace(t1, t2, _POINTS_BETWEEN)[:, None]
        a1 = ((t1 - t) * p0 + (t - t0) * p1) / (t1 - t0)
        a2 = ((t2 - t) * p1 + (t - t1) * p2) / (t2 - t1)
        a3 = ((t3 - t) * p2 + (t - t2) * p3) / (t3 - t2)
        b1 = ((t2 - t) * a1 + (t - t0) * a2) / (t2 - t0)
        b2 = ((t3 - t) * a2 + (t - t1) * a3) / (t3 - t1)
        curve.append(((t2 - t) * b1 + (t - t1) * b2) / (t2 - t1))
    return np.concatenate(curve)


def _place(traces: list[Points], size: int, thickness: float, rng: np.random.Generator) -> list[Points]:
    """Scale `traces` into a canvas of `size` pixels and move them to where the whole stroke has room."""
    every = np.concatenate(traces)
    low, high = every.min(axis=0), every.max(axis=0)
    # Half the stroke at its heaviest (_pressure), and then one pixel that stays bare.
    border = 0.5 * 1.15 * thickness + 1.5
    room = size - 2 * border
    scale = room / max(high - low) * rng.uniform(0.82, 1.0)
    spare = room - (high - low) * scale
    corner = border + spare * rng.uniform(0.3, 0.7, 2)
    return [(trace - low) * scale + corner for trace in traces]


def _ink(traces: list[Points], size: int, thickness: float, factor: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Ink `traces` (pixels of the large canvas) with discs, then average factor x factor pixels into one."""
    canvas = Image.new("L", (size, size))
    pen = ImageDraw.Draw(canvas)
    for trace in traces:
        lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(trace, axis=0), axis=1))])
        # A sixth of a radius leaves an edge that is rough by 0.4% of it.
        count = max(2, math.ceil(lengths[-1] / max(thickness / 12, 1.0)))
        along = np.linspace(0.0, lengths[-1], count)
        radii = 0.5 * thickness * _pressure(along / max(size, 1), rng)
        xs, ys = (np.interp(along, lengths, trace[:, axis]) for axis in (0, 1))
        for x, y, radius in zip(xs.tolist(), ys.tolist(), radii.tolist(), strict=True):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.reduce(factor))


def _pressure(along: Points, rng: np.random.Generator) -> Points:
    """Return how much wider or narrower the pen gets along its way (`along` in canvas sides): 0.7 to 1.15."""
    first, second = rng.uniform(0, 2 * math.pi, 2)
    waves = 0.6 * np.sin(2 * math.pi * along * 0.9 + first) + 0.4 * np.sin(2 * math.pi * along * 2.3 + second)
    # People lift the pen while it moves: the last tenth of a stroke thins out.
    lift = np.clip((along[-1] - along) / 0.1, 0.0, 1.0)
    pressed: Points = (1.0 + rng.uniform(0.03, 0.15) * waves) * (0.84 + 0.16 * lift)
    return pressed
