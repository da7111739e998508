"""Video output: readings as a video file, each displayed until the next one."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edgedigits_runtime.errors import OutputNotWritable, UnknownName
from edgedigits_runtime.sources.opencv import opencv
from edgedigits_runtime.whole_files import whole_file

CODECS = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""Codec by suffix: those in OpenCV's wheels that are fast enough for live pictures."""

MOST_REPEATED = 600
"""Maximum repeats of one picture while no other comes, so that a long wait does not fill the disk."""

SPACE = 1 << 16
"""Bytes written after the video and removed again; a failure means that the disk was full before."""


class VideoOutput:
    """A video being written in the size of its first picture; other pictures are fitted into that size."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._file = ExitStack()
        self._temporary = path
        self._writer: Any = None
        self._size = (0, 0)
        self._written = 0
        self._began = 0.0
        self._last: NDArray[np.uint8] | None = None

    def add(self, picture: Image.Image, time: float) -> None:
        """Write a picture at `time`, in seconds, after repeating the previous one until then.

        Raises:
            OutputNotWritable: OpenCV cannot write the file.
        """
        cv2 = opencv()
        if self._writer is None:
            # Video codecs halve the resolution of colours, so sides must be even.
            self._size = (picture.width // 2 * 2, picture.height // 2 * 2)
            self._began = time
            self._writer = self._opened(cv2)
        if self._last is not None:
            missing = round((time - self._began) * self._fps) - self._written
            for _ in range(min(missing, MOST_REPEATED)):
                self._write(self._last)
            # A longer gap is cut out of the video.
            self._began += max(missing - MOST_REPEATED, 0) / self._fps
        if picture.size != self._size:
            picture = ImageOps.pad(picture, self._size)
        self._last = np.asarray(picture)[..., ::-1].copy()
        if not self._written:
            self._write(self._last)

    def finish(self) -> None:
        """Write the last picture and move the file to its path; without pictures, write no file."""
        with self._file:
            if self._writer is not None and self._last is not None:
                self._write(self._last)
                self._writer.release()
                self._check_written()

    def _write(self, pixels: NDArray[np.uint8]) -> None:
        self._writer.write(pixels)
        self._written += 1

    def _opened(self, cv2: Any) -> Any:
        codec = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix.lower()])
        # On an error, the temporary file is removed and an existing file stays.
        with ExitStack() as opening:
            self._temporary = opening.enter_context(whole_file(self._path))
            writer = cv2.VideoWriter(str(self._temporary), codec, self._fps, self._size)
            if not all(self._size) or not writer.isOpened():
                raise OutputNotWritable(f"OpenCV cannot write {self._path} of {self._size[0]}x{self._size[1]} pixels")
            self._file = opening.pop_all()
        return writer

    def _check_written(self) -> None:
        """Check that the video is complete, because OpenCV does not report a full disk.

        Raises:
            OSError, OutputNotWritable: it is incomplete.
        """
        with self._temporary.open("r+b") as file:
            length = file.seek(0, os.SEEK_END)
            file.write(bytes(SPACE))
            file.flush()
            os.fsync(file.fileno())
            file.truncate(length)
        video = opencv().VideoCapture(str(self._temporary))
        readable, _ = video.read()
        video.release()
        if not readable:
            raise OutputNotWritable(f"OpenCV wrote an unreadable video to {self._path}; check the free disk space")


@contextmanager
def open_video_output(path: Path, fps: float) -> Iterator[VideoOutput]:
    """Open a video file that is completed when the block is left, also after an error or interrupt.

    Raises:
        UnknownName: there is no codec for the suffix.
        OutputNotWritable: the file cannot be written.
        MissingExtra: OpenCV is not installed.
    """
    if path.suffix.lower() not in CODECS:
        raise UnknownName("kind of video", path.suffix or path.name, CODECS)
    opencv()
    written = VideoOutput(path, fps)
    try:
        yield written
    finally:
        written.finish()
