"""OpenCV, imported on use and with logging off."""

import os
from functools import cache
from typing import Any

from edgedigits_runtime.errors import MissingExtra, StreamLost
from edgedigits_runtime.sources.frame_source import Shot


@cache
def opencv() -> Any:
    """Return the module cv2.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    # OpenCV reads it when it opens the first video; -8 is FFmpeg's AV_LOG_QUIET.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise MissingExtra("reading cameras and videos", "camera") from error
    # Failures raise errors instead.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


class Capture:
    """Connection to an opened cv2.VideoCapture.

    Attributes:
        fps: frames per second as reported by the source; 0 if unknown.
        ended: whether a file has no more frames.
    """

    def __init__(self, capture: Any, name: str, *, is_file: bool) -> None:
        self.ended = False
        self._capture, self._name, self._is_file = capture, name, is_file
        fps = float(capture.get(opencv().CAP_PROP_FPS))
        # Streams without a frame rate report their time base, such as 90,000.
        self.fps = fps if 0 < fps <= 1000 else 0.0
        self._step = 1 / (self.fps or 25.0)
        self._time = -self._step

    def grab(self) -> Shot | None:
        """Wait for the next picture; return None at the end of a file.

        Raises:
            StreamLost: a device or stream sends no more pictures.
        """
        cv2 = opencv()
        try:
            found, pixels = self._capture.read()
        except cv2.error as error:
            raise StreamLost(f"OpenCV cannot read a picture of {self._name}: {error.err}") from error
        if not found or pixels is None:
            if not self._is_file:
                raise StreamLost(f"{self._name} sends no more pictures")
            self.ended = True
            return None
        grey = pixels.ndim == 2 or pixels.shape[2] == 1
        rgb = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB)
        return Shot(rgb, self._next_time() if self._is_file else None)

    def _next_time(self) -> float:
        """Return the time of the last frame in its file, in seconds; frames may be unevenly spaced."""
        at = float(self._capture.get(opencv().CAP_PROP_POS_MSEC)) / 1e3
        # Some files contain no times.
        self._time = at if at > self._time else self._time + self._step
        return self._time

    def close(self) -> None:
        self._capture.release()
