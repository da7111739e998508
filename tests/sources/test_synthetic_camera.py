"""The synthetic camera: reproducible pictures, frames on time, stalls and failures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.errors import SourceUnavailable, StreamLost
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.sources.synthetic_camera import Film, SyntheticCamera
from tests.support.virtual_clock import VirtualClock

SMALL = Film(size=(160, 120), digit_height=50)


@given(seed=st.integers(0, 1000), number=st.integers(0, 10_000))
def test_number_and_seed_determine_frame(seed: int, number: int) -> None:
    picture = SyntheticCamera(SMALL, seed=seed).picture(number)
    assert picture.shape == (120, 160, 3) and picture.dtype == np.uint8
    assert np.array_equal(picture, SyntheticCamera(SMALL, seed=seed).picture(number))
    assert not np.array_equal(picture, SyntheticCamera(SMALL, seed=seed + 1).picture(number))


@given(st.text("0123456789", max_size=12), st.integers(16, 300), st.integers(0, 500))
def test_any_number_fits_any_picture(written: str, side: int, number: int) -> None:
    film = Film(numbers=(written,), size=(side, side), digit_height=110)
    assert SyntheticCamera(film).picture(number).shape == (side, side, 3)


def test_written_number_is_read(reader: Reader) -> None:
    camera = SyntheticCamera(Film(numbers=("42", "", "1905")), seed=5)
    for number in range(15, 360, 60):
        assert reader.read(camera.picture(number)).text == camera.film.written_at(number / 30)


def test_number_moves() -> None:
    camera = SyntheticCamera(Film(numbers=("7",), noise=0, shadow=0))
    (before,), (after,) = (np.nonzero(camera.picture(k).max(axis=2).min(axis=0) < 90)[:1] for k in (0, 60))
    assert after.mean() == pytest.approx(before.mean() + 80, abs=2)


def test_frames_are_due_on_time_and_dropped_if_not_taken() -> None:
    clock = VirtualClock()
    camera = SyntheticCamera(SMALL, clock=clock)
    capture = camera.connect()
    first = capture.grab()
    clock.sleep(1.0)
    late = capture.grab()
    assert np.array_equal(first.pixels, camera.picture(0)) and np.array_equal(late.pixels, camera.picture(30))
    assert clock.now() == pytest.approx(1.0)
    capture.grab()
    assert clock.now() == pytest.approx(31 / 30)


def test_stalls_failures_and_sizes() -> None:
    clock = VirtualClock()
    film = Film(size=(160, 120), digit_height=50, stalls=((1, 2),), failures=((4, 3),), sizes=((8, 64, 48),))
    camera = SyntheticCamera(film, clock=clock)
    capture = camera.connect()
    clock.sleep(1.5)
    capture.grab()
    assert clock.now() == pytest.approx(3, abs=0.04)
    clock.sleep(1.5)
    with pytest.raises(StreamLost, match="unplugged"):
        capture.grab()
    with pytest.raises(SourceUnavailable, match="unplugged"):
        camera.connect()
    clock.sleep(3)
    assert camera.connect().grab().pixels.shape == (120, 160, 3)
    clock.sleep(1)
    assert camera.connect().grab().pixels.shape == (48, 64, 3)
