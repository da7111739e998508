"""Stroke widths are measured correctly, and changed only outside of MNIST's range."""

import numpy as np
import pytest
from PIL import Image

from edgedigits.data.dataset import Dataset
from edgedigits_runtime.reading.framed import THICKEST, grey_stroke_width
from edgedigits_runtime.reading.stroke_width import THINNEST, with_usual_stroke_width


def bar(width: int, side: int) -> np.ndarray:
    return np.full((side, width), 255, np.uint8)


@pytest.mark.parametrize("width", [2, 3, 5, 8])
def test_the_stroke_width_of_a_bar_is_its_width(width: int) -> None:
    # The ends of the bar belong to the outline: w * L over w + L.
    assert grey_stroke_width(bar(width, 400)) == pytest.approx(width * 400 / (width + 400), rel=0.01)


def test_blur_does_not_change_a_width() -> None:
    large = np.pad(bar(32, 800), 32)
    small = np.asarray(Image.fromarray(large).resize((13, 117), Image.Resampling.BILINEAR))
    assert grey_stroke_width(small) == pytest.approx(grey_stroke_width(large) * 13 / 96, rel=0.08)


def test_an_empty_picture_has_no_stroke_width() -> None:
    assert grey_stroke_width(np.zeros((4, 5), np.uint8)) == 0


def test_mnist_has_usual_strokes(mnist: Dataset) -> None:
    images = mnist.train.images[:1000, ..., 0]
    widths = np.array([grey_stroke_width(image) for image in images])
    assert np.mean((widths < THINNEST) | (widths > THICKEST)) < 0.05


def test_thick_strokes_get_thinner_and_none_vanishes() -> None:
    ink = np.zeros((300, 300), np.uint8)
    ink[:, 75:225] = 255
    ink[145:151] = 255
    small = np.asarray(Image.fromarray(ink).resize((20, 20), Image.Resampling.BILINEAR))
    thinner = with_usual_stroke_width(ink, grey_stroke_width(small))
    assert thinner is not None
    assert grey_stroke_width(thinner) < 4 * grey_stroke_width(small)
    assert thinner[36:46, 8].max() > 100
