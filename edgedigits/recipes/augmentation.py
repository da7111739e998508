"""Limits of augmentation, as data; edgedigits.training.augment applies them."""

import dataclasses
from dataclasses import dataclass

DESIGN_SIDE = 28
"""Side of the image that lengths in pixels refer to; they scale with the image."""


@dataclass(frozen=True)
class Augmentation:
    """Limits of random changes to training images, each uniform between minus and plus the limit.

    Args:
        rotation: degrees.
        shift: pixels of a 28-pixel image, in both axes.
        scaling: fraction of 1, of each axis.
        shear: tangent of the slant.
        elastic: pixels of a 28-pixel image; a smooth random displacement (Simard, Steinkraus and Platt 2003, "Best
            practices for convolutional neural networks applied to visual document analysis").
        stroke: change of stroke width; 1 is a pixel on each side.
        blur: share of images that are blurred.
        coarse: share that is reduced to two fifths of the resolution, like a small digit in a picture.
        ground: share with a bright, uneven or striped background or low contrast.
        noise: share with sensor noise.
        line: share with a stray line.
    """

    rotation: float = 12.0
    shift: float = 2.0
    scaling: float = 0.12
    shear: float = 0.0
    elastic: float = 0.0
    stroke: float = 0.0
    blur: float = 0.0
    coarse: float = 0.0
    ground: float = 0.0
    noise: float = 0.0
    line: float = 0.0

    def milder(self, factor: float) -> "Augmentation":
        """Return the limits and shares times `factor`, for networks too small for the full variety."""
        return Augmentation(**{name: factor * value for name, value in dataclasses.asdict(self).items()})


GEOMETRY = Augmentation()
"""Small rotations, shifts and scalings, for images of anything."""

HANDWRITING = Augmentation(
    rotation=15, shift=3, scaling=0.15, shear=0.2, elastic=1.5, stroke=0.8,
    blur=0.1, coarse=0.15, ground=0.15, noise=0.1, line=0.1,
)  # fmt: skip
"""For digits, bright ink on black."""
