"""The accuracy of a model on other writers than those of MNIST.

scikit-learn bundles 1,797 digits of 13 writers (see edgedigits.data.optdigits) as 8x8 counts of ink. They are enlarged
until they are smooth, and framed by the reader, like any picture.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits.data.dataset import Samples
from edgedigits.data.optdigits import MOST_INK, ink_counts
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.frame import frame_digit

ENLARGED = 10
"""Enlargement along either axis."""

MARGIN = 1
"""Empty cells added on each side: some digits touch the border."""


def other_writers() -> Samples:
    """Return the 1,797 digits as the reader frames them: uint8 [1797, 28, 28, 1], ink bright on black.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    counts, labels = ink_counts()
    return Samples(np.stack([framed_from_counts(image) for image in counts])[..., None], labels)


def framed_from_counts(counts: NDArray[np.float64]) -> Images:
    """Return a framed digit, uint8 [28, 28], from its ink counts, [8, 8] of 0 to 16."""
    pixels = np.pad(np.rint(counts * (255 / MOST_INK)).astype(np.uint8), MARGIN)
    side = ENLARGED * len(pixels)
    # Bicubic has no positive lobe beside a stroke, which the framing would treat as ink.
    return frame_digit(np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)))


def measure_other_writers(engine: Engine) -> Share:
    """Return top-1 accuracy on all 1,797 digits, with its 95% interval.

    Raises:
        ArrayError: the model does not take 28x28 images of one channel.
        MissingExtra: scikit-learn is not installed.
    """
    samples = other_writers()
    right = engine.run(samples.images).argmax(axis=1) == samples.labels
    return wilson(int(right.sum()), len(samples))
