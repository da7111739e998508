"""Handwritten strokes and digits: a writer's traits, curves through control points, and a pen of varying pressure."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic.digit_styles import Glyph, digit_glyphs, stroke_points

Points = NDArray[np.float64]

SMALLEST = 16
"""Smallest canvas side in pixels that has room for stroke and margin."""

_WORKING_SIZE = 400
_POINTS_BETWEEN = 12


@dataclass(frozen=True)
class Handwriting:
    """The traits of one writer.

    Args:
        steadiness: standard deviation of a control point's offset, in digit heights.
        slant: how far the top leans to the right, in digit heights.
        width: factor on the width of every digit.
        angle: counter-clockwise rotation, in radians.
    """

    steadiness: float
    slant: float
    width: float
    angle: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Handwriting":
        """Return the traits of a random writer."""
        return cls(
            steadiness=rng.uniform(0.004, 0.014),
            slant=float(np.clip(rng.normal(0.10, 0.13), -0.15, 0.42)),
            width=float(np.clip(rng.normal(1.0, 0.12), 0.75, 1.3)),
            angle=math.radians(np.clip(rng.normal(0.0, 4.0), -10, 10)),
        )

    def trace(self, glyph: Glyph, rng: np.random.Generator) -> list[Points]:
        """Return the strokes of `glyph`, written once: [n, 2] each, (x, y) in digit heights."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[cos, sin], [-sin, cos]])
        # Row vectors: x' = width * x - slant * y, so that a positive slant leans the top to the right.
        lean = np.array([[self.width, 0.0], [-self.slant, 1.0]])
        return [trace_stroke(stroke, self.steadiness, rng) @ lean @ turn for stroke in glyph]


def draw_digit(
    digit: int, rng: np.random.Generator, *, size: int = 112, thickness: float | None = None, styles: str = "school"
) -> NDArray[np.uint8]:
    """Draw `digit` on a square canvas; the same state of `rng` gives the same picture.

    Args:
        digit: 0 to 9.
        rng: random source of style, slant, proportions, position and unsteadiness.
        size: side of the canvas in pixels, at least 16.
        thickness: mean width of the stroke in pixels, 1 to size / 4; by default 6 to 13% of `size`.
        styles: "school" for the styles most people learn, "wide" for rare ones too (digit_styles.py).

    Returns:
        Ink, uint8 [size, size], 0 blank to 255 full ink, anti-aliased, the outermost pixels blank.

    Raises:
        UnknownName: `digit` or `styles` is unknown.
        ArrayError: `size` or `thickness` is out of range.
    """
    if digit not in range(10):
        raise UnknownName("digit", str(digit), map(str, range(10)))
    thickness = checked_thickness(rng, size, thickness, least=0.06)
    glyphs = digit_glyphs(digit, styles)
    glyph = glyphs[rng.integers(len(glyphs))]
    traces = place_traces(Handwriting.random(rng).trace(glyph, rng), size, thickness, rng)
    return ink_traces(traces, size, thickness, rng, supersampling=max(2, math.ceil(_WORKING_SIZE / size)))


def checked_thickness(rng: np.random.Generator, size: int, thickness: float | None, *, least: float) -> float:
    """Return the mean stroke width in pixels: `thickness`, or a random `least` to 0.13 of `size` for None.

    Raises:
        ArrayError: `size` or `thickness` is out of range.
    """
    if size < SMALLEST:
        raise ArrayError(f"expected a canvas of at least {SMALLEST} pixels a side, got {size}")
    if thickness is None:
        thickness = max(1.0, size * rng.uniform(least, 0.13))
    if not 1 <= thickness <= size / 4:
        raise ArrayError(f"thickness must be 1 to {size / 4:g} pixels on a canvas of {size}, is {thickness:g}")
    return thickness


def write_symbol(glyph: Glyph, rng: np.random.Generator, *, slant: float) -> list[Points]:
    """Return the strokes of `glyph` by a random writer, [n, 2] each in heights; `slant` is a standard deviation."""
    handwriting = Handwriting(
        steadiness=rng.uniform(0.004, 0.018),
        width=rng.uniform(0.8, 1.25),
        slant=float(np.clip(rng.normal(0.0, slant), -2 * slant, 2 * slant)),
        angle=math.radians(np.clip(rng.normal(0.0, 3.5), -8, 8)),
    )
    return handwriting.trace(glyph, rng)


