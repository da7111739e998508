"""Search pictures with a finder: what it boxes is cropped from the full picture and framed."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.crop import crop_found
from edgedigits_runtime.reading.find import Finder
from edgedigits_runtime.reading.frame import fitted, framed_boxes, plain_inks
from edgedigits_runtime.reading.judge import Candidates, candidates_of, judge_found
from edgedigits_runtime.reading.searched import Searched, judge_one
from edgedigits_runtime.timing import Stopwatch

NO_INK = np.zeros((0, 0), np.uint8)


def search_with_finder(
    finder: Finder,
    pictures: Sequence[NDArray[np.uint8]],
    shape: tuple[int, int, int],
    watch: Stopwatch,
    *,
    letters: bool = False,
) -> list[Searched]:
    """Return the candidates of pictures, uint8 [H, W, 1 or 3], framed for images of `shape`.

    A picture that is framed already, as MNIST's images are, needs no finder. With `letters`, boxes that look like
    letters are candidates too, and rejected: `Trace` shows them.
    """
    with watch.stage("find"):
        inks = plain_inks(pictures)
        boxes = framed_boxes(inks)
    return [
        Searched(ink, [box], fitted(ink[np.newaxis], shape), judge_one, as_it_is=True)
        if box
        else _search(finder, pixels, shape, watch, letters=letters)
        for pixels, ink, box in zip(pictures, inks, boxes, strict=True)
    ]


def _search(
    finder: Finder, pixels: NDArray[np.uint8], shape: tuple[int, int, int], watch: Stopwatch, *, letters: bool
) -> Searched:
    with watch.stage("find"):
        found = finder.find(pixels)
    with watch.stage("frame"):
        index = np.arange(len(found.scores)) if letters else candidates_of(found)
        crops = crop_found(pixels, found.boxes, index)
        inked = np.flatnonzero(np.any(crops.framed, axis=(1, 2)))
        index, boxes = index[inked], [Box(*box) for box in crops.boxes[inked].tolist()]
        candidates = Candidates(found, index, boxes, crops.fill[inked])
        framed = fitted(crops.framed[inked], shape)
    scores = np.stack([found.scores[index], found.letter_scores[index]], axis=1)
    return Searched(NO_INK, boxes, framed, partial(judge_found, candidates), scores=scores)
