"""Search pictures with a finder: what it boxes is cropped from the full picture and framed."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import Searched, judge_one
from edgedigits_runtime.reading.components import find_components
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.reading.framed import fitted, framed_boxes, plain_inks
from edgedigits_runtime.timing import Stopwatch

if TYPE_CHECKING:
    from edgedigits_runtime.reading.found import Found

Find = Callable[[NDArray[np.uint8]], "Found"]
"""See Finder.find; called for pictures that need it."""

CONNECTED = 0.8
"""Least share of the ink, in pixels, of the one piece that is a digit; a speck or a loose stroke may be beside it."""
NO_INK = np.zeros((0, 0), np.uint8)


def search_with_finder(
    find: Find,
    pictures: Sequence[NDArray[np.uint8]],
    shape: tuple[int, int, int],
    watch: Stopwatch,
    *,
    letters: bool = False,
) -> list[Searched]:
    """Return the candidates of pictures, uint8 [H, W, 1 or 3], framed for images of `shape`.

    A picture of MNIST's size on an even ground needs no finder where it is framed already, or one piece of ink. With
    `letters`, boxes that look like letters are candidates too, and rejected: `Trace` shows them.
    """
    with watch.stage("find"):
        inks = plain_inks(pictures)
        boxes = framed_boxes(inks)
    searched = []
    for pixels, ink, box in zip(pictures, inks, boxes, strict=True):
        if box:
            searched.append(Searched(ink, [box], fitted(ink[np.newaxis], shape), judge_one, as_it_is=True))
            continue
        with watch.stage("frame"):
            one = _one_digit(ink, shape)
        searched.append(one or _search(find, pixels, shape, watch, letters=letters))
    return searched


def _one_digit(ink: NDArray[np.uint8], shape: tuple[int, int, int]) -> Searched | None:
    """Return the only digit of a picture of MNIST's size, if nearly all its ink is connected; else None."""
    if not ink.any():
        return None
    parts = find_components(ink > 0)
    if parts.areas.max() < CONNECTED * parts.areas.sum():
        return None
    top, left = parts.boxes[:, :2].min(axis=0).tolist()
    bottom, right = parts.boxes[:, 2:].max(axis=0).tolist()
    framed = frame_digit(ink)[np.newaxis]
    return Searched(ink, [Box(left, top, right - left, bottom - top)], fitted(framed, shape), judge_one)


def _search(
    find: Find, pixels: NDArray[np.uint8], shape: tuple[int, int, int], watch: Stopwatch, *, letters: bool
) -> Searched:
    # Here, so that pictures of one digit are read without them.
    from edgedigits_runtime.reading.crop import crop_found
    from edgedigits_runtime.reading.judge import Candidates, candidates_of, judge_found

    with watch.stage("find"):
        found = find(pixels)
    with watch.stage("frame"):
        index = np.arange(len(found.scores)) if letters else candidates_of(found)
        crops = crop_found(pixels, found.boxes, index)
        inked = np.flatnonzero(np.any(crops.framed, axis=(1, 2)))
        index, boxes = index[inked], [Box(*box) for box in crops.boxes[inked].tolist()]
        candidates = Candidates(found, index, boxes, crops.fill[inked])
        framed = fitted(crops.framed[inked], shape)
    scores = np.stack([found.scores[index], found.letter_scores[index]], axis=1)
    return Searched(NO_INK, boxes, framed, partial(judge_found, candidates), scores=scores)
