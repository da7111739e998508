"""Energy of one inference: what the machine takes while it works, less what it takes while it rests; both shown.

Rest and work take turns, and each piece of work is set against the rest before and after it, so that a machine that
grows warm, or a fan that starts, does not pass for work.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from edgedigits.benchmarking.energy.meter import Meter, NoMeter
from edgedigits.benchmarking.energy.recording import Recorded, Recording


@dataclass(frozen=True)
class Plan:
    """How long to measure.

    Attributes:
        rounds: of work; there is one rest more.
        seconds: of each.
    """

    rounds: int = 3
    seconds: float = 2.0


@dataclass(frozen=True)
class Energy:
    """What inferences took.

    Attributes:
        meter: that measured.
        idle: the rests, in order; one more than `busy`.
        busy: the rounds of work.
        inferences: in each round.
    """

    meter: Meter
    idle: tuple[Recorded, ...]
    busy: tuple[Recorded, ...]
    inferences: tuple[int, ...]

    @property
    def idle_watts(self) -> tuple[float, ...]:
        return _watts(self.idle, self.meter.total)

    @property
    def busy_watts(self) -> tuple[float, ...]:
        return _watts(self.busy, self.meter.total)

    @property
    def gross_microjoules(self) -> tuple[float, ...]:
        """Of one inference in each round, with what the machine takes at rest."""
        return tuple(
            watts * round_.seconds / count * 1e6
            for watts, round_, count in zip(self.busy_watts, self.busy, self.inferences, strict=True)
        )

    @property
    def net_microjoules(self) -> tuple[float, ...]:
        """Of one inference in each round, without it."""
        rests = [mean(pair) for pair in zip(self.idle_watts, self.idle_watts[1:], strict=False)]
        return tuple(
            (watts - rest) * round_.seconds / count * 1e6
            for watts, rest, round_, count in zip(self.busy_watts, rests, self.busy, self.inferences, strict=True)
        )

    @property
    def told_apart(self) -> bool:
        """Whether every round of work took more than every rest."""
        return min(self.busy_watts) > max(self.idle_watts)

    def to_dict(self) -> dict[str, object]:
        net = list(self.net_microjoules)
        return {
            "available": True,
            "meter": self.meter.name,
            "scope": self.meter.scope,
            "rounds": len(self.busy),
            "inferences": sum(self.inferences),
            "idle_watts": list(self.idle_watts),
            "busy_watts": list(self.busy_watts),
            "microjoules_per_inference": {
                "gross": mean(self.gross_microjoules),
                "net": mean(net) if self.told_apart else None,
                "net_of_rounds": net,
            },
            "channels": {
                name: {"idle_watts": list(_watts(self.idle, (name,))), "busy_watts": list(_watts(self.busy, (name,)))}
                for name in self.busy[0].joules
            },
            "note": None if self.told_apart else "the sensors do not tell work from rest, so that no net is given",
            "skipped": [*self.meter.skipped, *self._failures()],
        }

    def _failures(self) -> list[str]:
        return list(dict.fromkeys(line for piece in (*self.idle, *self.busy) for line in piece.failures))


def measure_energy(
    meter: Meter,
    work: Callable[[], int],
    plan: Plan | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    rest: Callable[[float], object] = time.sleep,
) -> Energy | NoMeter:
    """Measure rest and work in turns.

    Args:
        meter: from open_meter.
        work: does some inferences, best for some milliseconds, and returns how many.
        plan: three rounds of two seconds if None, which with their rests take 14 seconds.
        clock: seconds, never going back.
        rest: waits that many seconds and does nothing.
    """
    plan = plan or Plan()
    if plan.seconds < meter.least_seconds:
        return NoMeter(
            f"{meter.scope}: told too seldom for rounds of {plan.seconds:g} s;"
            f" --meter {meter.name} measures rounds of {meter.least_seconds:g} s",
            present=True,
        )
    idle, busy, counts = [_resting(meter, plan.seconds, clock, rest)], [], []
    for _ in range(plan.rounds):
        recorded, count = _working(meter, work, plan.seconds, clock)
        busy.append(recorded)
        counts.append(count)
        idle.append(_resting(meter, plan.seconds, clock, rest))
    pieces = (*idle, *busy)
    if any(piece.watts(meter.total) is None for piece in pieces) or not all(counts):
        failures = list(dict.fromkeys(line for piece in pieces for line in piece.failures))
        return NoMeter(
            f"{meter.name}: a sensor stopped answering ({'; '.join(failures) or 'no reading'})", present=True
        )
    return Energy(meter, tuple(idle), tuple(busy), tuple(counts))


def _resting(meter: Meter, seconds: float, clock: Callable[[], float], rest: Callable[[float], object]) -> Recorded:
    with Recording(meter, clock) as recording:
        rest(seconds)
    return recording.recorded


def _working(meter: Meter, work: Callable[[], int], seconds: float, clock: Callable[[], float]) -> tuple[Recorded, int]:
    count = 0
    with Recording(meter, clock) as recording:
        end = clock() + seconds
        while clock() < end:
            count += work()
    return recording.recorded, count


def _watts(pieces: Sequence[Recorded], channels: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(watts for piece in pieces if (watts := piece.watts(channels)) is not None)
