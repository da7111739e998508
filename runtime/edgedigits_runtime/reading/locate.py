"""Locate possible digits in the ink.

Connected components are found; specks and components of the picture's edge are dropped, parts of one digit are joined,
and the rest is ordered in lines. If geometry cannot distinguish one digit from two, both are candidates and the
network's answers decide, see segments.py.
"""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import CUT_WIDTH, Candidate, Layout, low_cost
from edgedigits_runtime.reading.components import Components, find_components
from edgedigits_runtime.reading.edge import MOST_COVERED, hugs_edge, without_run_out
from edgedigits_runtime.reading.grouping import grouped, reference_height
from edgedigits_runtime.reading.hypotheses import Hypothesis, Piece, hypotheses_of
from edgedigits_runtime.reading.marks import Mark, mask_stroke_width, trimmed, union
from edgedigits_runtime.reading.order import lines_of

# Components are found on a picture reduced to about this many pixels, in which digits of a full page are at least some
# ten high.
SEARCH_PIXELS = 1_000_000
SEARCH_HEIGHT = 96  # Higher digits are reduced further.
# A component with less than this fraction of the heaviest one's ink is a speck. A 5's bar has about 0.15.
SPECK_SHARE = 0.03
# A page written closely with digits has fewer marks; more are a texture.
MOST_MARKS = 1000
MOST_CANDIDATES = 2000
MOST_WIDE = 200  # More marks that may be several digits are words, and are not cut.
# Lower marks, in heights of the line, are ignored in finding lines, and added to the nearest line.
LINE_HEIGHT = 0.4
# Among MANY_MARKS or more, a mark must be WIDER than the median or SURELY_WIDE.
MANY_MARKS = 6
WIDER = 1.4
SURELY_WIDE = 1.3


