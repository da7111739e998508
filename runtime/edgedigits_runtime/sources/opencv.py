"""OpenCV, as far as it is needed: imported when it is used, and quiet."""

import os
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import MissingExtra, StreamLost
from edgedigits_runtime.sources.frame_source import Shot


@cache
def opencv() -> Any:
    """Return the module cv2.

    Raises:
        MissingExtra: it is not installed.
    """
    # Read when a video is first opened; -8 is FFmpeg's level for nothing at all.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise MissingExtra("reading cameras and videos", "camera") from error
    # What goes wrong is told by an error of our own.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


class Capture:
    """An opened cv2.VideoCapture as a Connection.

    Attributes:
        fps: frames a second, as the source says; 0 where it does not.
        ended: whether a file has no more frames.
    """

    def __init__(self, capture: Any, name: str, *, is_file: bool) -> None:
        self.ended = False
        self._capture, self._name, self._is_file = capture, name, is_file
        fps = float(capture.get(opencv().CAP_PROP_FPS))
        # Streams without a rate of their own claim one per tick of their time base, 90,000 or the like.
        self.fps = fps if 0 < fps <= 1000 else 0.0
        self._step = 1 / (self.fps or 25.0)
        self._time = -self._step

    def grab(self) -> Shot | None:
        """Wait for the next picture; None at the end of a file.

        Raises:
            StreamLost: a device or a stream gives no more pictures.
        """
        cv2 = opencv()
        try:
            there, pixels = self._capture.read()
        except cv2.error as error:
            raise StreamLost(f"{self._name} gives what OpenCV cannot read: {error.err}") from error
        if not there or pixels is None:
            if not self._is_file:
                raise StreamLost(f"{self._name} gives no more pictures")
            self.ended = True
            return None
        return Shot(_rgb(pixels), self._next_time() if self._is_file else None)

    def _next_time(self) -> float:
        """Return where the frame just read stands in its file, in seconds; frames need not come evenly."""
        at = float(self._capture.get(opencv().CAP_PROP_POS_MSEC)) / 1e3
        # Some files do not say.
        self._time = at if at > self._time else self._time + self._step
        return self._time

    def close(self) -> None:
        self._capture.release()


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn what OpenCV gives, blue first or grey, into RGB."""
    cv2 = opencv()
    grey = pixels.ndim == 2 or pixels.shape[2] == 1
    turned: NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB)
    return turned
