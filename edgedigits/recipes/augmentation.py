"""What augmentation does to training images, as data; `edgedigits.training.augment` does it."""

import dataclasses
from dataclasses import dataclass

DESIGN_SIDE = 28
"""Lengths in pixels below are those of an image of this side; others are scaled."""


@dataclass(frozen=True)
class Augmentation:
    """How far, and how often, training images are changed; every draw is uniform within plus and minus the limit.

    Args:
        rotation: in degrees.
        shift: in pixels of a 28-pixel image, either way.
        scaling: of either axis, as a fraction of 1.
        shear: tangent of the slant that is added.
        elastic: in pixels of a 28-pixel image; a smooth random field (Simard, Steinkraus and Platt 2003, "Best
            practices for convolutional neural networks applied to visual document analysis").
        stroke: the most that strokes are thickened or thinned by; 1 is a whole pixel to each side.
        blur: the share of images that are blurred.
        coarse: the share that are seen at two fifths of their resolution, as a digit that is small in its picture.
        ground: the share that get a bright, uneven or striped ground or a low contrast.
        noise: the share that get the noise of a poor sensor.
        line: the share with a stray line.
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
        """Return every limit and share times `factor`: a small network cannot learn as much variety."""
        return Augmentation(**{name: factor * value for name, value in dataclasses.asdict(self).items()})


GEOMETRY = Augmentation()
"""Small rotations, shifts and scalings alone: right for pictures of anything."""

HANDWRITING = Augmentation(
    rotation=15, shift=3, scaling=0.15, shear=0.2, elastic=1.5, stroke=0.8,
    blur=0.1, coarse=0.15, ground=0.15, noise=0.1, line=0.1,
)  # fmt: skip
"""For digits: bright ink on black, in 0..1."""
