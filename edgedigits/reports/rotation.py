"""How accuracy falls when images are turned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgedigits.data.dataset import Samples
from edgedigits.verification.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Images, Probabilities

DEGREES = tuple(range(-45, 46, 5))
MOST_IMAGES = 2_000
SEED = 0


@dataclass(frozen=True)
class RotationCurve:
    """Top-1 accuracy by angle.

    Attributes:
        degrees: counter-clockwise.
        accuracy: at each angle, with 95% Wilson intervals.
        images: how many were turned.
        available: how many the split has.
    """

    degrees: tuple[int, ...]
    accuracy: tuple[Share, ...]
    images: int
    available: int

    @property
    def upright(self) -> Share:
        return self.accuracy[self.degrees.index(0)]


def rotated(images: Images, degrees: float) -> Images:
    """Return each of uint8 [N, H, W, C] turned counter-clockwise about its centre, bilinear.

    Corners that come from outside the image are 0, which is paper for bright ink on dark.
    """
    from scipy import ndimage

    turned: Images = ndimage.rotate(images, degrees, axes=(2, 1), reshape=False, order=1)
    return turned


def rotation_curve(
    run: Callable[[Images], Probabilities], samples: Samples, degrees: Sequence[int] = DEGREES
) -> RotationCurve:
    """Measure accuracy on turned images.

    Args:
        run: gives float32 [N, classes] for uint8 [N, H, W, C].
        samples: of more than MOST_IMAGES a seeded choice is turned.
        degrees: the angles, 0 among them.
    """
    count = min(MOST_IMAGES, len(samples))
    chosen = samples.take(np.sort(np.random.default_rng(SEED).choice(len(samples), count, replace=False)))
    accuracy = tuple(
        wilson(int((run(rotated(chosen.images, angle)).argmax(axis=1) == chosen.labels).sum()), count)
        for angle in degrees
    )
    return RotationCurve(tuple(degrees), accuracy, count, len(samples))
