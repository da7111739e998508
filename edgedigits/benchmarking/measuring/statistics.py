"""What a series of measurements says: every value counted, percentiles that were measured, and how sure they are.

A percentile is the nearest rank's (NumPy's "inverted_cdf"): the smallest value that at least that share of all values
does not exceed. It is a time that some call really took, never one between two.

Intervals are a bootstrap's, of whole blocks of successive values. One call's time says much about the next one's: a
busy neighbour or a lower clock slows hundreds in a row, and a bootstrap of single calls would then promise far more
than it knows. Kuensch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17
(1989).
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArrayError

PER_MILLE = {"p50": 500, "p90": 900, "p99": 990, "p99_9": 999}
"""The percentiles of a summary; whole numbers, since 0.99 is no float and ranks have to be right."""

CONFIDENCE = 0.95
RESAMPLES = 1000
BLOCKS = 30
"""At most so many: blocks have to be longer than slow spells are, and thirty are enough to resample."""

BIN_GROWTH = 1.01
"""Each bin of a histogram reaches 1% further than the last one."""

PERCENTILE = "nearest rank (inverted_cdf): a value that was measured"
INTERVAL = f"{CONFIDENCE:.0%}, bootstrap of {BLOCKS} blocks of successive values, {RESAMPLES} resamples"

Values = NDArray[np.float64]
Interval = tuple[float | None, float | None]


@dataclass(frozen=True)
class Histogram:
    """How many values lie from one edge up to the next, the last one included; empty stretches are one bin of 0."""

    edges: list[float]
    counts: list[int]


@dataclass(frozen=True)
class Summary:
    """A whole series in a few figures, in its unit (milliseconds, where nothing else is said).

    Attributes:
        count: of values; none was left out.
        min, mean, max: of all of them.
        p50, p90, p99, p99_9: nearest ranks.
        interval: low and high end for each percentile; None where so few values cannot bound it on that side.
        histogram: of all values, in bins of 1%.
    """

    count: int
    min: float
    mean: float
    p50: float
    p90: float
    p99: float
    p99_9: float
    max: float
    interval: dict[str, Interval] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=lambda: Histogram([], []))


def summarise(values: Values, *, seed: int = 0) -> Summary:
    """Summarise a series, in the order in which it was measured.

    Args:
        values: float [N], at least one, all finite and not below 0.
        seed: of the bootstrap; the same seed gives the same intervals.

    Raises:
        ArrayError: no value, or one that is no time.
    """
    series = np.asarray(values, np.float64)
    if series.ndim != 1 or not len(series):
        raise ArrayError(f"a summary needs a series of at least one value; got shape {list(series.shape)}")
    if not np.isfinite(series).all() or series.min() < 0:
        raise ArrayError("a summary needs finite values, none below 0; got others")
    ordered = np.sort(series)
    weights = block_weights(block_count(len(series)), seed)
    return Summary(
        count=len(series),
        min=float(ordered[0]),
        # Ten digits are more than any clock has; more of them make files long.
        mean=_rounded(float(series.mean())),
        max=float(ordered[-1]),
        interval={name: _interval(series, ordered, share, weights) for name, share in PER_MILLE.items()},
        histogram=histogram(ordered),
        **{name: percentile(ordered, share) for name, share in PER_MILLE.items()},
    )


def rank(count: int, per_mille: int) -> int:
    """Return which of `count` ordered values is the percentile, from 1."""
    return max(1, -(-count * per_mille // 1000))


def percentile(ordered: Values, per_mille: int) -> float:
    """Return the nearest rank's percentile of rising values."""
    return float(ordered[rank(len(ordered), per_mille) - 1])


def block_count(count: int) -> int:
    """Return how many blocks a series of `count` values is resampled in."""
    return min(count, BLOCKS)


@lru_cache(8)
def block_weights(blocks: int, seed: int = 0) -> Values:
    """Return how often each block is drawn in each resample, float64 [RESAMPLES, blocks]."""
    random = np.random.default_rng(seed)
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), size=RESAMPLES).astype(np.float64)


