"""Videos: files, of which every frame is read, and streams by RTSP or HTTP, of which the newest is."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgedigits_runtime.errors import SourceNotFound, SourceUnavailable
from edgedigits_runtime.sources.frame_source import Kind
from edgedigits_runtime.sources.opencv import Capture, opencv

SCHEMES = ("rtsp", "rtsps", "http", "https")

OPEN_MS, READ_MS = 5000, 5000
"""How long a stream may take to open, and to send its next picture."""


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
            SourceNotFound: there is none.
            SourceUnavailable: it may not be read, or OpenCV knows no video in it.
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
        # FFmpeg alone: other backends take the name for a pattern of numbered pictures.
        capture = None if empty else cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if capture is None or not capture.isOpened():
            what = "is empty" if empty else "is no video that OpenCV can read, or a damaged one"
            raise SourceUnavailable(f"{self.path} {what}; for pictures: edgedigits predict {self.path}")
        return Capture(capture, self.name, is_file=True)


@dataclass(frozen=True)
class Stream:
    """A stream by RTSP, or motion JPEG or another video by HTTP."""

    address: str
    kind: Kind = "live"

    @property
    def name(self) -> str:
        """The address without a password, which has no place in logs."""
        parts = urlsplit(self.address)
        user, at, host = parts.netloc.rpartition("@")
        hidden = f"{user.partition(':')[0]}:***{at}{host}" if ":" in user else parts.netloc
        return parts._replace(netloc=hidden).geturl()

    def connect(self) -> Capture:
        """Open the stream; opening and every picture may take so long and no longer.

        Raises:
            SourceUnavailable: nobody answers, or not with a video.
            MissingExtra: OpenCV is not installed.
        """
        cv2 = opencv()
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        capture = cv2.VideoCapture(self.address, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise SourceUnavailable(
                f"no video at {self.name}: nobody answers there, or not with RTSP or motion JPEG;"
                f" look at it with: ffplay {self.name}"
            )
        return Capture(capture, self.name, is_file=False)
