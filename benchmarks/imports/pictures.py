"""Pictures for the kinds of model: MNIST's, coloured shapes, and folders of both."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.imports.small_mnist import fitting, load
from edgedigits.data.dataset import Samples
from edgedigits_runtime.preprocessing import Images

FITTING = 6_000

COMPARED = 200
"""Images on which outputs are compared value by value."""

SHAPES = ("circle", "square", "triangle")
SHAPE_SIZE = 32


@lru_cache(maxsize=1)
def digits() -> Samples:
    """Return the images that most networks of digits are trained on."""
    return fitting(FITTING)


@lru_cache(maxsize=1)
def compared_digits() -> Images:
    """Return test images of digits, uint8 [COMPARED, 28, 28, 1]."""
    test = load().test
    assert test is not None
    return test.images[:COMPARED]


@lru_cache(maxsize=8)
def shapes(count: int, seed: int, classes: int = len(SHAPES)) -> Samples:
    """Return drawn shapes of the first `classes` of SHAPES, uint8 [count, 32, 32, 3], bright on a dark ground."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % classes
    return Samples(np.stack([_shape(SHAPES[label], rng) for label in labels]), labels)


def _shape(name: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    ground, ink = rng.integers(0, 70, 3), rng.integers(130, 256, 3)
    picture = Image.new("RGB", (SHAPE_SIZE, SHAPE_SIZE), tuple(map(int, ground)))
    draw = ImageDraw.Draw(picture)
    size = int(rng.integers(12, 24))
    left, top = (int(rng.integers(2, SHAPE_SIZE - size - 1)) for _ in range(2))
    right, bottom = left + size, top + size
    if name == "circle":
        draw.ellipse((left, top, right, bottom), fill=tuple(map(int, ink)))
    elif name == "square":
        draw.rectangle((left, top, right, bottom), fill=tuple(map(int, ink)))
    else:
        draw.polygon(((left, bottom), ((left + right) // 2, top), (right, bottom)), fill=tuple(map(int, ink)))
    noisy = np.asarray(picture, np.float64) + rng.normal(0, 6, (SHAPE_SIZE, SHAPE_SIZE, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def eleven(source: Samples, count: int, seed: int) -> Samples:
    """Return digits of `source`, uint8 [count, 28, 28, 1], as labels 0 to 10; 10 is a narrow 1 beside a narrow 0."""
    rng = np.random.default_rng(seed)
    of = [np.flatnonzero(source.labels == digit) for digit in range(10)]
    labels = np.arange(count, dtype=np.int64) % 11

    def one(digit: int) -> Images:
        image: Images = source.images[rng.choice(of[digit])]
        return image

    def ten() -> NDArray[np.uint8]:
        # The columns 7 to 20 hold nearly all the ink of a digit.
        return np.concatenate([one(1)[:, 7:21], one(0)[:, 7:21]], axis=1)

    return Samples(np.stack([ten() if label == 10 else one(int(label)) for label in labels]), labels)


def as_folder(folder: Path, train: Samples, test: Samples, names: tuple[str, ...]) -> Path:
    """Write PNG files below `folder`/train and /test, a folder for each class, unless they are there."""
    done = folder / ".done"
    if done.is_file():
        return folder
    for part, samples in (("train", train), ("test", test)):
        for number, (image, label) in enumerate(zip(samples.images, samples.labels, strict=True)):
            path = folder / part / names[label] / f"{number:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(path)
    done.touch()
    return folder
