"""Watch a source: from frames to settled readings, at the pace of the slower of source and reader."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import PictureError, SourceError, StreamLost
from edgedigits_runtime.live.capture import Frames, open_frames
from edgedigits_runtime.live.counters import Counters
from edgedigits_runtime.live.settling import SURE, Settling
from edgedigits_runtime.live.tracking import PixelBox
from edgedigits_runtime.reading.decode import PictureSource
from edgedigits_runtime.reading.results import Digit, Reading
from edgedigits_runtime.sources.frame_source import Frame, FrameSource

LIVE_FPS = 10.0
"""Default readings per second of a live source: faster than a hand moves, at half a core."""

FRAME_TIMES = 2.0
"""Target for the maximum age of an answer, in frame intervals."""

POLL = 0.2
"""Seconds after which a wait for a frame checks whether to stop."""


class PictureReader(Protocol):
    """The part of Reader that watching needs."""

    def read(self, source: PictureSource, *, name: str | None = None) -> Reading: ...


@dataclass(frozen=True)
class WatchOptions:
    """Options of watching.

    Attributes:
        max_fps: maximum readings per second; None for every frame of a video and LIVE_FPS of a live source.
        roi: region of interest to read: x, y, width and height in pixels; None for the whole picture.
        duration: seconds after which to stop; None for no limit.
        top_k: number of labels in a digit's `top`.
        least_confidence: a digit with a lower mean confidence over readings does not settle.
    """

    max_fps: float | None = None
    roi: PixelBox | None = None
    duration: float | None = None
    top_k: int = 3
    least_confidence: float = SURE


@dataclass(frozen=True, eq=False)
class LiveReading:
    """The answer at one frame.

    Attributes:
        reading: settled digits, boxes in pixels of the frame; for single pictures the same as `current`.
        current: reading of this frame alone.
        visible: whether each settled digit is visible now.
        new: whether this is the first reading with this number.
        time: of the frame, in seconds from the start.
        age: milliseconds from the frame's capture to this answer.
        frame: the frame.
    """

    reading: Reading
    current: Reading
    visible: tuple[bool, ...]
    new: bool
    time: float
    age: float
    frame: Frame

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of `watch --json`: Reading.to_dict's with `time`, `age` and `new`."""
        return {**self.reading.to_dict(), "time": round(self.time, 3), "age": round(self.age, 1), "new": self.new}


