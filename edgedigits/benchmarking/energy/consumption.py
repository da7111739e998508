"""Energy of one call: the machine's power under work and at rest, in turns.

Each round of work is compared with the rests before and after it, so that a machine that warms up, or a fan that
starts, is not counted as work.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from types import TracebackType

from edgedigits.benchmarking.energy.meters import Meter, NoMeter


@dataclass(frozen=True)
class Recorded:
    """Energy used over a time."""

    seconds: float  # Between the first reading and the last.
    joules: Mapping[str, float]  # By channel; empty with fewer than 2 readings.
    readings: int
    failures: tuple[str, ...]  # Sensor errors, each once.

    def watts(self, channels: tuple[str, ...]) -> float | None:
        """Return the mean power of the sum of these channels; None if unknown."""
        if self.seconds <= 0 or not all(name in self.joules for name in channels):
            return None
        return sum(self.joules[name] for name in channels) / self.seconds


class Recording:
    """Reads a meter on entry, every meter.interval_seconds in a thread, and on exit, and adds up the readings."""

    def __init__(self, meter: Meter, clock: Callable[[], float] = time.monotonic) -> None:
        self._meter, self._clock = meter, clock
        self._first = 0.0
        self._last: tuple[float, Mapping[str, float]] | None = None
        self._joules: dict[str, float] = {}
        self._readings = 0
        self._failures: dict[str, None] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="energy", daemon=True)

    def __enter__(self) -> "Recording":
        self._read()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self._read()

    @property
    def recorded(self) -> Recorded:
        seconds = self._last[0] - self._first if self._last else 0.0
        return Recorded(seconds, dict(self._joules), self._readings, tuple(self._failures))

    def add(self, at: float, values: Mapping[str, float]) -> None:
        """Add a reading at a time in seconds; readings come in the order of time."""
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

    def _between(self, name: str, earlier: float, now: float, seconds: float) -> float:
        if self._meter.kind == "power":
            return (earlier + now) / 2 * seconds
        more = now - earlier
        # A counter that fell has wrapped once: it is read far more often than it wraps.
        return (more + self._meter.wraps_at.get(name, 0.0) if more < 0 else more) * 1e-6

    def _repeat(self) -> None:
        while not self._ended.wait(self._meter.interval_seconds):
            self._read()

    def _read(self) -> None:
        try:
            values = self._meter.read()
        except (OSError, ValueError) as error:
            # The next reading includes or interpolates the energy.
            self._failures[str(error)] = None
        else:
            # The time of the answer: sensors on a slow bus answer with their latest measurement.
            self.add(self._clock(), values)


@dataclass(frozen=True)
class Plan:
    """Length of a measurement: rounds of work with one rest more, each of `seconds`."""

    rounds: int = 3
    seconds: float = 2.0


@dataclass(frozen=True)
class Energy:
    """Energy of inferences."""

    meter: Meter
    idle: tuple[Recorded, ...]  # The rests, in order; one more than `busy`.
    busy: tuple[Recorded, ...]  # The rounds of work.
    inferences: tuple[int, ...]  # In each round.

    @property
    def idle_watts(self) -> list[float]:
        return _watts(self.idle, self.meter.total)

    @property
    def busy_watts(self) -> list[float]:
        return _watts(self.busy, self.meter.total)

    def microjoules(self, rests: Sequence[float]) -> list[float]:
        """Return the microjoules of one inference in each round, above the power of a rest for each."""
        rounds = zip(self.busy_watts, rests, self.busy, self.inferences, strict=True)
        return [(watts - rest) * one.seconds / count * 1e6 for watts, rest, one, count in rounds]

    @property
    def net_microjoules(self) -> list[float]:
        """Microjoules of one inference in each round, above the mean power of the rests around it."""
        return self.microjoules([mean(pair) for pair in zip(self.idle_watts, self.idle_watts[1:], strict=False)])

    def to_dict(self) -> dict[str, object]:
        net, gross = self.net_microjoules, self.microjoules([0.0] * len(self.busy))
        # Every round of work must use more power than every rest.
        distinct = min(self.busy_watts) > max(self.idle_watts)
        failures = dict.fromkeys(line for piece in (*self.idle, *self.busy) for line in piece.failures)
        return {
            "available": True,
            "meter": self.meter.name,
            "scope": self.meter.scope,
            "rounds": len(self.busy),
            "inferences": sum(self.inferences),
            "idle_watts": self.idle_watts,
            "busy_watts": self.busy_watts,
            "microjoules_per_inference": {
                "gross": mean(gross),
                "net": mean(net) if distinct else None,
                "net_of_rounds": net,
            },
            "channels": {
                name: {"idle_watts": _watts(self.idle, (name,)), "busy_watts": _watts(self.busy, (name,))}
                for name in self.busy[0].joules
            },
            "note": None if distinct else "the sensors cannot distinguish work from rest, so no net is given",
            "skipped": [*self.meter.skipped, *failures],
        }


def measure_energy(
    meter: Meter,
    work: Callable[[], int],
    plan: Plan = Plan(),
    *,
    clock: Callable[[], float] = time.monotonic,
    rest: Callable[[float], object] = time.sleep,
) -> Energy | NoMeter:
    """Measure rest and work in turns; 14 seconds with the default plan.

    Args:
        work: runs some inferences, best for some milliseconds, and returns how many.
    """
    if plan.seconds < meter.least_seconds:
        return NoMeter(
            f"{meter.scope}: measured too rarely for rounds of {plan.seconds:g} s;"
            f" --meter {meter.name} measures rounds of {meter.least_seconds:g} s",
            present=True,
        )

    def resting() -> Recorded:
        with Recording(meter, clock) as recording:
            rest(plan.seconds)
        return recording.recorded

    def working() -> tuple[Recorded, int]:
        count = 0
        with Recording(meter, clock) as recording:
            end = clock() + plan.seconds
            while clock() < end:
                count += work()
        return recording.recorded, count

    idle, busy, counts = [resting()], list[Recorded](), list[int]()
    for _ in range(plan.rounds):
        recorded, count = working()
        busy.append(recorded)
        counts.append(count)
        idle.append(resting())
    pieces = (*idle, *busy)
    if any(piece.watts(meter.total) is None for piece in pieces) or not all(counts):
        failures = "; ".join(dict.fromkeys(line for piece in pieces for line in piece.failures))
        return NoMeter(f"{meter.name}: a sensor stopped answering ({failures or 'no reading'})", present=True)
    return Energy(meter, tuple(idle), tuple(busy), tuple(counts))


def _watts(pieces: Sequence[Recorded], channels: tuple[str, ...]) -> list[float]:
    return [watts for piece in pieces if (watts := piece.watts(channels)) is not None]
