"""Watching: from a source's frames to settled answers, at the pace of the slower of source and reader."""

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
from edgedigits_runtime.live.settling import Settling
from edgedigits_runtime.live.tracking import PixelBox
from edgedigits_runtime.reading.decode import PictureSource
from edgedigits_runtime.reading.results import Digit, Reading
from edgedigits_runtime.sources.frame_source import Frame, FrameSource

LIVE_FPS = 10.0
"""Readings a second of a live source, unless asked otherwise: a hand is slower, and half a core is enough for it."""

FRAME_TIMES = 2.0
"""How old a frame may be when it is answered, in the time from one frame to the next, where the reader allows it."""

GLANCE = 0.2
"""Seconds after which a wait for a frame looks whether it should end."""


class PictureReader(Protocol):
    """What a Reader does, as far as it is needed here."""

    def read(self, source: PictureSource, *, name: str | None = None) -> Reading: ...


@dataclass(frozen=True)
class WatchOptions:
    """How to watch.

    Attributes:
        max_fps: readings a second at most; None for every frame of a video, and LIVE_FPS of a live source.
        roi: the part that is read, x, y, width and height in pixels; None for all.
        duration: seconds after which to end; None for never.
        top_k: labels that a digit's `top` lists.
    """

    max_fps: float | None = None
    roi: PixelBox | None = None
    duration: float | None = None
    top_k: int = 3


@dataclass(frozen=True, eq=False)
class LiveReading:
    """The answer at one frame.

    Attributes:
        reading: the settled digits, boxes in pixels of the frame; of single pictures what was read in this one.
        now: what was read in this frame alone.
        there: of each settled digit, whether it was seen just now.
        new: whether this reading tells a number for the first time.
        time: of the frame, seconds since the beginning.
        age: milliseconds from the frame's coming to this answer.
        frame: what was read.
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
    """Something that a person should know: the source was lost, is back, or a picture cannot be read.

    Attributes:
        text: one line.
        source: which source or picture.
        time: seconds since the beginning.
        failed: whether a picture was left unread.
    """

    text: str
    source: str
    time: float
    failed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of a line that tells an error."""
        return {"source": self.source, "error": self.text, "time": round(self.time, 3)}


