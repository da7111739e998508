"""The ground follows light and edges, and the polarity is that of the writing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits_runtime.reading.ground import _levels, find_ground
from edgedigits_runtime.synthetic.handwriting import draw_digit
from tests.support.drawn_pictures import fat_digit


def written(ground: NDArray[np.float64], dark: bool, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a picture of a digit on a ground, and the digit's ink."""
    height, width = ground.shape
    drawn = draw_digit(seed % 10, np.random.default_rng(seed), size=100)
    ink = np.zeros((height, width), np.uint8)
    ink[40:140, 60:160] = drawn
    full = 0.25 * ground if dark else 255 - 0.25 * (255 - ground)
    return (ground + (full - ground) * ink / 255).round().astype(np.uint8), ink


@given(st.integers(0, 500), st.booleans(), st.floats(-0.3, 0.3))
def test_the_ground_follows_the_light_under_the_strokes(seed: int, dark: bool, slope: float) -> None:
    light = (170 if dark else 70) + slope * np.add.outer(np.arange(180), np.arange(240)) / 3
    picture, _ = written(light, dark, seed)
    ground = find_ground(picture, picture, 1)
    assert ground.dark_ink == dark
    level = ground.level.astype(int) if dark else 255 - ground.level.astype(int)
    assert np.abs(level - light).max() <= 8


@given(st.integers(0, 500), st.floats(0.3, 0.7), st.floats(0.4, 0.8))
def test_the_edge_of_a_shadow_is_no_ink(seed: int, place: float, shade: float) -> None:
    light = np.full((180, 240), 220.0)
    light[:, : round(place * 240)] *= shade
    picture, ink = written(light, True, seed)
    ground = find_ground(picture, picture, 1)
    assert ground.dark_ink
    below = ground.level.astype(int) - picture
    assert (below[ink == 0] <= 8).mean() > 0.99
    assert np.median(below[ink == 255]) > 30


@given(st.integers(0, 500))
def test_broad_strokes_on_noisy_paper_are_ink(seed: int) -> None:
    picture = fat_digit(seed)
    ground = find_ground(picture, picture, 1)
    assert ground.dark_ink
    assert np.abs(ground.level.astype(int) - 230).max() <= 4


def test_weak_light_is_amplified_and_other_ground_left_out() -> None:
    picture = np.full((180, 240), 200, np.uint8)
    picture[:, :80] = 100
    picture[120:] = 20
    gain = find_ground(picture, picture, 1).gain
    assert gain is not None
    assert abs(int(gain[50, 30]) - 128) <= 2
    assert gain[50, 200] == 64
    assert not gain[140:].any()


@pytest.mark.parametrize("dark", [False, True])
def test_even_ground_is_one_level(dark: bool) -> None:
    picture, _ = written(np.full((180, 240), 230.0 if dark else 20.0), dark, 3)
    ground = find_ground(picture, picture, 1)
    assert ground.uniform
    assert ground.gain is None
    assert ground.dark_ink == dark
    assert set(ground.level.reshape(-1).tolist()) == {230 if dark else 235}


def test_black_ground_needs_no_amplification() -> None:
    rng = np.random.default_rng(70)
    picture = np.full((65, 64), 255, np.uint8)
    for _ in range(rng.integers(2, 12)):
        y, x = int(rng.integers(0, 65)), int(rng.integers(0, 64))
        block = picture[y : y + rng.integers(2, 60), x : x + rng.integers(2, 60)]
        block[:] = 255 - block
    ground = find_ground(picture, picture, 1)
    assert not ground.level.any()
    assert ground.gain is None


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 30))))
def test_the_level_along_a_border_is_its_median(borders: NDArray[np.uint8]) -> None:
    assert np.array_equal(_levels(borders)[0], np.rint(np.median(borders, axis=1)))
