"""Throughput of the classifier, framed images to probabilities, over batch sizes and threads, and its knee."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np

from edgedigits.benchmarking.measuring.latency_summary import mean_interval
from edgedigits.benchmarking.measuring.sampling import check_forward, garbage_collection_off
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images

BATCHES = (1, 4, 16, 64, 256)
ENOUGH = 0.95
KNEE = f"the fewest threads, then the smallest batch, that give at least {ENOUGH:.0%} of the most"


@dataclass(frozen=True)
class Point:
    """Throughput of one setting."""

    threads: int  # Concurrent calls, each with its own interpreter if the engine has several.
    batch: int  # Images of a call.
    images_per_second: float  # Of all threads together, with its interval.
    interval: tuple[float, float]
    calls: int  # Measured calls.


def thread_counts(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4 ... and `most` itself."""
    powers = (2**power for power in range(most.bit_length()))
    return (*(count for count in powers if count < most), most)


def measure_throughput(
    engine: Engine,
    images: Images,
    points: list[Point],
    *,
    threads: Sequence[int],
    batches: Sequence[int] = BATCHES,
    seconds: float = 8.0,
    each: Callable[[], None] = lambda: None,
) -> None:
    """Measure every setting into `points`, shuffled so that a machine that warms up favours none. Raises ClockError.

    Args:
        images: uint8 [N, H, W, C], repeated to fill a batch.
        seconds: divided among the settings.
        each: called after each setting.
    """
    settings = [(count, batch) for count in threads for batch in batches]
    np.random.default_rng(0).shuffle(settings)
    for count, batch in settings:
        points.append(_point(engine, np.resize(images, (batch, *images.shape[1:])), count, seconds / len(settings)))
        each()
    points.sort(key=lambda point: (point.threads, point.batch))


def knee(points: Sequence[Point]) -> Point:
    """Return the point that KNEE describes."""
    most = max(point.images_per_second for point in points)
    good = (point for point in points if point.images_per_second >= ENOUGH * most)
    return min(good, key=lambda point: (point.threads, point.batch))


def _point(engine: Engine, batch: Images, threads: int, seconds: float) -> Point:
    """Measure one setting: every thread calls the engine until the time is over."""
    barrier = threading.Barrier(threads)

    def work() -> list[tuple[int, int]]:
        taken: list[tuple[int, int]] = []
        engine.run(batch)
        barrier.wait()
        last = time.perf_counter_ns()
        end = last + seconds * 1e9
        while last < end or not taken:
            engine.run(batch)
            now = time.perf_counter_ns()
            check_forward(now - last)
            taken.append((now, now - last))
            last = now
        return taken

    with garbage_collection_off(), ThreadPoolExecutor(threads) as pool:
        by_thread = [future.result() for future in [pool.submit(work) for _ in range(threads)]]
    # Sorted by end, so that a slow spell of all threads stays together.
    durations = np.array([taken for _, taken in sorted(chain.from_iterable(by_thread))], np.float64) / 1e9
    images = threads * len(batch)
    low, high = mean_interval(durations)
    return Point(threads, len(batch), images / float(durations.mean()), (images / high, images / low), len(durations))
