"""Energy over a time: counters followed through their wraps, power integrated over the readings."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType

from edgedigits.benchmarking.energy.meter import Meter


@dataclass(frozen=True)
class Recorded:
    """What was taken over a time.

    Attributes:
        seconds: between the first reading and the last.
        joules: by channel.
        readings: that were had; with fewer than 2 nothing is known, and `joules` is empty.
        failures: what sensors answered instead, each once.
    """

    seconds: float
    joules: Mapping[str, float]
    readings: int
    failures: tuple[str, ...]

    def watts(self, channels: tuple[str, ...]) -> float | None:
        """Return the mean power of the sum of these channels; None where it is not known."""
        if self.seconds <= 0 or not all(name in self.joules for name in channels):
            return None
        return sum(self.joules[name] for name in channels) / self.seconds


class Sum:
    """Adds up readings, each taken at its time."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._first: float | None = None
        self._last: tuple[float, Mapping[str, float]] | None = None
        self._joules: dict[str, float] = {}
        self._readings = 0
        self._failures: dict[str, None] = {}

    def add(self, at: float, values: Mapping[str, float]) -> None:
        """Take a reading at a time in seconds; readings come in the order of time."""
        if self._last is None:
            self._first = at
        else:
            since, earlier = self._last
            for name, value in values.items():
                if name in earlier:
                    more = self._between(name, earlier[name], value, at - since)
                    self._joules[name] = self._joules.get(name, 0.0) + more
        self._last = at, values
        self._readings += 1

    def fail(self, why: str) -> None:
        """Note a reading that was not had; what was taken meanwhile is in the next one, or is interpolated."""
        self._failures[why] = None

    def _between(self, name: str, earlier: float, now: float, seconds: float) -> float:
        if self._meter.kind == "power":
            return (earlier + now) / 2 * seconds
        more = now - earlier
        # A counter that fell has begun again, once: it is read far more often than it wraps.
        return (more + self._meter.wraps_at.get(name, 0.0) if more < 0 else more) * 1e-6

    @property
    def recorded(self) -> Recorded:
        seconds = self._last[0] - self._first if self._last and self._first is not None else 0.0
        return Recorded(seconds, dict(self._joules), self._readings, tuple(self._failures))


class Recording:
    """Reads a meter on entry, every meter.interval_seconds in a thread, and on exit; then `recorded` is known."""

    def __init__(self, meter: Meter, clock: Callable[[], float] = time.monotonic) -> None:
        self._meter, self._clock = meter, clock
        self._sum = Sum(meter)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read_on, name="energy", daemon=True)

    def __enter__(self) -> "Recording":
        self._read()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._read()

    @property
    def recorded(self) -> Recorded:
        return self._sum.recorded

    def _read_on(self) -> None:
        while not self._ended.wait(self._meter.interval_seconds):
            self._read()

    def _read(self) -> None:
        try:
            values = self._meter.read()
        except (OSError, ValueError) as error:
            self._sum.fail(str(error))
        else:
            # The time of the answer: sensors on a slow bus answer with what they measured last.
            self._sum.add(self._clock(), values)
