"""Put ink on paper as a camera or scanner sees it: colours, light, grain, blur and noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edgedigits_runtime.errors import ArrayError

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Paper:
    """Paper, ink and camera.

    Args:
        ground: RGB of the blank paper, 0..255.
        ink: RGB of full ink, 0..255.
        light: fraction of light lost from the brightest side to the darkest, 0..1.
        grain: how much the paper's roughness breaks up the stroke, 0..1: chalk about 0.75, pencil about 0.3.
        blur: radius of the camera's Gaussian blur, in pixels.
        noise: standard deviation of the sensor noise, in grey levels.
    """

    ground: Colour = (255, 255, 255)
    ink: Colour = (0, 0, 0)
    light: float = 0.0
    grain: float = 0.0
    blur: float = 0.0
    noise: float = 0.0


MARKER = Paper(ground=(250, 250, 248), ink=(24, 24, 28), light=0.04, grain=0.05, blur=0.6, noise=1.0)
BLUE_PEN = Paper(ground=(244, 236, 214), ink=(38, 62, 150), light=0.14, grain=0.18, blur=0.7, noise=2.5)
PENCIL = Paper(ground=(240, 239, 235), ink=(96, 96, 100), light=0.10, grain=0.30, blur=0.5, noise=2.5)
CHALK = Paper(ground=(38, 62, 52), ink=(236, 236, 226), light=0.22, grain=0.75, blur=0.6, noise=2.5)
PHONE_PHOTO = Paper(ground=(214, 206, 194), ink=(40, 38, 42), light=0.35, grain=0.08, blur=1.2, noise=4.0)
SCREEN = Paper(ground=(0, 0, 0), ink=(255, 255, 255))


def set_on_paper(ink: NDArray[np.uint8], paper: Paper, rng: np.random.Generator) -> Image.Image:
    """Picture `ink` on `paper`.

    Args:
        ink: uint8 [H, W], 0 blank to 255 full ink, such as draw_digit returns.
        paper: colours and conditions.
        rng: random source of grain, light direction and noise.

    Returns:
        An RGB picture of the same size.

    Raises:
        ArrayError: `ink` is not uint8 [H, W].
    """
    if ink.dtype != np.uint8 or ink.ndim != 2 or ink.size == 0:
        raise ArrayError(f"ink must be uint8 [H, W], is {ink.dtype} {list(ink.shape)}")
    cover = ink[..., None] / 255.0
    if paper.grain:
        cover = cover * _grain(ink.shape, paper.grain, rng)[..., None]
    picture = np.array(paper.ground) * (1.0 - cover) + np.array(paper.ink) * cover
    if paper.light:
        picture *= _light(ink.shape, paper.light, rng)[..., None]
    if paper.blur:
        blurred = _image(picture).filter(ImageFilter.GaussianBlur(paper.blur))
        picture = np.asarray(blurred, dtype=np.float64)
    if paper.noise:
        # Demosaiced sensors have more brightness noise than colour noise.
        picture = picture + rng.normal(0.0, paper.noise, (*ink.shape, 1))
        picture += rng.normal(0.0, 0.3 * paper.noise, picture.shape)
    return _image(picture)


def _image(picture: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))


def _grain(shape: tuple[int, ...], strength: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return [H, W] the share of ink that stays on each pixel, 1 - `strength` to 1."""
    rough = _image(np.repeat(rng.uniform(0, 255, (*shape, 1)), 3, axis=2)).convert("L")
    bumps = np.asarray(rough.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float64)
    # Stretches the blurred noise, so that some specks are blank and some full.
    return 1.0 - strength * np.clip(0.5 + (bumps - 127.5) / 70.0, 0.0, 1.0)


def _light(shape: tuple[int, ...], loss: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return [H, W] the light on each pixel, 1 - `loss` to 1 along a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    down, right = np.mgrid[0 : shape[0], 0 : shape[1]]
    across = np.cos(angle) * right / max(shape[1] - 1, 1) + np.sin(angle) * down / max(shape[0] - 1, 1)
    # A canvas of one pixel has no direction.
    across = (across - across.min()) / max(float(np.ptp(across)), 1e-9)
    fallen: NDArray[np.float64] = 1.0 - loss * across
    return fallen
