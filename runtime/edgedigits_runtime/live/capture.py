"""Capture: frames as they are wanted: of a live source the newest, of a video or a folder each.

A live source is read by a thread of its own, which overwrites the frame that nobody took yet: however slow the reader,
it never looks at an old picture. When the source is lost, the thread connects again, with growing pauses.
"""

from collections.abc import Callable
from typing import Protocol

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import SourceError, StreamLost
from edgedigits_runtime.sources.frame_source import Connection, Frame, FrameSource, Shot

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two attempts to connect: doubled from the first to the longest."""

STALL = 7.0
"""Seconds without a frame after which a connection is given up; sources with limits of their own give up sooner."""

GRACE = 2.0
"""Seconds that closing waits for the thread: inside of a library when the interpreter ends, it would abort it."""

Say = Callable[[str], None]
"""Takes a line that a person should know of, from whatever thread."""


class Frames(Protocol):
    """Where a live reading takes its frames from.

    Attributes:
        fps: frames a second, as the source says; 0 where it does not.
        captured: frames that came so far.
        connections: how many times the source was connected to.
    """

    @property
    def fps(self) -> float: ...
    @property
    def captured(self) -> int: ...
    @property
    def connections(self) -> int: ...
    @property
    def ended(self) -> bool: ...

    def take(self, seconds: float, most_age: float) -> Frame | None:
        """Return the next frame, waiting at most so long; None where there is none.

        Args:
            seconds: to wait.
            most_age: of a live source, a frame that came longer ago is passed over for the one that comes next.

        Raises:
            PictureError: this picture cannot be read; the next may.
            StreamLost: there will be no more, though the source is not at its end.
        """

    def close(self) -> None:
        """Give the source back."""


class EveryFrame:
    """Every frame of a video or a folder, one after the other; nothing is dropped."""

    def __init__(self, source: FrameSource, clock: Clock) -> None:
        """Open the source.

        Raises:
            SourceError, MissingExtra: it cannot be opened.
        """
        self._connection = source.connect()
        self._name, self._clock = source.name, clock
        self._began = clock.now()
        self.captured, self.connections = 0, 1

    @property
    def fps(self) -> float:
        return self._connection.fps

    @property
    def ended(self) -> bool:
        return self._connection.ended

    def take(self, seconds: float, most_age: float = 0.0) -> Frame | None:  # noqa: ARG002  # see Frames
        shot = self._connection.grab()
        if shot is None:
            if self.ended and not self.captured:
                raise StreamLost(f"{self._name} has no frame that can be read; is it damaged?")
            return None
        self.captured += 1
        return _frame(shot, self.captured - 1, self._name, self._clock.now(), self._began)

    def close(self) -> None:
        self._connection.close()


class NewestFrame:
    """The newest frame of a live source, which is read by a thread of its own and connected to again when lost."""

    def __init__(self, source: FrameSource, clock: Clock, say: Say) -> None:
        """Open the source and start its thread.

        Raises:
            SourceError, MissingExtra: the source cannot be opened; only what was there once is waited for.
        """
        self._source, self._clock, self._say = source, clock, say
        self._newest: Frame | None = None
        self._taken = -1
        self._closed = False
        # A thread that hangs in its source cannot be ended, but given up: it is not the one of this number any more.
        self._thread = 0
        self._pause = FIRST_PAUSE
        self._running = 0
        self.captured, self.ended = 0, False
        connection = source.connect()
        self.connections = 1
        self._began = self._heard = clock.now()
        self.fps = connection.fps
        self._start(connection)

    def take(self, seconds: float, most_age: float) -> Frame | None:
        def fresh() -> bool:
            newest = self._newest
            return newest is not None and newest.number > self._taken and self._clock.now() - newest.taken <= most_age

        if self._clock.wait(fresh, seconds):
            frame = self._newest
            if frame is not None:
                self._taken = frame.number
            return frame
        self._give_up_what_hangs()
        return None

    def close(self) -> None:
        self._closed = True
        self._clock.notify()
        self._clock.wait(lambda: not self._running, GRACE)

    def _give_up_what_hangs(self) -> None:
        silent = self._clock.now() - self._heard
        if silent < max(STALL, 2 * self._pause):
            return
        self._say(f"{self._source.name}: no frame for {silent:.0f} s; connecting again")
        self._thread += 1
        self._heard = self._clock.now()
        self._pause = _longer(self._pause)
        self._start(None)

    def _start(self, connection: Connection | None) -> None:
        thread = self._thread
        self._running += 1

        def work() -> None:
            try:
                self._capture(thread, connection)
            finally:
                self._running -= 1
                self._clock.notify()

        self._clock.start(work)

    def _capture(self, thread: int, connection: Connection | None) -> None:
        """Overwrite the newest frame with every one that comes, until closed or given up."""
        lost_at = None if connection else self._heard
        while self._runs(thread):
            try:
                if connection is None:
                    connection = self._source.connect()
                    self.connections += 1
                shot = connection.grab()
                if shot is None:
                    raise StreamLost(f"{self._source.name} gives no more pictures")
            except SourceError as error:
                lost_at = lost_at if lost_at is not None else self._clock.now()
                if connection is not None:
                    connection.close()
                    connection = None
                self._rest(thread, error)
                continue
            if self._runs(thread):
                if lost_at is not None:
                    self._say(f"{self._source.name}: back after {self._clock.now() - lost_at:.1f} s")
                    lost_at = None
                self.fps = connection.fps
                self._put(shot)
        if connection is not None:
            connection.close()

    def _runs(self, thread: int) -> bool:
        return not self._closed and thread == self._thread

    def _rest(self, thread: int, error: SourceError) -> None:
        if not self._runs(thread):
            return
        self._heard = self._clock.now()
        self._say(f"{error}; trying again in {self._pause:g} s")
        self._clock.wait(lambda: not self._runs(thread), self._pause)
        self._heard = self._clock.now()
        self._pause = _longer(self._pause)

    def _put(self, shot: Shot) -> None:
        now = self._clock.now()
        self._newest = _frame(shot, self.captured, self._source.name, now, self._began)
        self.captured += 1
        self._heard, self._pause = now, FIRST_PAUSE
        self._clock.notify()


def open_frames(source: FrameSource, clock: Clock, say: Say) -> Frames:
    """Open a source in the way of its kind.

    Raises:
        SourceError, MissingExtra: it cannot be opened.
    """
    return NewestFrame(source, clock, say) if source.kind == "live" else EveryFrame(source, clock)


def _longer(pause: float) -> float:
    return min(2 * pause, LONGEST_PAUSE)


def _frame(shot: Shot, number: int, source: str, now: float, began: float) -> Frame:
    time = now - began if shot.time is None else shot.time
    return Frame(shot.pixels, number, time, now, str(shot.file) if shot.file else source, shot.file)
