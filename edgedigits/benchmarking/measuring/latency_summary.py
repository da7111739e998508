"""Summaries of series of measurements: every value counted, percentiles, and their confidence intervals.

A percentile is the nearest rank (NumPy's "inverted_cdf"), so it is a time that some call took. Intervals come from a
bootstrap of whole blocks of successive values: a busy neighbour or a lower clock slows hundreds of calls in a row, and
a bootstrap of single calls would give intervals that are far too narrow. Kuensch, "The jackknife and the bootstrap for
general stationary observations", Annals of Statistics 17 (1989).
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.benchmarking.measuring.sampling import nanoseconds
from edgedigits_runtime.errors import ArrayError

PER_MILLE = {"p50": 500, "p90": 900, "p99": 990, "p99_9": 999}
"""The percentiles of a summary; integers, so that ranks are exact."""

CONFIDENCE = 0.95
RESAMPLES = 1000
BLOCKS = 30  # At most: blocks must be longer than slow spells, and thirty are enough to resample.
BIN_GROWTH = 1.01  # Each edge of a histogram is 1% above the last one.

PERCENTILE = "nearest rank (inverted_cdf): a value that was measured"
INTERVAL = f"{CONFIDENCE:.0%}, bootstrap of {BLOCKS} blocks of successive values, {RESAMPLES} resamples"

TOTAL = "total"

Values = NDArray[np.float64]
Interval = tuple[float | None, float | None]


@dataclass(frozen=True)
class Histogram:
    """Counts of values between edges, the last edge included; an empty stretch is one bin of 0."""

    edges: list[float]
    counts: list[int]


@dataclass(frozen=True)
class Summary:
    """A series in a few figures, in its unit, usually milliseconds; no value is left out."""

    count: int
    min: float
    mean: float
    p50: float  # p50, p90, p99, p99_9: nearest ranks.
    p90: float
    p99: float
    p99_9: float
    max: float
    interval: dict[str, Interval] = field(default_factory=dict)  # Low and high end by percentile; None where unbounded.
    histogram: Histogram = field(default_factory=lambda: Histogram([], []))


def summarise(values: Values, *, seed: int = 0) -> Summary:
    """Summarise a series in the order of measurement.

    Args:
        values: float [N], at least one, all finite and not below 0; ArrayError otherwise.
        seed: of the bootstrap.
    """
    series = np.asarray(values, np.float64)
    if series.ndim != 1 or not len(series):
        raise ArrayError(f"a summary needs a series of at least one value; got shape {list(series.shape)}")
    if not np.isfinite(series).all() or series.min() < 0:
        raise ArrayError("a summary needs finite values, none below 0; got a negative or non-finite one")
    ordered = np.sort(series)
    weights = block_weights(min(len(series), BLOCKS), seed)
    return Summary(
        count=len(series),
        min=float(ordered[0]),
        # Ten digits exceed any clock's precision; more would make files long.
        mean=_rounded(float(series.mean())),
        max=float(ordered[-1]),
        interval={name: _interval(series, ordered, share, weights) for name, share in PER_MILLE.items()},
        histogram=histogram(ordered),
        **{name: percentile(ordered, share) for name, share in PER_MILLE.items()},
    )


def milliseconds(taken: NDArray[np.int64]) -> Values:
    """Convert nanoseconds to milliseconds, each the nearest float."""
    return np.round(taken / 1e6, 6)


def rank(count: int, per_mille: int) -> int:
    """Return the rank, from 1, of a percentile among `count` ordered values."""
    return max(1, -(-count * per_mille // 1000))


def percentile(ordered: Values, per_mille: int) -> float:
    """Return a percentile of rising values."""
    return float(ordered[rank(len(ordered), per_mille) - 1])


@lru_cache(8)
def block_weights(blocks: int, seed: int = 0) -> Values:
    """Return how often each resample draws each block, float64 [RESAMPLES, blocks]."""
    random = np.random.default_rng(seed)
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), size=RESAMPLES).astype(np.float64)


def mean_interval(values: Values) -> tuple[float, float]:
    """Return the bootstrap interval of a series' mean."""
    series = np.asarray(values, np.float64)
    parts = np.array_split(series, min(len(series), BLOCKS))
    weights = block_weights(len(parts))
    means = weights @ [part.sum() for part in parts] / (weights @ [float(len(part)) for part in parts])
    tail = expanded_tail(len(parts))
    low, high = np.quantile(means, [tail, 1 - tail], method="inverted_cdf")
    return _rounded(float(low)), _rounded(float(high))


def expanded_tail(blocks: int) -> float:
    """Return the share of resamples beyond each end, below 2.5% to correct for few blocks.

    Resamples of m blocks spread too little by the root of (m-1)/m, and the normal distribution's tails are thinner than
    those of Student's t. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69
    (2015), section 3.2, the expanded percentile interval.
    """
    freedom = max(blocks - 1, 1)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    # The first terms of t's quantile by the normal one's: Abramowitz and Stegun, 26.7.5.
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return NormalDist().cdf(-t * math.sqrt(blocks / freedom))