def locate(ink: NDArray[np.uint8], *, whole: bool = True) -> Layout:
    """Return the candidates in ink, uint8 [H, W], bright on 0; `whole`: all the ink may be one digit."""
    if not ink.any():
        return Layout([], 0)
    factor = max(1, int(np.ceil(np.sqrt(ink.size / SEARCH_PIXELS))))
    small = _reduced(ink, factor)
    marks = _marks(small)
    finer = int(reference_height(marks) // SEARCH_HEIGHT)
    if finer > 1:
        factor *= finer
        small = _reduced(ink, factor)
        marks = _marks(small)
    if len(marks) > MOST_MARKS:
        return Layout([], 0, note=f"more than {MOST_MARKS} separate marks: a texture, and no digits")
    if sum(mark.mask.size for mark in marks) > MOST_COVERED * small.size:
        return Layout([], 0, note="marks that lie across each other: a texture, and no digits")
    parts = _pieces(_digits_apart(marks, small.shape), small)
    runs = hypotheses_of(parts, whole=whole)
    if len(runs) > MOST_CANDIDATES:
        runs = [run for run in runs if run.first == run.last]
    found = [_candidate(parts, run, ink, factor) for run in runs]
    return Layout(found, len(parts), min(ink.shape))


def _reduced(ink: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    if factor == 1:
        return ink
    height, width = (-(-side // factor) for side in ink.shape)
    rows = np.zeros((height, ink.shape[1]), np.uint8)
    blocks = np.zeros((height, width), np.uint8)
    for offset in range(factor):
        part = ink[offset::factor]
        np.maximum(rows[: len(part)], part, out=rows[: len(part)])
    for offset in range(factor):
        part = rows[:, offset::factor]
        np.maximum(blocks[:, : part.shape[1]], part, out=blocks[:, : part.shape[1]])
    return blocks


def _marks(small: NDArray[np.uint8]) -> list[Mark]:
    """Return the components as marks, without specks and those of the picture's edge."""
    components = find_components(small > 0)
    weight = _weights(components, small)
    edge = hugs_edge(components, small, weight)
    kept = np.ones(len(components), bool)
    # A digit may fill its picture up to the edge: then little is left without it.
    if weight[~edge].max(initial=0) >= SPECK_SHARE * weight[edge].sum():
        kept &= ~edge
    kept &= weight >= SPECK_SHARE * weight[kept].max()
    numbers = np.flatnonzero(kept)
    if len(numbers) > MOST_MARKS:
        numbers = numbers[: MOST_MARKS + 1]
    # Enough masks to see that there are too many.
    sizes = components.box_areas[numbers]
    numbers = numbers[np.cumsum(sizes) - sizes <= MOST_COVERED * small.size]
    boxes = components.boxes.tolist()
    return [
        Mark(Box(boxes[k][1], boxes[k][0], boxes[k][3] - boxes[k][1], boxes[k][2] - boxes[k][0]), components.mask(k))
        for k in numbers.tolist()
    ]


def _weights(components: Components, ink: NDArray[np.uint8]) -> NDArray[np.float64]:
    before = np.zeros(ink.size + 1, np.int64)
    np.cumsum(ink, out=before[1:])
    row = components.rows * ink.shape[1]
    along = before[row + components.ends] - before[row + components.starts]
    return np.add.reduceat(along, components.first[:-1]).astype(np.float64)


def _digits_apart(marks: list[Mark], shape: tuple[int, ...]) -> list[Mark]:
    """Return the marks with parts of one digit joined, without those that run out of the picture."""
    # First lone marks at the edge, which would distort the reference height, then joined ones.
    return without_run_out(grouped(without_run_out(marks, shape, alone=True)), shape)


def _cut(mark: Mark, ink: NDArray[np.uint8]) -> list[Mark]:
    # Here, so that digits apart are read without it.
    from edgedigits_runtime.reading.touching import pieces

    return pieces(mark, ink)


def _pieces(marks: list[Mark], small: NDArray[np.uint8]) -> list[Piece]:
    """Return all marks in reading order, with those that may be several digits cut into pieces."""
    height = reference_height(marks)
    tall = [mark for mark in marks if mark.box.height >= LINE_HEIGHT * height]
    lines = [[tall[k] for k in line] for line in lines_of([mark.box for mark in tall])]
    for mark in marks:
        if mark.box.height < LINE_HEIGHT * height:
            _nearest_line(mark, lines).append(mark)
    least = _least_cut_width(tall)
    whole_height = LINE_HEIGHT * height
    heights = [reference_height(line) for line in lines]
    wide = {
        mark
        for line, high in zip(lines, heights, strict=True)
        for mark in line
        if mark.box.width / min(high, mark.box.height) >= least and mark.box.height >= whole_height
    }
    if len(wide) > MOST_WIDE:
        wide = set()
    found, group = [], 0
    for number, (line, high) in enumerate(zip(lines, heights, strict=True)):
        for mark in sorted(line, key=lambda mark: mark.box.middle[0]):
            parts = _cut(mark, small[mark.box.rows, mark.box.columns]) if mark in wide else [mark]
            found += [Piece(part, group, number, high) for part in parts]
            group += 1
    return found


def _least_cut_width(marks: list[Mark]) -> float:
    """Return the width from which a mark may be two digits, in heights, given the widths on the page."""
    if len(marks) < MANY_MARKS:
        return CUT_WIDTH
    usual = float(np.median([mark.box.width / mark.box.height for mark in marks]))
    return min(max(CUT_WIDTH, WIDER * usual), SURELY_WIDE)


def _nearest_line(mark: Mark, lines: list[list[Mark]]) -> list[Mark]:
    x, y = mark.box.middle

    def away(line: list[Mark]) -> float:
        return min((x - other.box.middle[0]) ** 2 + 4 * (y - other.box.middle[1]) ** 2 for other in line)

    return min(lines, key=away)


def _candidate(parts: list[Piece], run: Hypothesis, ink: NDArray[np.uint8], factor: int) -> Candidate:
    own = parts[run.first : run.last + 1]
    mark = union([part.mark for part in own])
    rows = slice(mark.box.y * factor, mark.box.bottom * factor)
    columns = slice(mark.box.x * factor, mark.box.right * factor)
    crop = ink[rows, columns]
    mask = mark.mask.repeat(factor, axis=0).repeat(factor, axis=1) if factor > 1 else mark.mask
    crop = np.where(mask[: crop.shape[0], : crop.shape[1]], crop, 0).astype(np.uint8)
    tight = trimmed(crop > 0, columns.start, rows.start)
    if tight is None:
        raise ValueError("a mark holds ink")
    box = tight.box
    inside = crop[box.y - rows.start : box.bottom - rows.start, box.x - columns.start : box.right - columns.start]
    cost, height = run.cost + low_cost(box.height), mark.box.height / own[0].height
    stroke, fill = mask_stroke_width(mark.mask), float(mark.mask.mean())
    return Candidate(box, inside, run.first, run.last, own[0].line, cost, run.cut, height, stroke, fill)
