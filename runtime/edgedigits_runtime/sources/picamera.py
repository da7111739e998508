"""Raspberry Pi cameras, through Picamera2.

Written to the Picamera2 manual and tested with a stand-in; not run on a board.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgedigits_runtime.errors import SourceNotFound, SourceUnavailable, StreamLost
from edgedigits_runtime.sources.camera import HEIGHT, WIDTH
from edgedigits_runtime.sources.frame_source import Kind, Shot

FPS = 30.0


def has_camera(number: int) -> bool:
    """Return whether Picamera2 is installed and finds a camera of that number."""
    try:
        from picamera2 import Picamera2
    except ImportError:
        return False
    return number < len(Picamera2.global_camera_info())


@dataclass(frozen=True)
class PiCamera:
    """A camera by its Picamera2 number."""

    number: int = 0
    kind: Kind = "live"

    @property
    def name(self) -> str:
        return f"picamera:{self.number}"

    def connect(self) -> "PiCapture":
        """Open and start the camera.

        Raises:
            SourceNotFound: there is no such camera, or Picamera2 is not installed.
            SourceUnavailable: the camera is in use.
        """
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise SourceNotFound(
                "picamera needs Picamera2 from Raspberry Pi OS; run: sudo apt install python3-picamera2,"
                " and make the virtual environment with --system-site-packages"
            ) from error
        if self.number >= (count := len(Picamera2.global_camera_info())):
            raise SourceNotFound(
                f"no {self.name}; Picamera2 finds {count} cameras; list them with: rpicam-hello --list"
            )
        try:
            camera = Picamera2(self.number)
            # "BGR888" names the bytes from the highest down, so that red comes first in an array.
            main = {"size": (WIDTH, HEIGHT), "format": "BGR888"}
            camera.configure(camera.create_video_configuration(main=main, controls={"FrameRate": FPS}))
            camera.start()
        except (RuntimeError, OSError) as error:
            raise SourceUnavailable(
                f"{self.name} cannot be opened: {error}; close other programs that use it"
            ) from error
        return PiCapture(camera, self.name)


class PiCapture:
    """Connection to a started Picamera2."""

    def __init__(self, camera: Any, name: str) -> None:
        self.fps, self.ended = FPS, False
        self._camera, self._name = camera, name

    def grab(self) -> Shot:
        """Wait for the next picture.

        Raises:
            StreamLost: the camera is gone.
        """
        try:
            return Shot(np.ascontiguousarray(self._camera.capture_array("main")[..., :3]))
        except (RuntimeError, OSError) as error:
            raise StreamLost(f"{self._name} sends no more pictures: {error}") from error

    def close(self) -> None:
        self._camera.stop()
        self._camera.close()
