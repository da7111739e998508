"""Plus and times signs are distinguished from digits."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits.data.dataset import Dataset
from edgedigits_runtime.reading.crosses import are_crosses
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.samples import mnist_like


def cross(turn: float, arms: tuple[float, ...] = (40, 40, 40, 40), width: int = 7) -> NDArray[np.uint8]:
    image = Image.new("L", (120, 120))
    pen = ImageDraw.Draw(image)
    for k, arm in enumerate(arms):
        angle = np.deg2rad(turn + 90 * k)
        pen.line([(60, 60), (60 + arm * np.cos(angle), 60 + arm * np.sin(angle))], fill=255, width=width)
    return frame_digit(np.asarray(image))


@pytest.mark.parametrize("turn", [0, 8, -10, 30, 45, 52])
@pytest.mark.parametrize("width", [3, 7, 11])
def test_crosses_are_found(turn: float, width: int) -> None:
    assert are_crosses(cross(turn, width=width)[np.newaxis]).tolist() == [True]


def test_crosses_with_unequal_arms_are_found() -> None:
    assert are_crosses(cross(5, (32, 40, 40, 30))[np.newaxis]).tolist() == [True]


def test_drawn_digits_are_hardly_ever_crosses() -> None:
    assert are_crosses(mnist_like(1000, seed=3)[0].reshape(-1, 28, 28)).mean() <= 0.003


def test_mnist_digits_are_hardly_ever_crosses(mnist: Dataset) -> None:
    assert are_crosses(mnist.train.images[:5000, ..., 0]).mean() <= 0.0006


def test_no_images_and_empty_ones() -> None:
    assert are_crosses(np.zeros((0, 28, 28), np.uint8)).tolist() == []
    assert are_crosses(np.zeros((2, 28, 28), np.uint8)).tolist() == [False, False]
    assert are_crosses(np.full((1, 28, 28), 255, np.uint8)).tolist() == [False]
