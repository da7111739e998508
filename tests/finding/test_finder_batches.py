"""Scenes that are used twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits.finding.batches import LEAST_SIDE, OF_SMALL, SMALL, Batches, retaken, small_picture
from edgedigits.scenes import IGNORED, Scene

SIDE = 320


@given(st.integers(0, 280), st.integers(0, 280), st.integers(8, 40), st.integers(8, 40), st.integers(0, 999))
def test_a_box_of_a_retaken_scene_holds_the_ink(left: int, top: int, width: int, height: int, seed: int) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[top : top + height, left : left + width] = 255
    box = np.array([[left, top, width, height]], np.float32)
    scene = retaken(Scene(pixels, box, np.array([3]), ()), 256, np.random.default_rng(seed))
    assert scene.pixels.shape == (256, 256, 3)
    rows, columns = np.nonzero(scene.pixels[..., 0] > 127)
    if len(scene.boxes) and scene.boxes[0, 2:].min() > 3:
        ink = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        low, high = scene.boxes[0, :2], scene.boxes[0, :2] + scene.boxes[0, 2:]
        assert np.abs(np.array([*low, *high]) - ink).max() <= 1.5
    small = scene.boxes[:, 2:].max(axis=1, initial=0) < LEAST_SIDE
    assert (scene.classes[small] == IGNORED).all()


@given(st.integers(0, 230), st.integers(0, 230), st.integers(9, 80), st.integers(0, 999))
def test_a_small_picture_shows_a_whole_digit_enlarged(left: int, top: int, height: int, seed: int) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[top : top + height, left : left + height // 2 + 1] = 255
    box = np.array([[left, top, height // 2 + 1, height]], np.float32)
    scene = small_picture(Scene(pixels, box, np.array([3]), ()), np.random.default_rng(seed))
    assert scene.pixels.shape == (96, 96, 3) and scene.classes.tolist() == [3]
    ((x, y, width, tall),) = scene.boxes.tolist()
    assert 2 * OF_SMALL[0] * SMALL - 2 <= tall <= 2 * OF_SMALL[1] * SMALL + 2
    rows, columns = np.nonzero(scene.pixels[..., 0] > 100)
    assert np.abs(np.array([x, y, x + width, y + tall]) - [*_least(columns, rows), *_most(columns, rows)]).max() <= 4


def _least(*places: NDArray[np.int64]) -> list[int]:
    return [int(place.min()) for place in places]


def _most(*places: NDArray[np.int64]) -> list[int]:
    return [int(place.max()) + 1 for place in places]


@pytest.mark.usefixtures("written_data")
def test_batches_go_on_from_any_step() -> None:
    batches = Batches(5, 1)
    some = batches.from_step(0, workers=0)
    several = [next(some) for _ in range(4)]
    for step in (1, 3):
        again = next(batches.from_step(step, workers=0))
        assert all((one == other).all() for one, other in zip(several[step], again, strict=True))
    assert [batch[0].shape[1] for batch in several] == [320, 256, 320, 320]
