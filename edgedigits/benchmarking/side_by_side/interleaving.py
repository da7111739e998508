"""Measure several candidates in rounds: one block of each, in a new random order each round.

Temperature, clock and load change with time. Ratios are taken within a round, so that this drift affects all candidates
equally.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.benchmarking.measuring.latency_summary import CONFIDENCE, summarise
from edgedigits.benchmarking.results.comparing import Ratio
from edgedigits.benchmarking.results.result_file import plain
from edgedigits.benchmarking.side_by_side.measuring_process import MeasuringProcess
from edgedigits_runtime.errors import EdgedigitsError

FEWEST_CALLS, MOST_CALLS = 5, 20_000
WARMUP_BLOCKS = 10
STABLE = 0.05

METHOD = {
    "gc": "collected before each block, off while it runs",
    "order": "drawn anew each round",
    "ratio": f"median over rounds of the ratio of the blocks' medians; interval: {CONFIDENCE:.0%}, order statistics",
}


@dataclass(frozen=True)
class Candidate:
    """One candidate, with a unique name and its opener; see MeasuringProcess. Those of one group share a process."""

    name: str
    group: str
    opener: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Extent of a measurement."""

    rounds: int = 20  # Each has one block of every candidate.
    seconds: float = 2.0  # Of counted calls for each candidate over all rounds.
    seed: int = 0  # Of the orders.


@dataclass
class Measured:
    """Measurements of a candidate."""

    candidate: Candidate
    facts: dict[str, Any] = field(default_factory=dict)  # Returned by its opener.
    blocks: dict[int, NDArray[np.float64]] = field(default_factory=dict)  # Milliseconds of each call, by round.
    calls: int = 0  # In a block; 0 until it is known.
    warmup: dict[str, Any] = field(default_factory=dict)  # Uncounted calls, and whether their time became stable.
    error: str = ""  # Why it was not measured further.

    @property
    def series(self) -> NDArray[np.float64]:
        """Milliseconds of all counted calls, in order."""
        return np.concatenate([np.empty(0), *(self.blocks[number] for number in sorted(self.blocks))])

    @property
    def medians(self) -> dict[int, float]:
        """The median milliseconds of each round's block."""
        return {number: float(np.median(block)) for number, block in self.blocks.items()}


def orders(names: Sequence[str], plan: Plan) -> list[list[str]]:
    """Return the order of each round."""
    drawn = random.Random(plan.seed)
    return [drawn.sample(names, len(names)) for _ in range(plan.rounds)]


class InterleavedRun:
    """The candidates, their processes, and the measurements so far."""

    def __init__(self, candidates: Sequence[Candidate], plan: Plan) -> None:
        self.plan = plan
        self.found = {one.name: Measured(one) for one in candidates}
        self._processes = {group: MeasuringProcess() for group in {one.group for one in candidates}}
        self._open: set[str] = set()

    def measure(self, after_round: Callable[[int], None], after_block: Callable[[str], None] = lambda _: None) -> None:
        """Warm up all candidates, then measure round by round; one that fails keeps its blocks, the others continue.

        `after_round` is called with the number of finished rounds, also with 0 after the warm-up.
        """
        try:
            for name in self.found:
                self._guarded(name, self._warm_up)
                after_block(name)
            after_round(0)
            for number, order in enumerate(orders(list(self.found), self.plan)):
                for name in order:
                    self._guarded(name, partial(self._measure, number))
                    after_block(name)
                after_round(number + 1)
        finally:
            for process in self._processes.values():
                process.close()

    def _guarded(self, name: str, step: Callable[[Measured], None]) -> None:
        one = self.found[name]
        if one.error:
            return
        try:
            step(one)
        except EdgedigitsError as error:
            one.error = f"{error} (after {len(one.series):,} measured calls)" if one.blocks else str(error)
            group = one.candidate.group
            if not self._processes[group].alive:
                # The others of its process have to be opened again.
                self._open -= {other for other, its in self.found.items() if its.candidate.group == group}

    def _process(self, one: Measured) -> MeasuringProcess:
        """Return a candidate's process, with the candidate open in it."""
        process = self._processes[one.candidate.group]
        if one.candidate.name not in self._open:
            one.facts = process.open(one.candidate.name, one.candidate.opener, one.candidate.arguments)
            self._open.add(one.candidate.name)
            if one.calls:
                process.block(one.candidate.name, one.calls)
        return process

    def _warm_up(self, one: Measured) -> None:
        """Run blocks until the medians of two in a row lie within STABLE, at most WARMUP_BLOCKS."""
        process, name, done, stable = self._process(one), one.candidate.name, 0, False
        one.calls, last = FEWEST_CALLS, 0.0
        for _ in range(WARMUP_BLOCKS):
            median = float(np.median(process.block(name, one.calls)))
            done += one.calls
            # The calls of a block follow from the latest median.
            wanted = round(1e9 * self.plan.seconds / self.plan.rounds / max(median, 1.0))
            one.calls = min(max(wanted, FEWEST_CALLS), MOST_CALLS)
            stable = abs(median - last) <= STABLE * last
            if stable:
                break
            last = median
        one.warmup = {"calls": done, "stable": stable}

    def _measure(self, number: int, one: Measured) -> None:
        one.blocks[number] = self._process(one).block(one.candidate.name, one.calls) / 1e6


def measured_section(one: Measured | None, plan: Plan) -> dict[str, Any]:
    """Return a row's measurements as a result holds them; `latency` is None without any."""
    if one is None:
        return {"device": None, "providers": [], "warmup": None, "calls_per_block": 0, "latency": None, "rounds": []}
    medians = one.medians
    return {
        "device": one.facts.get("device"),
        "providers": one.facts.get("providers", []),
        "warmup": one.warmup or None,
        "calls_per_block": one.calls,
        "latency": plain(summarise(one.series, seed=plan.seed)) if len(one.series) else None,
        "rounds": [medians.get(number) for number in range(max(medians, default=-1) + 1)],
    }


def paired_ratio(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Ratio | None:
    """Return the relative time of ours, from the median milliseconds of the rounds that both have."""
    ratios = np.sort([ours[number] / theirs[number] for number in sorted(ours.keys() & theirs.keys())])
    if not len(ratios):
        return None
    ends = median_ends(len(ratios))
    value = float(np.median(ratios))
    if ends is None:
        return Ratio(value, None, None, False, "too few rounds for an interval")
    low, high = float(ratios[ends[0]]), float(ratios[ends[1]])
    apart = not low <= 1 <= high
    return Ratio(value, low, high, apart, ("slower" if value > 1 else "faster") if apart else "no difference shown")


def median_ends(count: int) -> tuple[int, int] | None:
    """Return the indices of the ordered values that bound the true median; None if there are too few values.

    The number of values below the median is binomial: David and Nagaraja, "Order Statistics", 7.1.
    """
    tail, low = 0.0, -1
    while (tail := tail + comb(count, low + 1) / 2**count) <= (1 - CONFIDENCE) / 2:
        low += 1
    return (low, count - 1 - low) if low >= 0 else None
