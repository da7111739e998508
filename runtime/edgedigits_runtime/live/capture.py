"""Capture: the newest frame of a live source, every frame of a video or folder.

A thread reads a live source and overwrites frames that were not read, so a slow reader never gets an old frame. If the
connection is lost, the thread reconnects with growing pauses.
"""

from collections.abc import Callable

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import SourceError, StreamLost
from edgedigits_runtime.sources.frame_source import Connection, Frame, FrameSource, Shot

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two attempts to connect; doubled after each, up to the longest."""

STALL = 7.0
"""Seconds without a frame before a connection is replaced; sources with their own timeouts fail sooner."""

GRACE = 2.0
"""Seconds that close() waits for the thread: inside native code at exit, it would abort the interpreter."""

Notify = Callable[[str], None]
"""Callback for a notice to the user, from any thread."""


class EveryFrame:
    """Every frame of a video or folder in order; attributes as in NewestFrame."""

    def __init__(self, source: FrameSource, clock: Clock) -> None:
        """Open the source.

        Raises:
            SourceError, MissingExtra: the source cannot be opened.
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

    def take(self, seconds: float, most_age: float) -> Frame | None:  # noqa: ARG002  # as in NewestFrame
        """Return the next frame, or None if there is none yet or the source has ended.

        Raises:
            PictureError: this picture cannot be read; the next one may be readable.
            StreamLost: the source failed before its end.
        """
        shot = self._connection.grab()
        if shot is None:
            if self.ended and not self.captured:
                raise StreamLost(f"{self._name} has no readable frame; check that the file is not damaged")
            return None
        self.captured += 1
        return _frame(shot, self.captured - 1, self._name, self._clock.now(), self._began)

    def close(self) -> None:
        self._connection.close()


class NewestFrame:
    """The newest frame of a live source, read by a thread that reconnects when the connection is lost.

    Attributes:
        fps: frames per second as reported by the source; 0 if unknown.
        captured: number of frames captured so far.
        connections: number of connections made.
        ended: whether the source has no more frames.
    """

    def __init__(self, source: FrameSource, clock: Clock, notify: Notify) -> None:
        """Open the source and start its thread.

        Raises:
            SourceError, MissingExtra: the first connection failed; only later ones are retried.
        """
        self._source, self._clock, self._notify = source, clock, notify
        self._newest: Frame | None = None
        self._taken = -1
        self._closed = False
        # A thread that hangs in its source cannot be ended; a new thread number makes it stop when it returns.
        self._thread = 0
        self._pause = FIRST_PAUSE
        self._running = 0
        self.captured, self.ended = 0, False
        connection = source.connect()
        self.connections = 1
        self._began = self._active = clock.now()
        self.fps = connection.fps
        self._start(connection)

    def take(self, seconds: float, most_age: float) -> Frame | None:
        """Return the next frame at most `most_age` seconds old, or None after a timeout of `seconds`."""

        def fresh() -> bool:
            newest = self._newest
            return newest is not None and newest.number > self._taken and self._clock.now() - newest.taken <= most_age

        if self._clock.wait(fresh, seconds):
            frame = self._newest
            if frame is not None:
                self._taken = frame.number
            return frame
        self._replace_stalled_thread()
        return None

    def close(self) -> None:
        self._closed = True
        self._clock.notify()
        self._clock.wait(lambda: not self._running, GRACE)

    def _replace_stalled_thread(self) -> None:
        silent = self._clock.now() - self._active
        if silent < max(STALL, 2 * self._pause):
            return
        self._notify(f"{self._source.name}: no frame for {silent:.0f} s; reconnecting")
        self._thread += 1
        self._active = self._clock.now()
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
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
        """Overwrite the newest frame with each new one until closed or replaced."""
        lost_at = None if connection else self._active
        while self._runs(thread):
            try:
                if connection is None:
                    connection = self._source.connect()
                    self.connections += 1
                shot = connection.grab()
                if shot is None:
                    raise StreamLost(f"{self._source.name} sends no more pictures")
            except SourceError as error:
                lost_at = lost_at if lost_at is not None else self._clock.now()
                if connection is not None:
                    connection.close()
                    connection = None
                self._pause_after(error, thread)
                continue
            if self._runs(thread):
                if lost_at is not None:
                    self._notify(f"{self._source.name}: back after {self._clock.now() - lost_at:.1f} s")
                    lost_at = None
                self.fps = connection.fps
                self._put(shot)
        if connection is not None:
            connection.close()

    def _runs(self, thread: int) -> bool:
        return not self._closed and thread == self._thread

    def _pause_after(self, error: SourceError, thread: int) -> None:
        if not self._runs(thread):
            return
        self._active = self._clock.now()
        self._notify(f"{error}; retrying in {self._pause:g} s")
        self._clock.wait(lambda: not self._runs(thread), self._pause)
        self._active = self._clock.now()
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _put(self, shot: Shot) -> None:
        now = self._clock.now()
        self._newest = _frame(shot, self.captured, self._source.name, now, self._began)
        self.captured += 1
        self._active, self._pause = now, FIRST_PAUSE
        self._clock.notify()


Frames = EveryFrame | NewestFrame


def open_frames(source: FrameSource, clock: Clock, notify: Notify) -> Frames:
    """Open a source by its kind.

    Raises:
        SourceError, MissingExtra: the source cannot be opened.
    """
    return NewestFrame(source, clock, notify) if source.kind == "live" else EveryFrame(source, clock)


def _frame(shot: Shot, number: int, source: str, now: float, began: float) -> Frame:
    time = now - began if shot.time is None else shot.time
    return Frame(shot.pixels, number, time, now, str(shot.file) if shot.file else source, shot.file)
