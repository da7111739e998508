"""A stand-in for Picamera2: what its manual documents and edgedigits uses. The real one runs on a Raspberry Pi only.

Like the real one it takes each call in its order only, has a format whose bytes are named from the highest down, and
raises RuntimeError when a camera is taken or gone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CAMERAS = [{"Model": "imx708", "Location": 2, "Rotation": 180, "Num": 0}]

# Red, green, blue of every pixel.
COLOUR = (200, 100, 50)

STATE: dict[str, Any] = {"open": 0, "gone": False}


class Picamera2:
    """One camera."""

    def __init__(self, camera_num: int = 0) -> None:
        assert camera_num < len(CAMERAS)
        if STATE["open"]:
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        STATE["open"] += 1
        self._configured: dict[str, Any] | None = None
        self._started = False

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return CAMERAS

    def create_video_configuration(self, main: dict[str, Any], controls: dict[str, Any]) -> dict[str, Any]:
        assert set(main) == {"size", "format"} and set(controls) == {"FrameRate"}
        return {"main": main, "controls": controls}

    def configure(self, configuration: dict[str, Any]) -> None:
        assert not self._started
        self._configured = configuration

    def start(self) -> None:
        assert self._configured is not None, "Camera has not been configured"
        self._started = True

    def capture_array(self, name: str = "main") -> NDArray[np.uint8]:
        if STATE["gone"] or not self._started or self._configured is None:
            raise RuntimeError("Camera frontend has timed out!")
        width, height = self._configured[name]["size"]
        in_order = {"BGR888": COLOUR, "RGB888": COLOUR[::-1]}[self._configured[name]["format"]]
        return np.broadcast_to(np.array(in_order, np.uint8), (height, width, 3))

    def stop(self) -> None:
        self._started = False

    def close(self) -> None:
        assert not self._started
        STATE["open"] -= 1