def mean_interval(values: Values, *, seed: int = 0) -> tuple[float, float]:
    """Return the interval of the mean of a series, by the same bootstrap."""
    series = np.asarray(values, np.float64)
    parts = np.array_split(series, block_count(len(series)))
    weights = block_weights(len(parts), seed)
    means = weights @ [part.sum() for part in parts] / (weights @ [float(len(part)) for part in parts])
    tail = expanded_tail(len(parts))
    low, high = np.quantile(means, [tail, 1 - tail], method="inverted_cdf")
    return _rounded(float(low)), _rounded(float(high))


def expanded_tail(blocks: int) -> float:
    """Return the share of resamples beyond each end: less than 2.5%, for the few blocks that there are.

    Resamples of m blocks spread too little by the root of (m-1)/m, and a normal distribution's tails are thinner than
    those of Student's t. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69
    (2015), section 3.2, the expanded percentile interval.
    """
    freedom = max(blocks - 1, 1)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    # The first terms of t's quantile by the normal one's: Abramowitz and Stegun, 26.7.5.
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return NormalDist().cdf(-t * math.sqrt(blocks / freedom))


def bounded(count: int, per_mille: int) -> tuple[bool, bool]:
    """Say whether `count` values can hold a percentile between them, from below and from above.

    All of them lie below the true percentile with the probability share**count, whatever the distribution: as long as
    that is more than the interval's tail, even the largest of them is no upper end. Of p99.9 that is so below 3,688.
    """
    tail, share = (1 - CONFIDENCE) / 2, per_mille / 1000
    return (1 - share) ** count <= tail, share**count <= tail


def _interval(series: Values, ordered: Values, per_mille: int, weights: Values) -> Interval:
    """Return the ends between which the percentile of the resamples lies.

    A resample's percentile is the first value that enough of the resample does not exceed. How much of a block lies
    below a value does not change from resample to resample, so a product of matrices answers for all of them at once,
    and long series cost hardly more than short ones.
    """
    low, high = bounded(len(series), per_mille)
    places = _places(len(ordered), rank(len(ordered), per_mille))
    candidates = ordered[places]
    parts = np.array_split(series, weights.shape[1])
    below = np.array([np.searchsorted(np.sort(part), candidates, "right") for part in parts], np.float64)
    sizes = weights @ np.array([len(part) for part in parts], np.float64)
    # A little less than needed, for the rounding of the product.
    enough = weights @ below >= sizes[:, None] * per_mille / 1000 - 1e-6
    first = np.sort(np.argmax(enough, axis=1))
    tail = expanded_tail(weights.shape[1])
    lowest = first[math.floor(tail * (len(first) - 1))]
    highest = first[math.ceil((1 - tail) * (len(first) - 1))]
    # Between candidates lie values that were not tried: the low end is rounded down, the high end is up already.
    start = lowest if lowest == 0 or places[lowest] == places[lowest - 1] + 1 else lowest - 1
    return (float(candidates[start]) if low else None, float(candidates[highest]) if high else None)


def _places(count: int, middle: int) -> NDArray[np.int64]:
    """Return ranks, from 0 and rising, to the largest: every one near `middle`, fewer and fewer further away."""
    steps = np.unique(np.geomspace(1, max(count, 2), 200).astype(np.int64))
    near = middle - 1
    found = np.concatenate([near - steps, [near], near + steps, [0, count - 1]])
    return np.unique(found[(found >= 0) & (found < count)])


def histogram(ordered: Values) -> Histogram:
    """Count rising values in bins that grow by BIN_GROWTH; values of 0 lie in a first bin from 0.

    Edges have seven digits, and a value is counted by the edge as it is written.
    """
    positive = ordered[ordered > 0]
    exponents = np.unique(np.floor(np.log(positive) / math.log(BIN_GROWTH))).astype(np.int64)
    # One bin to each side, since rounding may push a value over the edge.
    needed = np.unique(np.concatenate([exponents - 1, exponents, exponents + 1, exponents + 2]))
    edges = [float(f"{BIN_GROWTH ** float(exponent):.7g}") for exponent in needed]
    if len(positive) < len(ordered):
        edges = [0.0, *(edges or [BIN_GROWTH])]
    counts = np.histogram(ordered, edges)[0]
    return _merged(edges, counts.tolist())


def _merged(edges: list[float], counts: list[int]) -> Histogram:
    """Join empty bins that stand side by side, and drop them at the ends."""
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