@dataclass(frozen=True)
class Notice:
    """An event to report: the source was lost or is back, or a picture cannot be read.

    Attributes:
        text: one line.
        source: name of the source or picture.
        time: seconds from the start.
        failed: whether a picture could not be read.
    """

    text: str
    source: str
    time: float
    failed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of `watch --json` for an error."""
        return {"source": self.source, "error": self.text, "time": round(self.time, 3)}


class Watch:
    """A live reading: iterate over it for readings and notices; call stop() from anywhere, also a signal handler.

    Attributes:
        counters: counters so far.
        frames: frames of the source.
    """

    def __init__(
        self,
        reader: PictureReader,
        source: FrameSource,
        options: WatchOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open the source.

        Raises:
            SourceError, MissingExtra: the source cannot be opened.
        """
        self._reader, self._source = reader, source
        self._options, self._clock = options or WatchOptions(), clock or Clock()
        self._stopped = False
        self._notices: deque[Notice] = deque()
        self._settling = Settling(self._options.top_k, self._options.least_confidence)
        self._live = source.kind == "live"
        rate = self._options.max_fps or (LIVE_FPS if self._live else None)
        self._interval = 1 / rate if rate else 0.0
        # Moving average of the seconds that a reading takes.
        self._takes = 0.0
        self.counters = Counters(self._clock.now())
        self.frames: Frames = open_frames(source, self._clock, self._notify)

    @property
    def read_fps(self) -> float:
        """Target of readings per second; for pictures without a rate, the frame rate of an output video."""
        rate = 1 / self._interval if self._interval else 0.0
        if self._source.kind == "video":
            fps = self.frames.fps or 25.0
            return min(rate, fps) if rate else fps
        return rate or 5.0

    def stop(self) -> None:
        """Stop after the current reading."""
        self._stopped = True

    def __iter__(self) -> Iterator[LiveReading | Notice]:
        """Yield a reading for every frame that is read, and notices.

        Raises:
            StreamLost: a video or folder failed before its end, or no frame came within `duration`.
        """
        due = self._clock.now()
        next_time = 0.0
        try:
            while not self._is_over():
                yield from self._pending_notices()
                if self._live and not self._wait_until(due):
                    continue
                try:
                    frame = self.frames.take(self._at_most(POLL), self._most_age())
                except PictureError as error:
                    self._notify(str(error), error.picture, failed=True)
                    continue
                if frame is None:
                    if self.frames.ended:
                        break
                    continue
                if self._live:
                    # From the planned time, so that delays do not add up.
                    due = max(due + self._interval, self._clock.now() - self._interval)
                elif self._interval and self._source.kind == "video":
                    if frame.time < next_time - 1e-6:
                        continue
                    next_time = max(next_time + self._interval, frame.time)
                answer = self._answer(frame)
                if answer is not None:
                    yield answer
            yield from self._pending_notices()
            if not self.counters.read and self._live and not self._stopped:
                raise StreamLost(f"{self._source.name}: no frame came")
        finally:
            self.frames.close()

    def _wait_until(self, due: float) -> bool:
        """Wait until half a frame interval before the next reading is due; return whether it is."""
        left = due - 0.5 * self._frame_interval() - self._clock.now()
        return left <= 0 or not self._clock.wait(lambda: self._stopped, self._at_most(left))

    def _answer(self, frame: Frame) -> LiveReading | None:
        start = self._clock.now()
        try:
            current = self._read(frame)
        except PictureError as error:
            self._notify(str(error), frame.name, failed=True)
            return None
        end = self._clock.now()
        self._takes = end - start if not self._takes else 0.7 * self._takes + 0.3 * (end - start)
        age = 1e3 * (end - frame.taken)
        self.counters.count(end, self.frames.captured, age)
        if self._source.kind == "pictures":
            visible = (True,) * len(current.digits)
            return LiveReading(current, current, visible, bool(current.digits), frame.time, age, frame)
        answer = self._settling.update(current.digits, frame.time)
        reading = replace(current, text=answer.text, digits=answer.digits)
        return LiveReading(reading, current, answer.visible, answer.new, frame.time, age, frame)

    def _read(self, frame: Frame) -> Reading:
        if self._options.roi is None:
            # From the file, so that a picture is read as `predict` reads it.
            return self._reader.read(frame.file or frame.pixels, name=frame.name)
        try:
            part = _cropped(frame, self._options.roi)
        except SourceError as error:
            if self._source.kind != "pictures":
                raise
            # The next picture may be larger.
            raise PictureError(str(error)) from error
        reading = self._reader.read(part, name=frame.name)
        x, y, _, _ = self._options.roi
        return replace(reading, digits=tuple(_moved(digit, x, y) for digit in reading.digits))

    def _most_age(self) -> float:
        """Return the maximum age of a frame that can still be answered in time, in seconds."""
        interval = self._frame_interval()
        return max(FRAME_TIMES * interval - 1.1 * self._takes, 0.25 * interval)

    def _frame_interval(self) -> float:
        """Return the seconds between frames, as reported or as measured, whichever is shorter."""
        return 1 / (max(self.frames.fps, self.counters.rates()[0]) or 30.0)

    def _at_most(self, seconds: float) -> float:
        """Return `seconds`, limited to what is left of `duration`."""
        duration = self._options.duration
        if duration is None:
            return seconds
        return max(0.0, min(seconds, self.counters.began + duration - self._clock.now()))

    def _is_over(self) -> bool:
        duration = self._options.duration
        return self._stopped or (duration is not None and self._clock.now() - self.counters.began >= duration)

    def _notify(self, text: str, source: str = "", *, failed: bool = False) -> None:
        # Also called from the capture thread; a deque is thread-safe.
        self._notices.append(Notice(text, source or self._source.name, self._clock.now() - self.counters.began, failed))

    def _pending_notices(self) -> Iterator[Notice]:
        while self._notices:
            yield self._notices.popleft()


def _cropped(frame: Frame, roi: PixelBox) -> NDArray[np.uint8]:
    """Return the pixels of a region of interest.

    Raises:
        SourceError: the region is outside the frame.
    """
    x, y, width, height = roi
    part = frame.pixels[y : y + height, x : x + width]
    if part.size == 0:
        tall, wide = frame.pixels.shape[:2]
        raise SourceError(
            f"--roi {x},{y},{width},{height} is outside the picture of {wide}x{tall}; choose another region"
        )
    return part


def _moved(digit: Digit, x: int, y: int) -> Digit:
    left, top, width, height = digit.box
    return replace(digit, box=(left + x, top + y, width, height))
