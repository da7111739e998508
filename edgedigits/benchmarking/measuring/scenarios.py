"""Scenarios named as in MLPerf Inference and MLPerf Tiny: single-stream, offline, and sustained.

Reddi et al., "MLPerf Inference Benchmark" (2020), section IV; Banbury et al., "MLPerf Tiny Benchmark" (2021). Their
rules on minimum time and queries are not followed, so these are not MLPerf results.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgedigits.benchmarking.measuring.latency_summary import (
    PER_MILLE,
    Summary,
    mean_interval,
    milliseconds,
    percentile,
    summarise,
)
from edgedigits.benchmarking.measuring.sampling import Call, Clock, Effort, check_forward, measure, nanoseconds
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.preprocessing import Images

AT_ONCE = 1024  # Images of a call of the offline scenario.
WINDOWS = 120  # Of a sustained run: five seconds each in ten minutes.
MachineState = Mapping[str, Any]  # The machine between two windows, such as {"mhz": 1800.0, "celsius": 61.2}.


def single_stream(total: Summary) -> dict[str, object]:
    """Return the median and p99 of steady latency."""
    return {
        "p50_ms": total.p50,
        "p99_ms": total.p99,
        "interval": {name: total.interval[name] for name in ("p50", "p99")},
        "queries": total.count,
    }


def offline(classifier: Classifier, images: Images, seconds: float = 2.0, least: int = 5) -> dict[str, object]:
    """Return the throughput of AT_ONCE images in one call, which the engine divides among the cores.

    Args:
        images: uint8 [N, H, W, C], repeated to AT_ONCE.
        seconds, least: at least so long and so many calls, after one that is not counted.
    """
    batch = np.resize(images, (AT_ONCE, *images.shape[1:]))
    taken = nanoseconds()
    classifier.predict(batch)
    measure(lambda _: classifier.predict(batch), 1, Effort(least, seconds), taken)
    durations = np.array(taken) / 1e9
    low, high = mean_interval(durations)
    return {
        "images_per_second": AT_ONCE / float(durations.mean()),
        "interval": [AT_ONCE / high, AT_ONCE / low],
        "images": AT_ONCE,
        "calls": len(durations),
        "workers": classifier.engine.workers,
    }


@dataclass
class Sustained:
    """A run over minutes in windows, valid also during the run."""

    minutes: float
    # Each with its start in seconds, the milliseconds of its calls, and the machine's state after it.
    windows: list[dict[str, Any]] = field(default_factory=list)
    _all: Any = field(default_factory=nanoseconds)

    def add(self, at: float, taken: Any, state: MachineState) -> None:
        """Add one window by the nanoseconds of its calls."""
        ordered = np.sort(milliseconds(np.array(taken)))
        found = {name: percentile(ordered, PER_MILLE[name]) for name in ("p50", "p99")}
        self.windows.append({"at": round(at, 3), "count": len(ordered), **found, "max": float(ordered[-1]), **state})
        self._all.extend(taken)

    def to_dict(self) -> dict[str, object]:
        """Return the windows, the drift, and the Summary of all calls."""
        if not self.windows:
            return {"minutes": self.minutes, "windows": []}
        return {
            "minutes": self.minutes,
            "windows": self.windows,
            "drift": drift([window["p50"] for window in self.windows]),
            "latency": summarise(milliseconds(np.array(self._all))),
        }


def drift(medians: list[float]) -> dict[str, object] | None:
    """Return the mean median of the last tenth of the windows over that of the first; None below ten windows.

    The interval is the quotient of the intervals of the two means.
    """
    tenth = len(medians) // 10
    if not tenth:
        return None
    first, last = np.array(medians[:tenth]), np.array(medians[-tenth:])
    (first_low, first_high), (last_low, last_high) = mean_interval(first), mean_interval(last)
    interval = last_low / first_high, last_high / first_low
    return {"last_over_first": float(last.mean() / first.mean()), "interval": interval}


def sustain(
    call: Call,
    pictures: int,
    into: Sustained,
    look: Callable[[], MachineState],
    *,
    each: Callable[[], None] = lambda: None,
    now: Clock = time.perf_counter_ns,
) -> None:
    """Measure window after window for `into.minutes`. Raises ClockError.

    Args:
        call, pictures: see sampling.measure.
        look: returns the machine's state between two windows, when nothing is timed.
        each: called after each window.
    """
    begun = now()
    length = into.minutes * 60 / WINDOWS
    while (at := (now() - begun) / 1e9) < into.minutes * 60:
        check_forward(round(at))
        taken = nanoseconds()
        measure(call, pictures, Effort(1, length), taken, now=now)
        into.add(at, taken, look())
        each()
