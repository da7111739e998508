"""Reject shapes that no digit has, whatever the network's answer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.candidates import Candidate, Layout

SMALLEST = 0.45  # Lower than this fraction of the line's height is a point, a comma or a stroke.
# Lower digits cannot be read. Below DIRT_PIXELS, less than the fraction DIRT of the picture's side is dirt.
FEWEST_PIXELS = 5
DIRT_PIXELS = 13
DIRT = 0.015
FLATTEST = 2.0  # Wider than this many heights is a minus or a line.
# A larger empty fraction of the height separates the parts of a colon, an equals sign or an i; the bar of a 5 is
# nearer.
EMPTY_ROWS = 0.25
# A solid block of ink: even a bold digit leaves a third of its box free, except a 1.
SOLID = 0.93
SOLID_WIDTH = 0.5
# One writer's strokes are alike. Less than TRACE_INK of the usual ink, in strokes with less than TRACE_PEN of the usual
# width times brightness, is a trace of something else, such as print of the other side or a scanner's streak.
TRACE_INK = 0.2
TRACE_PEN = 0.45
# From this confidence a flat 2 is not a minus and a crossed 4 not a plus: no drawn operator reaches it.
SURE = 0.8


def shape_faults(layout: Layout, framed: NDArray[np.uint8], sure: NDArray[np.float32]) -> list[str]:
    """Return for each of N candidates why its shape is not a digit's; empty where it may be one.

    `framed` are their images, uint8 [N, 28, 28], `sure` the network's confidence in each, float32 [N].
    """
    candidates = layout.candidates
    doubted = sure < SURE
    least = max(FEWEST_PIXELS, min(DIRT_PIXELS, DIRT * layout.side))
    crosses = np.zeros(len(candidates), bool)
    if doubted.any():
        # Here, so that clear digits are read without it.
        from edgedigits_runtime.reading.crosses import are_crosses

        crosses[doubted] = are_crosses(framed[doubted])
    traces = _are_traces(candidates)
    return [
        ("as flat as a minus" if doubted[k] and candidate.box.width > FLATTEST * candidate.box.height else "")
        or _fault(candidate, least)
        or ("operator shape" if crosses[k] else "")
        or ("a thin or faint trace" if traces[k] else "")
        for k, candidate in enumerate(candidates)
    ]


def _are_traces(candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
    """Return which candidates have little ink, in much thinner or fainter strokes than the others."""
    if len(candidates) == 1:
        return np.zeros(1, bool)
    ink = np.array([candidate.ink.sum(dtype=np.int64) for candidate in candidates], np.float64)
    level = ink / [np.count_nonzero(candidate.ink) for candidate in candidates]
    pen = level * [candidate.stroke for candidate in candidates]
    order = np.argsort(ink, kind="stable")
    # The median of the ink, not of the marks: a few strokes outweigh many specks.
    usual = order[np.searchsorted(np.cumsum(ink[order]), ink.sum() / 2)]
    traces: NDArray[np.bool_] = (pen < TRACE_PEN * pen[usual]) & (ink < TRACE_INK * ink[usual])
    return traces


def _fault(candidate: Candidate, least: float) -> str:
    box = candidate.box
    if box.height < least:
        return f"{box.height} pixels high"
    if candidate.height < SMALLEST:
        return "small beside its neighbours"
    inked = np.logical_or.reduce(candidate.ink, axis=1)
    if not inked.all() and np.diff(np.flatnonzero(inked)).max() - 1 > EMPTY_ROWS * box.height:
        return "parts that stand apart"
    if box.width >= SOLID_WIDTH * box.height and candidate.fill >= SOLID:
        return "a solid patch"
    return ""
