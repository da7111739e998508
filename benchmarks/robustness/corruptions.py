"""Corruptions of digits by handwriting, paper, cameras and file formats, to measure a network's robustness.

After Mu and Gilmer 2019, "MNIST-C: a robustness benchmark for computer vision", with strokes, backgrounds and files
of handwriting. Each has one severity at which a person still reads the digits: the accuracy of `plain-3conv` drops by
6 to 7 points on average, and by more than half on shifted digits. They share no code with the augmentation of
training, so that a network is not measured on what it was trained with.
"""

import io
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.preprocessing import Images

SIDE = 28
CENTRE = (SIDE - 1) / 2
FULL = 255

Pixels = NDArray[np.float32]
Corruption = Callable[[Images, np.random.Generator], Images]


def smaller(images: Images, _: np.random.Generator) -> Images:
    """Scale to 70% about the centre."""
    return _mapped(images, np.full(len(images), 1 / 0.7), np.zeros(len(images)), np.zeros(len(images)))


def larger(images: Images, _: np.random.Generator) -> Images:
    """Scale to 125% about the centre."""
    return _mapped(images, np.full(len(images), 1 / 1.25), np.zeros(len(images)), np.zeros(len(images)))


def shift(images: Images, rng: np.random.Generator) -> Images:
    """Shift by 4 pixels along one axis or both."""
    moves = np.array([(y, x) for y in (-4, 0, 4) for x in (-4, 0, 4) if y or x])
    padded = np.pad(images[..., 0], ((0, 0), (4, 4), (4, 4)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE), (1, 2))
    top, left = 4 + moves[rng.integers(len(moves), size=len(images))].T
    return np.ascontiguousarray(windows[np.arange(len(images)), top, left])[..., None]


def rotation(images: Images, rng: np.random.Generator) -> Images:
    """Rotate by 15 degrees in either direction."""
    angles = np.radians(rng.choice([-15.0, 15.0], len(images)))
    return _mapped(images, np.ones(len(images)), angles, np.zeros(len(images)))


def shear(images: Images, rng: np.random.Generator) -> Images:
    """Slant by 0.4 pixels a row in either direction."""
    return _mapped(images, np.ones(len(images)), np.zeros(len(images)), rng.choice([-0.4, 0.4], len(images)))


def thick_strokes(images: Images, _: np.random.Generator) -> Images:
    """Widen strokes by one pixel on each side."""
    from scipy import ndimage

    thick: Images = ndimage.grey_dilation(images, footprint=_CROSS[None, :, :, None])
    return thick


def thin_strokes(images: Images, _: np.random.Generator) -> Images:
    """Narrow strokes by half a pixel on each side."""
    from scipy import ndimage

    doubled = ndimage.zoom(images[..., 0], (1, 2, 2), order=1, grid_mode=True, mode="nearest")
    # The minimum of each pixel and its four neighbours; many times faster than an erosion with a footprint.
    edged = np.pad(doubled, ((0, 0), (1, 1), (1, 1)))
    middle = slice(1, -1)
    beside = [(middle, slice(2, None)), (middle, slice(-2)), (slice(2, None), middle), (slice(-2), middle)]
    thin = np.minimum.reduce([doubled, *(edged[:, rows, columns] for rows, columns in beside)])
    return _as_images(thin.reshape(len(images), SIDE, 2, SIDE, 2).mean(axis=(2, 4)))


def blur(images: Images, _: np.random.Generator) -> Images:
    """Blur by a Gaussian of 1.5 pixels."""
    from scipy import ndimage

    return _as_images(ndimage.gaussian_filter(_pixels(images), (0, 1.5, 1.5)))


def noise(images: Images, rng: np.random.Generator) -> Images:
    """Add Gaussian noise of a standard deviation of 75 grey levels."""
    return _as_images(_pixels(images) + 75 * rng.standard_normal((len(images), SIDE, SIDE), np.float32))


def salt_and_pepper(images: Images, rng: np.random.Generator) -> Images:
    """Set one pixel in ten to black or to white."""
    drawn = rng.random(images.shape, np.float32)
    return np.where(drawn < 0.05, np.uint8(0), np.where(drawn < 0.1, np.uint8(FULL), images))


def low_contrast(images: Images, _: np.random.Generator) -> Images:
    """Compress the grey levels to their middle 30%."""
    return _as_images(FULL / 2 + 0.3 * (_pixels(images) - FULL / 2))


def bright_ground(images: Images, _: np.random.Generator) -> Images:
    """Brighten the background to 55% of white."""
    return _on_ground(images, np.full((len(images), 1, 1), 0.55 * FULL, np.float32))


def gradient_ground(images: Images, rng: np.random.Generator) -> Images:
    """Add a background gradient from black to 80% of white, in any direction."""
    along = _along(rng.uniform(0, 2 * math.pi, len(images)))
    return _on_ground(images, 0.8 * FULL * (0.5 + along / SIDE).clip(0, 1))


def striped_ground(images: Images, rng: np.random.Generator) -> Images:
    """Add background stripes of 50% of white, 4 to 8 pixels apart, in any direction."""
    along = _along(rng.uniform(0, math.pi, len(images)))
    distance, phase = rng.uniform((4, 0), (8, 2 * math.pi), (len(images), 2)).T[..., None, None]
    wave = np.sin(2 * math.pi / distance * along + phase)
    return _on_ground(images, 0.5 * FULL * (0.5 + 1.5 * wave).clip(0, 1))


