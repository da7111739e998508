"""Raspberry Pi cameras, with a stand-in for Picamera2."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from edgedigits_runtime.errors import SourceNotFound, SourceUnavailable, StreamLost
from edgedigits_runtime.sources.camera import Camera
from edgedigits_runtime.sources.named import source_named
from edgedigits_runtime.sources.picamera import PiCamera
from tests.conftest import REPOSITORY

STAND_IN = REPOSITORY / "tests" / "support" / "stand_in"


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(STAND_IN)
    yield importlib.import_module("picamera2")
    del sys.modules["picamera2"]


def test_pictures_are_rgb_until_camera_is_lost(picamera2: ModuleType) -> None:
    capture = PiCamera().connect()
    shot = capture.grab()
    assert shot.pixels.shape == (480, 640, 3) and shot.pixels.dtype == np.uint8 and shot.pixels.flags.c_contiguous
    assert tuple(shot.pixels[0, 0].tolist()) == picamera2.COLOUR and shot.time is None
    with pytest.raises(SourceUnavailable, match=r"picamera:0.*busy"):
        PiCamera().connect()
    picamera2.STATE["gone"] = True
    with pytest.raises(StreamLost, match="timed out"):
        capture.grab()
    capture.close()
    assert picamera2.STATE["open"] == 0
    with pytest.raises(SourceNotFound, match=r"picamera:3.* 1 "):
        PiCamera(3).connect()


def test_number_opens_pi_camera_if_found(picamera2: ModuleType) -> None:
    assert source_named("0") == source_named("picamera") == PiCamera(0)
    assert source_named("1") == Camera(1)


def test_number_opens_opencv_camera_without_picamera2() -> None:
    assert source_named("0") == Camera(0)
    with pytest.raises(SourceNotFound, match="python3-picamera2"):
        PiCamera().connect()
