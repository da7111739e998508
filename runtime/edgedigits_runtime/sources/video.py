"""Videos: files, whose every frame is read, and streams by RTSP or HTTP, whose newest frame is read."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgedigits_runtime.errors import SourceNotFound, SourceUnavailable
from edgedigits_runtime.sources.frame_source import Kind
from edgedigits_runtime.sources.opencv import Capture, opencv

SCHEMES = ("rtsp", "rtsps", "http", "https")

OPEN_MS, READ_MS = 5000, 5000
"""Timeouts for opening a stream and for its next picture."""


@dataclass(frozen=True)
class VideoFile:
    """A video file."""

    path: Path
    kind: Kind = "video"

    @property
    def name(self) -> str:
        return str(self.path)

    def connect(self) -> Capture:
        """Open the file.

        Raises:
            SourceNotFound: there is no such file.
            SourceUnavailable: access is denied, or OpenCV finds no video in the file.
            MissingExtra: OpenCV is not installed.
        """
        try:
            with self.path.open("rb") as file:
                empty = not file.read(1)
        except FileNotFoundError as error:
            raise SourceNotFound(f"no video at {self.path}") from error
        except OSError as error:
            raise SourceUnavailable(f"cannot open {self.path}: {error.strerror or error}") from error
        cv2 = opencv()
        # FFmpeg only: other backends read the name as a pattern of numbered pictures.
        capture = None if empty else cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if capture is None or not capture.isOpened():
            state = "empty" if empty else "damaged, or not a video that OpenCV can read"
            raise SourceUnavailable(f"{self.path} is {state}; for pictures, run: edgedigits predict {self.path}")
        return Capture(capture, self.name, is_file=True)


@dataclass(frozen=True)
class Stream:
    """A stream by RTSP, or motion JPEG or another video by HTTP."""

    address: str
    kind: Kind = "live"

    @property
    def name(self) -> str:
        """The address with its password masked, for logs."""
        parts = urlsplit(self.address)
        user, at, host = parts.netloc.rpartition("@")
        masked = f"{user.partition(':')[0]}:***{at}{host}" if ":" in user else parts.netloc
        return parts._replace(netloc=masked).geturl()

    def connect(self) -> Capture:
        """Open the stream, with timeouts for opening and for each picture.

        Raises:
            SourceUnavailable: no server or no video at the address.
            MissingExtra: OpenCV is not installed.
        """
        cv2 = opencv()
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        capture = cv2.VideoCapture(self.address, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise SourceUnavailable(
                f"no video at {self.name}: no answer, or neither RTSP nor motion JPEG; test it with: ffplay {self.name}"
            )
        return Capture(capture, self.name, is_file=False)
