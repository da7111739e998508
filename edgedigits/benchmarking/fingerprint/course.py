"""The conditions over a run: before it, while it went on, and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from edgedigits.benchmarking.fingerprint.conditions import Conditions
from edgedigits.benchmarking.fingerprint.load import Shares, shares_between


@dataclass(frozen=True)
class Course:
    """The conditions of one run.

    Attributes:
        before, after: with nothing of the run under way; child processes have been waited for by then.
        during: in the order of time, while it worked; may be empty.
    """

    before: Conditions
    during: tuple[Conditions, ...]
    after: Conditions

    @property
    def all(self) -> tuple[Conditions, ...]:
        return (self.before, *self.during, self.after)

    @property
    def shares(self) -> Shares | None:
        """What others had of the cores in all that time; None where it was not counted."""
        return shares_between(self.before.load.ticks, self.after.load.ticks)

    @property
    def busy_clocks(self) -> tuple[float, ...]:
        """The fastest core's clock in MHz, while the run went on, where it was measured."""
        return tuple(
            now.clocks.fastest_mhz
            for now in self.during
            if now.clocks.fastest_mhz is not None and now.clocks.source == "cpufreq"
        )

    def to_dict(self) -> dict[str, object]:
        return {"before": self.before.to_dict(), "during": self._during(), "after": self.after.to_dict()}

    def _during(self) -> dict[str, object]:
        shares = self.shares
        sensors = dict.fromkeys(name for now in self.during for name in now.temperatures)
        return {
            "samples": len(self.during),
            "seconds": self.after.at_seconds - self.before.at_seconds,
            "fastest_mhz": _spread([now.clocks.fastest_mhz for now in self.during]),
            "temperatures": {name: _spread([now.temperatures.get(name) for now in self.during]) for name in sensors},
            "throttled": list(dict.fromkeys(name for now in self.during for name in now.throttling.now)),
            "others_share": shares.others if shares else None,
            "stolen_share": shares.stolen if shares else None,
            "skipped": list(dict.fromkeys(line for now in self.during for line in now.skipped)),
        }


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    return {"lowest": min(known), "median": median(known), "highest": max(known)} if known else None
