"""VideoOutput: answers as a video, each shown until the next one."""

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
"""By suffix; of what OpenCV's wheels can write these are quick enough for a live picture."""

MOST_REPEATED = 600
"""How many times one picture is written at most while nothing comes, so that a night of waiting fills no disk."""

SPACE = 1 << 16
"""Bytes that must be left on the disk when a video ends: then there was room for all of it."""


class VideoOutput:
    """A video that is being written; its size is that of the first picture, and others are fitted into it."""

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
        """Write a picture as of `time`, in seconds; the one before stands until then.

        Raises:
            OutputNotWritable: OpenCV cannot write there.
        """
        cv2 = opencv()
        if self._writer is None:
            # Video codecs halve colours: sides are even.
            self._size = (picture.width // 2 * 2, picture.height // 2 * 2)
            self._began = time
            self._writer = self._opened(cv2)
        if self._last is not None:
            missing = round((time - self._began) * self._fps) - self._written
            for _ in range(min(missing, MOST_REPEATED)):
                self._write(self._last)
            # After a longer gap the video goes on as if it had not been.
            self._began += max(missing - MOST_REPEATED, 0) / self._fps
        if picture.size != self._size:
            picture = ImageOps.pad(picture, self._size)
        self._last = np.asarray(picture)[..., ::-1].copy()
        if not self._written:
            self._write(self._last)

    def finish(self) -> None:
        """Write what is left and put the file in its place; without a picture there is none."""
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
        # Left by an error, it leaves what stood there as it was.
        with ExitStack() as opening:
            self._temporary = opening.enter_context(whole_file(self._path))
            writer = cv2.VideoWriter(str(self._temporary), codec, self._fps, self._size)
            if not all(self._size) or not writer.isOpened():
                raise OutputNotWritable(f"OpenCV cannot write {self._path} of {self._size[0]}x{self._size[1]} pixels")
            self._file = opening.pop_all()
        return writer

    def _check_written(self) -> None:
        """Return if the video is whole: OpenCV says nothing of a disk that is full.

        Raises:
            OSError, OutputNotWritable: it is not.
        """
        with self._temporary.open("r+b") as file:
            length = file.seek(0, os.SEEK_END)
            file.write(bytes(SPACE))
            file.flush()
            os.fsync(file.fileno())
            file.truncate(length)
        video = opencv().VideoCapture(str(self._temporary))
        there, _ = video.read()
        video.release()
        if not there:
            raise OutputNotWritable(f"OpenCV wrote no video to {self._path} that can be read")


@contextmanager
def open_video_output(path: Path, fps: float) -> Iterator[VideoOutput]:
    """Yield a recording that stands at `path` when the block is left, an interruption or an error included.

    Raises:
        UnknownName: OpenCV knows no codec for the suffix.
        OutputNotWritable: nothing can be written there.
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
