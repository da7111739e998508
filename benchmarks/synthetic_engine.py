"""How well the measuring measures: an engine of known delays, as `edgedigits bench` sees it.

    python -m benchmarks.synthetic_engine

Writes benchmarks/results/synthetic_engine.json, and exits with 1 where p50 is off by more than 2% or p99 by more than
5%: on a machine that is not quiet they will be, since what others take is time that passes. Real time on a core of
its own (`chrt -f 1 taskset -c 1 python ...`) is as quiet as a busy machine can be.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.delay_engine import SyntheticEngine, lognormal_delays
from edgedigits import load
from edgedigits.benchmarking.comparable import comparable
from edgedigits.benchmarking.fingerprint import Course, fingerprint, snapshot
from edgedigits.benchmarking.measuring.clock import examine_clock
from edgedigits.benchmarking.measuring.sampling import Effort, measure
from edgedigits.benchmarking.measuring.stages import StageTimes
from edgedigits.benchmarking.measuring.statistics import PER_MILLE, percentile
from edgedigits.benchmarking.measuring.workload import framed_images, invoke_call, load_workload
from edgedigits.benchmarking.results.result import plain
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "synthetic_engine.json"
MEDIANS = (0.1, 1.0)
SPREAD = 0.4
CALLS = 3_000
ALLOWED = {"p50": 0.02, "p99": 0.05}


def measured(median: float) -> dict[str, Any]:
    """Return the true and the measured percentiles of delays around a median in milliseconds."""
    delays = lognormal_delays(median, SPREAD)
    reader = load("pico")
    images = framed_images(load_workload("invoke", "small"), reader)
    engine = SyntheticEngine(reader.classifier.contract, delays)
    times = StageTimes()
    # Whole rounds of the delays, so that none counts twice as often as another.
    measure(invoke_call(images, engine), len(delays), Effort(CALLS, 0), times.total, keep=times.keep)
    total = times.summaries()["total"]
    delays.sort()
    rows = {}
    for name, share in PER_MILLE.items():
        true = percentile(delays, share) / 1e6
        found = getattr(total, name)
        rows[name] = {"true": true, "measured": found, "error": found / true - 1}
    return {"median_ms": median, "spread": SPREAD, "calls": total.count, "percentiles": rows}


def scheduler() -> str:
    """Return how the system schedules this process: on a machine that is not quiet, real time makes it so."""
    names = {os.SCHED_OTHER: "usual", os.SCHED_FIFO: "real time", os.SCHED_RR: "real time"}
    return f"{names.get(os.sched_getscheduler(0), 'other')}, cores {sorted(os.sched_getaffinity(0))}"


def main() -> None:
    """Measure, print, and write it with the machine."""
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
    write_whole(RESULTS, json.dumps(plain(found), indent=1) + "\n")
    missed = [name for row in rows for name, most in ALLOWED.items() if abs(row["percentiles"][name]["error"]) > most]
    if missed:
        sys.exit(f"off by more than is allowed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
