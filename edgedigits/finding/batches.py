"""Batches for the finder's training, drawn and encoded in worker processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from edgedigits.finding.targets import encode
from edgedigits.scenes import IGNORED, LETTER, Scene
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.streams import Stream, in_workers
from edgedigits_runtime.reading.letterbox import ground_colour, letterbox

SIDE = 320
RETAKEN_SIDES = (256, 320, 224, 0)
"""Sides of successive batches of retaken scenes, 0 for small pictures: pictures come in many sizes."""
ZOOM = (0.6, 2.0)
"""Least and largest factor by which a scene is retaken larger."""
SMALL = 28
OF_SMALL = (0.35, 0.98)
"""Side of small pictures, and what share of it the digit in their middle takes."""
LEAST_SIDE = 7.0
"""Longest side, in pixels, under which what became smaller is ignored."""
LEAST_SEEN = 0.9
"""Share of its width and height under which what was cut through is ignored."""

Batch = list[NDArray[np.generic]]


@dataclass(frozen=True)
class Batches:
    """Endless batches; those of a step depend only on seed, size and step.

    A drawn scene is used twice, because drawing takes as long as learning: as it is, and then retaken.

    Args:
        seed: of the scenes.
        size: scenes of a batch.
    """

    seed: int
    size: int

    def pair(self, number: int) -> tuple[Batch, Batch]:
        """Return the batches of steps 2 * number and 2 * number + 1: drawn scenes, and the same retaken.

        A batch is uint8 pixels [N, side, side, 3] and, for each stride, the four arrays of a Target, [N, ...].
        """
        scenes = Stream(self.seed, SIDE).batch(number, self.size)
        generator, side = np.random.default_rng([self.seed, number]), RETAKEN_SIDES[number % len(RETAKEN_SIDES)]
        again = [retaken(scene, side, generator) if side else small_picture(scene, generator) for scene in scenes]
        return batch_of(scenes), batch_of(again)

    def from_step(self, start: int, workers: int = 2, ahead: int = 2) -> Iterator[Batch]:
        """Yield the batches from step `start` on.

        Args:
            start: the first step.
            workers: processes that draw; 0 draws in this one.
            ahead: pairs that each worker may be ahead.
        """
        pairs = in_workers(self.pair, start // 2, workers, ahead)
        return islice((batch for pair in pairs for batch in pair), start % 2, None)


def batch_of(scenes: list[Scene]) -> Batch:
    """Return scenes of one size as a batch."""
    encoded = [[array for target in encode(scene) for array in target.arrays()] for scene in scenes]
    # Half the bytes to send between processes.
    arrays = [np.stack(column).astype(np.float16) for column in zip(*encoded, strict=True)]
    return [np.stack([scene.pixels for scene in scenes]), *arrays]


def retaken(scene: Scene, side: int, generator: np.random.Generator) -> Scene:
    """Return a scene from nearer or farther, moved; around it is plain ground."""
    size = max(round(float(np.exp(generator.uniform(*np.log(ZOOM)))) * side), 1)
    # From where one border of the scene touches the picture's to where the other does.
    left, top = (round(float(share) * (side - size)) for share in generator.random(2))
    return _placed(scene, side, size, left, top)


def small_picture(scene: Scene, generator: np.random.Generator) -> Scene:
    """Return what is around one digit of a scene as a picture of MNIST's size, enlarged as a reader enlarges it."""
    digits = np.flatnonzero((scene.classes >= 0) & (scene.classes < LETTER))
    old = scene.pixels.shape[0]
    box = (
        scene.boxes[generator.choice(digits)] if len(digits) else np.array([0.3 * old, 0.3 * old, 0.3 * old, 0.3 * old])
    )
    longest = float(generator.uniform(*OF_SMALL)) * SMALL
    scale = longest / float(box[2:].max())
    size = max(round(scale * old), 1)
    centre = (box[:2] + box[2:] / 2) * size / old
    left, top = (round(float(at)) for at in generator.uniform(longest / 2, SMALL - longest / 2, 2) - centre)
    picture = _placed(scene, SMALL, size, left, top)
    boxed = letterbox(picture.pixels, SIDE)
    moved = picture.boxes * np.array([*boxed.scale, *boxed.scale]) + np.array([*boxed.corner, 0, 0])
    return Scene(boxed.pixels, moved.astype(np.float32), picture.classes, ())


def _placed(scene: Scene, side: int, size: int, left: int, top: int) -> Scene:
    """Return a scene resized to `size` in a picture of `side`, its corner at (left, top)."""
    old = scene.pixels.shape[0]
    smooth = cv2.INTER_AREA if size < old else cv2.INTER_LINEAR
    content = cv2.resize(scene.pixels, (size, size), interpolation=smooth)
    pixels = np.empty((side, side, 3), np.uint8)
    pixels[:] = ground_colour(scene.pixels)
    within = content[max(-top, 0) : side - top, max(-left, 0) : side - left]
    pixels[max(top, 0) : max(top, 0) + len(within), max(left, 0) : max(left, 0) + within.shape[1]] = within
    scale, corner = size / old, np.array([left, top])
    low = scene.boxes[:, :2] * scale + corner
    high = low + scene.boxes[:, 2:] * scale
    cut_low, cut_high = np.clip(low, 0, side), np.clip(high, 0, side)
    boxes = np.hstack([cut_low, cut_high - cut_low]).astype(np.float32)
    whole = (boxes[:, 2:] >= LEAST_SEEN * (high - low)).all(axis=1)
    counts = whole & (boxes[:, 2:].max(axis=1, initial=0) >= LEAST_SIDE)
    seen = (boxes[:, 2:] > 0).all(axis=1)
    return Scene(pixels, boxes[seen], np.where(counts, scene.classes, IGNORED)[seen], ())
