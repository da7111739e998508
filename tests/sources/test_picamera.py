"""The cameras of a Raspberry Pi, against a stand-in for Picamera2; the real one was not run."""

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


def test_it_gives_red_first_until_it_is_gone(picamera2: ModuleType) -> None:
    capture = PiCamera().connect()
    shot = capture.grab()
    assert shot.pixels.shape == (480, 640, 3) and shot.pixels.dtype == np.uint8 and shot.pixels.flags.c_contiguous
    assert tuple(shot.pixels[0, 0].tolist()) == picamera2.COLOUR and shot.time is None
    with pytest.raises(SourceUnavailable, match=r"picamera:0 cannot be opened: .*busy; another program"):
        PiCamera().connect()
    picamera2.STATE["gone"] = True
    with pytest.raises(StreamLost, match="timed out"):
        capture.grab()
    capture.close()
    assert picamera2.STATE["open"] == 0
    with pytest.raises(SourceNotFound, match="no picamera:3; Picamera2 finds 1"):
        PiCamera(3).connect()


def test_a_number_is_its_camera_where_it_knows_one(picamera2: ModuleType) -> None:
    assert source_named("0") == source_named("picamera") == PiCamera(0)
    assert source_named("1") == Camera(1)


def test_without_picamera2_a_number_is_opencvs() -> None:
    assert source_named("0") == Camera(0)
    with pytest.raises(SourceNotFound, match="sudo apt install python3-picamera2"):
        PiCamera().connect()