def stray_line(images: Images, rng: np.random.Generator) -> Images:
    """Draw a line 1.5 pixels wide within 11 pixels of the centre, almost as bright as ink."""
    offset = rng.uniform(0, 11, (len(images), 1, 1))
    distance = np.abs(_along(rng.uniform(0, 2 * math.pi, len(images))) - offset)
    return _as_images(np.maximum(_pixels(images), 220 * (1.25 - distance).clip(0, 1)))


def occlusion(images: Images, rng: np.random.Generator) -> Images:
    """Cover an oblique bar 2 pixels wide within 5 pixels of the centre."""
    # A vertical or horizontal bar would remove the stroke that distinguishes a 1 or a 7.
    quarter = rng.integers(4, size=len(images)) * math.pi / 2
    angles = quarter + np.radians(rng.uniform(30, 60, len(images)))
    distance = np.abs(_along(angles) - rng.uniform(0, 5, (len(images), 1, 1)))
    return _as_images(_pixels(images) * (distance - 0.5).clip(0, 1))


def jpeg(images: Images, _: np.random.Generator) -> Images:
    """Save as JPEG with quality 10."""
    return np.stack([_through_jpeg(image) for image in images[..., 0]])[..., None]


def pixelation(images: Images, _: np.random.Generator) -> Images:
    """Reduce to 12 x 12 square pixels."""
    coarse = [Image.fromarray(image).resize((12, 12), Image.Resampling.BOX) for image in images[..., 0]]
    return np.stack([np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)) for image in coarse])[..., None]


def elastic(images: Images, rng: np.random.Generator) -> Images:
    """Distort by a smooth random field, 1.2 pixels RMS along either axis."""
    from scipy import ndimage

    field = rng.standard_normal((2, len(images), SIDE, SIDE), np.float32)
    field = ndimage.gaussian_filter(field, (0, 0, 4, 4), mode="wrap")
    y, x = np.indices((SIDE, SIDE), np.float32)[:, None] + 1.2 * field / field.std()
    return _sampled(images, y, x)


CORRUPTIONS: Mapping[str, Corruption] = {
    "smaller": smaller, "larger": larger, "shift": shift, "rotation": rotation, "shear": shear, "elastic": elastic,
    "thick strokes": thick_strokes, "thin strokes": thin_strokes, "blur": blur, "pixelation": pixelation,
    "JPEG": jpeg, "noise": noise, "salt and pepper": salt_and_pepper, "low contrast": low_contrast,
    "bright ground": bright_ground, "gradient ground": gradient_ground, "striped ground": striped_ground,
    "stray line": stray_line, "occlusion": occlusion,
}  # fmt: skip
"""Each maps uint8 [N, 28, 28, 1], ink bright on black, and a generator to the same shape and dtype."""


def corrupt(name: str, images: Images, seed: int) -> Images:
    """Return corrupted copies of images, uint8 [N, 28, 28, 1] with ink bright on black.

    Args:
        name: a key of CORRUPTIONS.
        seed: the same seed and name give the same corruption.

    Raises:
        UnknownName: no such corruption.
        ArrayError: another dtype or shape.
    """
    if name not in CORRUPTIONS:
        raise UnknownName("corruption", name, CORRUPTIONS)
    if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE, 1):
        raise ArrayError(f"expected uint8 [N, 28, 28, 1]; got {images.dtype} {list(images.shape)}")
    return CORRUPTIONS[name](images, np.random.default_rng([seed, *name.encode()]))


_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


def _pixels(images: Images) -> Pixels:
    return images[..., 0].astype(np.float32)


def _as_images(pixels: NDArray[np.floating]) -> Images:
    """Round and clip [N, 28, 28] of 0..255."""
    rounded: Images = np.rint(pixels).clip(0, FULL).astype(np.uint8)[..., None]
    return rounded


def _along(angles: NDArray[np.float64]) -> Pixels:
    """Return each pixel's distance from the centre along each angle, [N, 28, 28]."""
    y, x = np.indices((SIDE, SIDE), np.float32) - np.float32(CENTRE)
    cos, sin = (values.astype(np.float32)[:, None, None] for values in (np.cos(angles), np.sin(angles)))
    along: Pixels = cos * x + sin * y
    return along


def _on_ground(images: Images, ground: NDArray[np.floating]) -> Images:
    """Draw ink of unchanged brightness on a background, [N, 28, 28] of 0..255."""
    return _as_images(ground + (FULL - ground) * (_pixels(images) / FULL))


def _mapped(
    images: Images, scale: NDArray[np.float64], angle: NDArray[np.float64], slant: NDArray[np.float64]
) -> Images:
    """Scale, rotate and slant about the centre, each by an array [N]."""
    y, x = np.indices((SIDE, SIDE), np.float32) - CENTRE
    factor, cos, sin, lean = (
        values.astype(np.float32)[:, None, None] for values in (scale, np.cos(angle), np.sin(angle), slant)
    )
    return _sampled(images, factor * (cos * y - sin * x) + CENTRE, factor * (sin * y + cos * x) + lean * y + CENTRE)


def _sampled(images: Images, y: Pixels, x: Pixels) -> Images:
    """Sample the images bilinearly at positions [N, 28, 28]; 0 outside."""
    from scipy import ndimage

    # One tall picture, so that all are sampled at once; a black margin separates the images.
    tall = np.pad(images[..., 0], ((0, 0), (1, 1), (0, 0))).reshape(-1, SIDE).astype(np.float32)
    first = (SIDE + 2) * np.arange(len(images), dtype=np.float64)[:, None, None] + 1
    return _as_images(ndimage.map_coordinates(tall, (first + y.clip(-1, SIDE), x), order=1))


def _through_jpeg(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=10)
    return np.asarray(Image.open(file))