def trace_stroke(stroke: str, steadiness: float, rng: np.random.Generator) -> Points:
    """Return a smooth curve through slightly moved control points of `stroke`, float64 [n, 2] in digit heights.

    `steadiness` is the standard deviation of the offsets, in digit heights.
    """
    pieces = stroke_points(stroke)
    corners = np.cumsum([len(piece) for piece in pieces])
    points = np.concatenate(pieces)
    # Neighbouring points move together; independent offsets would make the curve tremble.
    offsets = np.pad(rng.normal(0.0, steadiness, points.shape), ((1, 1), (0, 0)), mode="edge")
    points += offsets[:-2] + offsets[1:-1] + offsets[2:]
    # Writers start and end a stroke early or late.
    for end, inner in ((0, 1), (-1, -2)):
        points[end] += rng.uniform(-0.10, 0.12) * (points[end] - points[inner])
    curves = []
    start = 0
    for stop in corners:
        curves.append(smooth_curve(points[max(start - 1, 0) : stop]))
        start = stop
    return np.concatenate(curves)


def smooth_curve(points: Points) -> Points:
    """Return the centripetal Catmull-Rom spline through `points` ([n, 2], n >= 2).

    The centripetal form makes no loops (Yuksel et al., "Parameterization and applications of Catmull-Rom curves",
    2011); computed with Barry and Goldman's pyramid.
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


def place_traces(traces: list[Points], size: int, thickness: float, rng: np.random.Generator) -> list[Points]:
    """Scale and move `traces` ([n, 2] each) into a canvas of `size` pixels with room for strokes of `thickness`."""
    every = np.concatenate(traces)
    low, high = every.min(axis=0), every.max(axis=0)
    # Half the widest stroke (see _pressure), and one blank pixel.
    border = 0.5 * 1.15 * thickness + 1.5
    room = size - 2 * border
    scale = room / max(high - low) * rng.uniform(0.82, 1.0)
    spare = room - (high - low) * scale
    corner = border + spare * rng.uniform(0.3, 0.7, 2)
    return [(trace - low) * scale + corner for trace in traces]


def ink_traces(
    traces: list[Points],
    size: int,
    thickness: float,
    rng: np.random.Generator,
    *,
    supersampling: int = 4,
    discs: float = 12.0,
) -> NDArray[np.uint8]:
    """Draw `traces` with a pen of varying pressure.

    Args:
        traces: [n, 2] each, (x, y) in pixels of the canvas.
        size: side of the canvas in pixels.
        thickness: mean width of the stroke in pixels.
        rng: random source of the pressure.
        supersampling: the pen's discs are drawn without anti-aliasing on a canvas larger by this factor, then averaged.
        discs: discs per stroke width; the edge's roughness is 0.4% of the radius with 12, 1.4% with 6.

    Returns:
        uint8 [size, size], 0 blank to 255 full ink.
    """
    width = thickness * supersampling
    canvas = Image.new("L", (size * supersampling, size * supersampling))
    pen = ImageDraw.Draw(canvas)
    for trace in (trace * supersampling for trace in traces):
        lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(trace, axis=0), axis=1))])
        count = max(2, math.ceil(lengths[-1] / max(width / discs, 1.0)))
        along = np.linspace(0.0, lengths[-1], count)
        radii = 0.5 * width * _pressure(along / max(canvas.width, 1), rng)
        xs, ys = (np.interp(along, lengths, trace[:, axis]) for axis in (0, 1))
        for x, y, radius in zip(xs.tolist(), ys.tolist(), radii.tolist(), strict=True):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.reduce(supersampling))


def _pressure(along: Points, rng: np.random.Generator) -> Points:
    """Return the factor on the pen's width, 0.7 to 1.15, at distances `along` its way (in canvas sides)."""
    first, second = rng.uniform(0, 2 * math.pi, 2)
    waves = 0.6 * np.sin(2 * math.pi * along * 0.9 + first) + 0.4 * np.sin(2 * math.pi * along * 2.3 + second)
    # Writers lift the pen while it moves, so the last tenth of a stroke gets thinner.
    lift = np.clip((along[-1] - along) / 0.1, 0.0, 1.0)
    pressed: Points = (1.0 + rng.uniform(0.03, 0.15) * waves) * (0.84 + 0.16 * lift)
    return pressed
