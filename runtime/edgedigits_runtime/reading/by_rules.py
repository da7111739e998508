"""Search pictures by rules for ink, ground and strokes, without a finder."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.preprocessing import Probabilities
from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import (
    CUT_WIDTH,
    Candidate,
    Criteria,
    Judge,
    Layout,
    Searched,
    Verdict,
    low_cost,
)
from edgedigits_runtime.reading.components import find_components
from edgedigits_runtime.reading.framed import SIDE, fitted, framed_boxes
from edgedigits_runtime.reading.ground import LEAST_LOCAL_SIDE
from edgedigits_runtime.reading.ink import find_inks
from edgedigits_runtime.reading.reject import judge
from edgedigits_runtime.timing import Stopwatch


def search_by_rules(
    pictures: Sequence[NDArray[np.uint8]], shape: tuple[int, int, int], watch: Stopwatch, *, whole: bool
) -> list[Searched]:
    """Return the candidates of pictures, uint8 [H, W, 1 or 3], framed for images of `shape`; see locate for `whole`."""
    with watch.stage("ink"):
        inks = find_inks(pictures)
    with watch.stage("locate"):
        boxes = framed_boxes(inks)
        layouts = [_one(ink, box) if box else _located(ink, whole=whole) for ink, box in zip(inks, boxes, strict=True)]
    with watch.stage("frame"):
        digits = [
            ink[np.newaxis] if box else _framed(layout) for ink, layout, box in zip(inks, layouts, boxes, strict=True)
        ]
        return [
            Searched(ink, layout.boxes, fitted(each, shape), _judging(layout, each), as_it_is=box is not None)
            for ink, layout, each, box in zip(inks, layouts, digits, boxes, strict=True)
        ]


def _located(ink: NDArray[np.uint8], *, whole: bool) -> Layout:
    alone = one_mark(ink)
    if alone is not None:
        return alone
    # Here and below, so that small pictures of one digit are read without them.
    from edgedigits_runtime.reading.locate import locate

    return locate(ink, whole=whole)


def one_mark(ink: NDArray[np.uint8]) -> Layout | None:
    """Return what `locate` does of small ink, uint8 [H, W], that is one connected mark and cannot be two; else None."""
    if max(ink.shape) > LEAST_LOCAL_SIDE:
        return None
    components = find_components(ink > 0)
    if len(components) != 1:
        return None
    top, left, bottom, right = components.boxes[0].tolist()
    box = Box(left, top, right - left, bottom - top)
    return None if box.width / box.height >= CUT_WIDTH else _one(ink, box, low_cost(box.height), min(ink.shape))


def _framed(layout: Layout) -> NDArray[np.uint8]:
    from edgedigits_runtime.reading.frame import frame_digit

    framed = [frame_digit(candidate.ink) for candidate in layout.candidates]
    return np.array(framed, np.uint8).reshape(-1, SIDE, SIDE)


def _judging(layout: Layout, digits: NDArray[np.uint8]) -> Judge:
    def verdict(confidences: Probabilities, criteria: Criteria) -> Verdict:
        judged = judge(layout, digits, confidences, criteria)
        return judged._replace(lines=tuple(layout.candidates[k].line for k in judged.order))

    return verdict


def _one(ink: NDArray[np.uint8], box: Box, cost: float = 0.0, side: int = 0) -> Layout:
    """Return the layout of a picture that is one digit."""
    digit = ink[box.rows, box.columns]
    fill = np.count_nonzero(digit) / digit.size
    return Layout([Candidate(box, digit, 0, 0, 0, cost, False, 1.0, 1.0, fill)], 1, side)