def bounded(count: int, per_mille: int) -> tuple[bool, bool]:
    """Return whether `count` values can bound a percentile from below and from above.

    All values lie below the true percentile with probability share**count. If that exceeds the interval's tail, even
    the largest value is no upper end; for p99.9 this is so below 3,688 values.
    """
    tail, share = (1 - CONFIDENCE) / 2, per_mille / 1000
    return (1 - share) ** count <= tail, share**count <= tail


def _interval(series: Values, ordered: Values, per_mille: int, weights: Values) -> Interval:
    """Return the bootstrap interval of a percentile.

    A resample's percentile is the first value that enough of the resample does not exceed. How much of a block lies
    below a value is the same in every resample, so one product of matrices serves all resamples.
    """
    low, high = bounded(len(series), per_mille)
    places = _places(len(ordered), rank(len(ordered), per_mille))
    candidates = ordered[places]
    parts = np.array_split(series, weights.shape[1])
    below = np.array([np.searchsorted(np.sort(part), candidates, "right") for part in parts], np.float64)
    sizes = weights @ np.array([len(part) for part in parts], np.float64)
    # Slightly less than needed, because the product is rounded.
    enough = weights @ below >= sizes[:, None] * per_mille / 1000 - 1e-6
    first = np.sort(np.argmax(enough, axis=1))
    tail = expanded_tail(weights.shape[1])
    lowest = first[math.floor(tail * (len(first) - 1))]
    highest = first[math.ceil((1 - tail) * (len(first) - 1))]
    # Values between candidates were not tried: round the low end down; the high end is rounded up already.
    start = lowest if lowest == 0 or places[lowest] == places[lowest - 1] + 1 else lowest - 1
    return (float(candidates[start]) if low else None, float(candidates[highest]) if high else None)


def _places(count: int, middle: int) -> NDArray[np.int64]:
    """Return rising ranks from 0: all near `middle`, and fewer further away."""
    steps = np.unique(np.geomspace(1, max(count, 2), 200).astype(np.int64))
    near = middle - 1
    found = np.concatenate([near - steps, [near], near + steps, [0, count - 1]])
    return np.unique(found[(found >= 0) & (found < count)])


def histogram(ordered: Values) -> Histogram:
    """Count rising values in bins that grow by BIN_GROWTH, by edges rounded to seven digits; 0 has the first bin."""
    positive = ordered[ordered > 0]
    exponents = np.unique(np.floor(np.log(positive) / math.log(BIN_GROWTH))).astype(np.int64)
    # One more bin on each side, since rounding may push a value over an edge.
    needed = np.unique(np.concatenate([exponents - 1, exponents, exponents + 1, exponents + 2]))
    edges = [float(f"{BIN_GROWTH ** float(exponent):.7g}") for exponent in needed]
    if len(positive) < len(ordered):
        edges = [0.0, *(edges or [BIN_GROWTH])]
    counts = np.histogram(ordered, edges)[0]
    return _merged(edges, counts.tolist())


def _merged(edges: list[float], counts: list[int]) -> Histogram:
    """Join adjacent empty bins, and drop those at the ends."""
    kept = [k for k, count in enumerate(counts) if count]
    ends: list[float] = [edges[kept[0]]]
    merged: list[int] = []
    for place, k in enumerate(kept):
        if place and kept[place - 1] + 1 < k:
            merged.append(0)
            ends.append(edges[k])
        merged.append(counts[k])
        ends.append(edges[k + 1])
    return Histogram(ends, merged)


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


class StageTimes:
    """The times of each call so far, valid also during measuring or after a failure; `total` in nanoseconds."""

    def __init__(self) -> None:
        self.total = nanoseconds()
        self._stages: dict[str, list[float]] = {}

    def keep(self, answer: Any) -> None:
        """Take the milliseconds that a reading reports for its stages; an engine's answer has none."""
        if isinstance(answer, dict):
            for stage in (name for name in answer if name != TOTAL):
                self._stages.setdefault(stage, []).append(answer[stage])

    def summaries(self) -> dict[str, Summary]:
        """Return each stage's summary in milliseconds, "total" last; empty before the first call.

        The total is timed around the whole call, so it includes the time between stages. For the engine alone, "invoke"
        and "total" are the same.
        """
        if not len(self.total):
            return {}
        total = summarise(milliseconds(np.array(self.total)))
        if not self._stages:
            return {"invoke": total, TOTAL: total}
        # To whole nanoseconds, the clock's unit.
        stages = {stage: summarise(np.round(times, 6)) for stage, times in self._stages.items()}
        return {**stages, TOTAL: total}
