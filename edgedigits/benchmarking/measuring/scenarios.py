"""The ways in which a model is used, named as in MLPerf Inference and MLPerf Tiny: one by one, all at once, for long.

Reddi et al., "MLPerf Inference Benchmark" (2020), section IV; Banbury et al., "MLPerf Tiny Benchmark" (2021). The
scenarios are theirs, the rules (at least so many seconds, so many queries) are not: these are no MLPerf results.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgedigits.benchmarking.measuring.clock import Clock, check_forward
from edgedigits.benchmarking.measuring.sampling import Call, Effort, measure, nanoseconds
from edgedigits.benchmarking.measuring.stages import milliseconds
from edgedigits.benchmarking.measuring.statistics import (
    PER_MILLE,
    Interval,
    Summary,
    mean_interval,
    percentile,
    summarise,
)
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.preprocessing import Images

AT_ONCE = 1024
"""Images of a call of the offline scenario."""

WINDOWS = 120
"""Of a sustained run: five seconds each in ten minutes."""

Moment = Mapping[str, Any]
"""What the machine says between two windows, such as {"mhz": 1800.0, "celsius": 61.2}."""


def single_stream(total: Summary) -> dict[str, object]:
    """Return what steady latency says of one picture after the other: the median, and p99."""
    return {
        "p50_ms": total.p50,
        "p99_ms": total.p99,
        "interval": {name: total.interval[name] for name in ("p50", "p99")},
        "queries": total.count,
    }


def offline(classifier: Classifier, images: Images, seconds: float = 2.0, least: int = 5) -> dict[str, object]:
    """Return the throughput where all images are there already and the engine divides them among the cores itself.

    Args:
        images: uint8 [N, H, W, C], repeated to AT_ONCE.
        seconds: at least; and at least `least` calls, after one that is not counted.
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
    """A run over minutes, window by window; whole also while it goes on.

    Attributes:
        minutes: that were asked for.
        windows: start ("at", seconds since the beginning), "count", "p50", "p99" and "max" in milliseconds of each,
            and what the machine said after it.
    """

    minutes: float
    windows: list[dict[str, Any]] = field(default_factory=list)
    _all: Any = field(default_factory=nanoseconds)

    def add(self, at: float, taken: Any, moment: Moment) -> None:
        """Take the nanoseconds of one window."""
        whole = np.sort(milliseconds(np.array(taken)))
        found = {name: percentile(whole, PER_MILLE[name]) for name in ("p50", "p99")}
        self.windows.append({"at": round(at, 3), "count": len(whole), **found, "max": float(whole[-1]), **moment})
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
    """Return the medians of the last tenth of the windows over those of the first, with an interval; None for few.

    The interval is that of the two means: what the first tenth's leaves to the last one's.
    """
    tenth = len(medians) // 10
    if not tenth:
        return None
    first, last = np.array(medians[:tenth]), np.array(medians[-tenth:])
    (first_low, first_high), (last_low, last_high) = mean_interval(first), mean_interval(last)
    interval: Interval = (last_low / first_high, last_high / first_low)
    return {"last_over_first": float(last.mean() / first.mean()), "interval": interval}


def sustain(
    call: Call,
    pictures: int,
    into: Sustained,
    look: Callable[[], Moment],
    *,
    each: Callable[[], None] = lambda: None,
    now: Clock = time.perf_counter_ns,
) -> None:
    """Call for as long as `into` says, one window after the other.

    Args:
        call, pictures: see sampling.measure.
        look: asks the machine between two windows, when nothing is timed.
        each: is told after each window.

    Raises:
        ClockError: the clock stepped backwards.
    """
    begun = now()
    length = into.minutes * 60 / WINDOWS
    while (at := (now() - begun) / 1e9) < into.minutes * 60:
        check_forward(round(at))
        taken = nanoseconds()
        measure(call, pictures, Effort(1, length), taken, now=now)
        into.add(at, taken, look())
        each()
