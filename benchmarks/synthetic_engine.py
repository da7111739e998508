"""Check the benchmark with an engine of known delays, or provide that engine to tests.

    python -m benchmarks.synthetic_engine

Writes benchmarks/results/synthetic_engine.json, and exits with 1 if p50 is off by more than 2% or p99 by more than 5%.
Other load on the machine causes that. Real-time priority on its own core (`chrt -f 1 taskset -c 1 python ...`) helps.
"""

import os
import sys
import time
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.publishing import RESULTS as FOLDER
from benchmarks.publishing import write_results
from edgedigits.benchmarking.comparable import comparable
from edgedigits.benchmarking.measuring.latency_summary import PER_MILLE, StageTimes, percentile
from edgedigits.benchmarking.measuring.sampling import Effort, examine_clock, measure
from edgedigits.benchmarking.measuring.workload import framed_images, invoke_call, load_workload
from edgedigits.loading import load
from edgedigits.machine.conditions import Course, snapshot
from edgedigits.machine.fingerprint import fingerprint
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines.engine import Engine

RESULTS = FOLDER / "synthetic_engine.json"
MEDIANS = (0.1, 1.0)
SPREAD = 0.4
CALLS = 3_000
ALLOWED = {"p50": 0.02, "p99": 0.05}


class SyntheticEngine(Engine):
    """An engine that answers every image with the same probabilities, after given delays.

    Attributes:
        calls: the number of answered calls.
    """

    name = "synthetic"

    def __init__(self, contract: Contract, delays: NDArray[np.int64], *, dies_after: int | None = None) -> None:
        """Take the delays in nanoseconds, which repeat, and the number of calls after which the engine fails."""
        super().__init__(contract, "cpu", ("synthetic",))
        self.calls = 0
        self._delays: list[int] = delays.tolist()
        self._dies_after = dies_after

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        end = time.perf_counter_ns() + self._delays[self.calls % len(self._delays)]
        if self.calls == self._dies_after:
            raise RuntimeError("the synthetic engine failed on request")
        self.calls += 1
        answer = np.zeros((len(tensor), self.contract.values), self.contract.output.dtype)
        # A busy loop: sleep ends late.
        while time.perf_counter_ns() < end:
            pass
        return answer


def lognormal_delays(median: float, spread: float, count: int = 1000, seed: int = 0) -> NDArray[np.int64]:
    """Return shuffled delays in nanoseconds with the percentiles of a lognormal distribution.

    Each delay is the quantile in the middle of its share, so that one pass over all of them has no sampling error.

    Args:
        median: in milliseconds.
        spread: standard deviation of the logarithm.
        seed: of the order.
    """
    points = [NormalDist().inv_cdf((k + 0.5) / count) for k in range(count)]
    delays = np.round(median * 1e6 * np.exp(spread * np.array(points))).astype(np.int64)
    return np.random.default_rng(seed).permutation(delays)


def measured(median: float) -> dict[str, Any]:
    """Return true and measured percentiles of delays around a median in milliseconds."""
    delays = lognormal_delays(median, SPREAD)
    reader = load("pico")
    images = framed_images(load_workload("invoke", "small"), reader)
    engine = SyntheticEngine(reader.classifier.contract, delays)
    times = StageTimes()
    # Whole rounds, so that every delay counts equally often.
    measure(invoke_call(images, engine), len(delays), Effort(CALLS, 0), times.total, keep=times.keep)
    total = times.summaries()["total"]
    ordered = np.sort(delays).astype(np.float64)
    rows = {}
    for name, share in PER_MILLE.items():
        true = percentile(ordered, share) / 1e6
        found = getattr(total, name)
        rows[name] = {"true": true, "measured": found, "error": found / true - 1}
    return {"median_ms": median, "spread": SPREAD, "calls": total.count, "percentiles": rows}


def scheduler() -> str:
    """Return the scheduling of this process."""
    names = {os.SCHED_OTHER: "usual", os.SCHED_FIFO: "real time", os.SCHED_RR: "real time"}
    return f"{names.get(os.sched_getscheduler(0), 'other')}, cores {sorted(os.sched_getaffinity(0))}"


def main() -> None:
    """Measure, print and write the result."""
    machine, before = fingerprint(), snapshot()
    rows = [measured(median) for median in MEDIANS]
    course = Course(before, (), snapshot())
    found = {
        "clock": examine_clock(),
        "scheduler": scheduler(),
        "allowed": ALLOWED,
        "rows": rows,
        "fingerprint": {**machine.to_dict(), **course.to_dict()},
        "comparable": comparable(machine, course).to_dict(),
    }
    for row in rows:
        for name, figures in row["percentiles"].items():
            print(
                f"{name}: true {figures['true']:.4f} ms, measured {figures['measured']:.4f} ms, {figures['error']:+.2%}"
            )
    write_results(RESULTS, found)
    missed = [name for row in rows for name, most in ALLOWED.items() if abs(row["percentiles"][name]["error"]) > most]
    if missed:
        sys.exit(f"error above the limit: {', '.join(missed)}")


if __name__ == "__main__":
    main()
