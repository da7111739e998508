"""Optdigits: the 1,797 handwritten digits of 8x8 that scikit-learn includes, so nothing is downloaded.

They are the test part of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI Machine Learning
Repository): 32x32 bitmaps of 13 writers; each pixel is the count of ink in a 4x4 block, 0 to 16. To resemble MNIST,
each digit is scaled to 0..255, resized to 20x20 (bicubic), and placed in 28x28 by its centre of mass. This blurs it,
so a network trained on optdigits tests the tools, not its accuracy.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.description import Description
from edgedigits_runtime.errors import MissingExtra
from edgedigits_runtime.preprocessing import Images

MOST_INK = 16
BOX = 20
SIDE = 28
# MNIST's centre of mass lies at pixel index 14 (13.99 and 14.01 on average over its test set).
CENTRE = SIDE // 2

DESCRIPTION = Description(
    name="optdigits",
    about="handwritten digits of 8x8, scaled to MNIST's form; bundled with scikit-learn, works offline",
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    train=1_797,
    test=None,
    shape=(SIDE, SIDE, 1),
    labels=tuple("0123456789"),
    reader="digits",
    licence="CC BY 4.0",
    bundled_with="sklearn",
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:  # noqa: ARG001
    """Load optdigits: uint8 [1797, 28, 28, 1], without a test set; for errors see ink_counts."""
    counts, labels = ink_counts()
    images = np.stack([enlarge(image) for image in counts])[..., np.newaxis]
    return Dataset(DESCRIPTION.name, Samples(images, labels), None, DESCRIPTION.labels, DESCRIPTION.reader)


def ink_counts() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return scikit-learn's digits, [1797, 8, 8] of ink 0 to 16, and their labels, [1797].

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtra("optdigits", "train-cpu") from error
    digits = load_digits()
    return digits.images, digits.target.astype(np.int64)


def enlarge(image: NDArray[np.float64]) -> Images:
    """Convert one image, [8, 8] of ink 0 to 16, to MNIST's form: uint8 [28, 28], ink bright on dark."""
    pixels = np.rint(image * (255 / MOST_INK)).astype(np.uint8)
    box = np.asarray(Image.fromarray(pixels).resize((BOX, BOX), Image.Resampling.BICUBIC))
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    top, left = _offset(box, axis=0), _offset(box, axis=1)
    canvas[top : top + BOX, left : left + BOX] = box
    return canvas


def _offset(box: Images, axis: int) -> int:
    """Return the start of `box` along `axis` that puts its centre of mass nearest to the centre."""
    ink = box.sum(axis=1 - axis, dtype=np.float64)
    if not ink.any():
        return (SIDE - BOX) // 2
    centre = np.average(np.arange(BOX), weights=ink)
    return int(np.clip(np.rint(CENTRE - centre), 0, SIDE - BOX))