class Watch:
    """A live reading: iterate over it for answers and notices; stop() ends it from anywhere, a signal's handler too.

    Attributes:
        counters: counts so far.
        frames: where they come from.
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
            SourceError, MissingExtra: it cannot be opened.
        """
        self._reader, self._source = reader, source
        self._options, self._clock = options or WatchOptions(), clock or Clock()
        self._stopped = False
        self._notices: deque[Notice] = deque()
        self._settling = Settling(self._options.top_k)
        self._live = source.kind == "live"
        rate = self._options.max_fps or (LIVE_FPS if self._live else None)
        self._interval = 1 / rate if rate else 0.0
        # How long a reading takes, for knowing how old a frame may be beforehand.
        self._takes = 0.0
        self.counters = Counters(self._clock.now())
        self.frames: Frames = open_frames(source, self._clock, self._say)

    @property
    def read_fps(self) -> float:
        """Readings a second that are aimed at; of pictures that come when they come, so many as a video may show."""
        rate = 1 / self._interval if self._interval else 0.0
        if self._source.kind == "video":
            fps = self.frames.fps or 25.0
            return min(rate, fps) if rate else fps
        return rate or 5.0

    def stop(self) -> None:
        """End after the reading that is under way."""
        self._stopped = True

    def __iter__(self) -> Iterator[LiveReading | Notice]:
        """Yield an answer for every frame that is read, and notices in between.

        Raises:
            StreamLost: a video or a folder broke off, or not one frame came in all of `duration`.
        """
        due = self._clock.now()
        next_time = 0.0
        try:
            while not self._is_over():
                yield from self._told()
                if self._live and not self._due(due):
                    continue
                try:
                    frame = self.frames.take(self._left(GLANCE), self._most_age())
                except PictureError as error:
                    self._say(str(error), error.picture, failed=True)
                    continue
                if frame is None:
                    if self.frames.ended:
                        break
                    continue
                if self._live:
                    # By the plan, not by when it came about: else every delay would add up.
                    due = max(due + self._interval, self._clock.now() - self._interval)
                elif self._interval and self._source.kind == "video":
                    if frame.time < next_time - 1e-6:
                        continue
                    next_time = max(next_time + self._interval, frame.time)
                answered = self._answered(frame)
                if answered is not None:
                    yield answered
            yield from self._told()
            if not self.counters.read and self._live and not self._stopped:
                raise StreamLost(f"{self._source.name}: no frame came")
        finally:
            self.frames.close()

    def _due(self, due: float) -> bool:
        """Wait until it is time for the next reading; half a frame early is near enough."""
        left = due - 0.5 * self._frame_time() - self._clock.now()
        return left <= 0 or not self._clock.wait(lambda: self._stopped, self._left(left))

    def _answered(self, frame: Frame) -> LiveReading | None:
        start = self._clock.now()
        try:
            now = self._read(frame)
        except PictureError as error:
            self._say(str(error), frame.name, failed=True)
            return None
        end = self._clock.now()
        self._takes = end - start if not self._takes else 0.7 * self._takes + 0.3 * (end - start)
        age = 1e3 * (end - frame.taken)
        self.counters.count(end, self.frames.captured, age)
        if self._source.kind == "pictures":
            return LiveReading(now, now, (True,) * len(now.digits), bool(now.digits), frame.time, age, frame)
        answer = self._settling.update(now.digits, frame.time)
        reading = replace(now, text=answer.text, digits=answer.digits)
        return LiveReading(reading, now, answer.visible, answer.new, frame.time, age, frame)

    def _read(self, frame: Frame) -> Reading:
        if self._options.roi is None:
            # A picture is read from its file, so that it reads as `predict` reads it.
            return self._reader.read(frame.file or frame.pixels, name=frame.name)
        try:
            x, y, part = _part(frame, self._options.roi)
        except SourceError as error:
            if self._source.kind != "pictures":
                raise
            # The next one may be larger.
            raise PictureError(str(error)) from error
        reading = self._reader.read(part, name=frame.name)
        return replace(reading, digits=tuple(_moved(digit, x, y) for digit in reading.digits))

    def _most_age(self) -> float:
        """Return how old a frame may be so that it can be answered in time; else the next one is waited for."""
        frame_time = self._frame_time()
        return max(FRAME_TIMES * frame_time - 1.1 * self._takes, 0.25 * frame_time)

    def _frame_time(self) -> float:
        """Return the seconds from one frame to the next: as the source says or as they come, the shorter of both."""
        return 1 / (max(self.frames.fps, self.counters.rates()[0]) or 30.0)

    def _left(self, most: float) -> float:
        """Return how long to wait, at most so long: not beyond the end."""
        duration = self._options.duration
        if duration is None:
            return most
        return max(0.0, min(most, self.counters.began + duration - self._clock.now()))

    def _is_over(self) -> bool:
        duration = self._options.duration
        return self._stopped or (duration is not None and self._clock.now() - self.counters.began >= duration)

    def _say(self, text: str, source: str = "", *, failed: bool = False) -> None:
        # Called from the capture thread too: a deque takes from several.
        self._notices.append(Notice(text, source or self._source.name, self._clock.now() - self.counters.began, failed))

    def _told(self) -> Iterator[Notice]:
        while self._notices:
            yield self._notices.popleft()


def _part(frame: Frame, roi: PixelBox) -> tuple[int, int, NDArray[np.uint8]]:
    """Return where the part of a frame that is read begins, and its pixels.

    Raises:
        SourceError: the part lies outside the frame.
    """
    x, y, width, height = roi
    part = frame.pixels[y : y + height, x : x + width]
    if part.size == 0:
        tall, wide = frame.pixels.shape[:2]
        raise SourceError(f"the part {x},{y},{width},{height} lies outside of the picture, which is {wide}x{tall}")
    return x, y, part


def _moved(digit: Digit, x: int, y: int) -> Digit:
    left, top, width, height = digit.box
    return replace(digit, box=(left + x, top + y, width, height))
