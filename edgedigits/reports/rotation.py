"""Accuracy on rotated images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgedigits.data.dataset import Samples
from edgedigits.plotting.style import BLUE, INK, ORANGE, new_figure, tidy
from edgedigits.verification.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Images, Probabilities

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEGREES = tuple(range(-45, 46, 5))
MOST_IMAGES = 2_000
SEED = 0


@dataclass(frozen=True)
class RotationCurve:
    """Top-1 accuracy by angle.

    Attributes:
        degrees: counter-clockwise.
        accuracy: at each angle, with 95% Wilson intervals.
        images: number of rotated images.
        available: number of images in the split.
    """

    degrees: tuple[int, ...]
    accuracy: tuple[Share, ...]
    images: int
    available: int

    @property
    def upright(self) -> Share:
        return self.accuracy[self.degrees.index(0)]


def rotated(images: Images, degrees: float) -> Images:
    """Rotate uint8 [N, H, W, C] counter-clockwise about the centre, bilinearly.

    Corners from outside the image are 0, the paper of bright ink on dark.
    """
    from scipy import ndimage

    turned: Images = ndimage.rotate(images, degrees, axes=(2, 1), reshape=False, order=1)
    return turned


def rotation_curve(
    run: Callable[[Images], Probabilities], samples: Samples, degrees: Sequence[int] = DEGREES
) -> RotationCurve:
    """Measure accuracy on rotated images.

    Args:
        run: returns float32 [N, classes] for uint8 [N, H, W, C].
        samples: if there are more than MOST_IMAGES, a seeded choice is used.
        degrees: angles, including 0.
    """
    count = min(MOST_IMAGES, len(samples))
    chosen = samples.take(np.sort(np.random.default_rng(SEED).choice(len(samples), count, replace=False)))
    accuracy = tuple(
        wilson(int((run(rotated(chosen.images, angle)).argmax(axis=1) == chosen.labels).sum()), count)
        for angle in degrees
    )
    return RotationCurve(tuple(degrees), accuracy, count, len(samples))


def rotation_figure(curve: RotationCurve, trained_to: float | None) -> "Figure":
    """Draw accuracy by angle with its 95% interval.

    Args:
        curve: the measurement.
        trained_to: largest rotation of the augmentation in degrees; None without augmentation.
    """
    figure = new_figure()
    axes = figure.subplots()
    if trained_to is not None:
        axes.axvspan(-trained_to, trained_to, color=ORANGE, alpha=0.25, linewidth=0, label="rotations in training")
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    values = [100 * share.value for share in curve.accuracy]
    axes.fill_between(
        curve.degrees, [100 * share.low for share in curve.accuracy], [100 * share.high for share in curve.accuracy],
        color=BLUE, alpha=0.25, linewidth=0, label="95% interval",
    )  # fmt: skip
    axes.plot(curve.degrees, values, color=BLUE, marker="o", markersize=3, label="accuracy")
    axes.set_xticks([angle for angle in curve.degrees if angle % 15 == 0])
    tidy(axes, xlabel="degrees, counter-clockwise", ylabel="accuracy (%)")
    axes.legend(fontsize=8, loc="lower center")
    return figure
