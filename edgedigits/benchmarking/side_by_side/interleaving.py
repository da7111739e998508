"""Several things measured in one run, in blocks and in an order drawn anew each round, so that drift favours none.

A machine gets warmer, its clock falls, a neighbour wakes up. What is measured one after the other then differs for
that reason alone. Here every round holds one block of each, and ratios are taken within a round.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.benchmarking.measuring.statistics import CONFIDENCE, summarise
from edgedigits.benchmarking.results.comparing import Ratio
from edgedigits.benchmarking.results.result import plain
from edgedigits.benchmarking.side_by_side.hosts import Host, HostDied, Opening, Refused, shared_hosts

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
    """One of the things that are measured.

    Attributes:
        name: of its row; no two are the same.
        group: those of one group share a process.
        opening: how the process makes it.
    """

    name: str
    group: str
    opening: Opening


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: in each, one block of every candidate.
        seconds: of counted calls for each candidate, over all rounds; a block has at least FEWEST_CALLS calls.
        seed: of the orders.
    """

    rounds: int = 20
    seconds: float = 2.0
    seed: int = 0


@dataclass
class Measured:
    """What was found of a candidate.

    Attributes:
        candidate: it.
        facts: what its opener found out.
        blocks: milliseconds of each call, by the number of the round.
        calls: in a block; 0 until it is known.
        warmup: calls before the first counted block, and whether their time had become stable.
        error: why there are no more blocks; empty if nothing went wrong.
    """

    candidate: Candidate
    facts: dict[str, Any] = field(default_factory=dict)
    blocks: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    calls: int = 0
    warmup: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def series(self) -> NDArray[np.float64]:
        """Milliseconds of all counted calls, in the order in which they were made."""
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
    """The candidates, their processes, and what was found so far."""

    def __init__(self, candidates: Sequence[Candidate], plan: Plan) -> None:
        """Take what is measured, and how much."""
        self.plan = plan
        self.found = {one.name: Measured(one) for one in candidates}
        self._hosts = shared_hosts([one.group for one in candidates])
        self._open: set[str] = set()

    def measure(self, after_round: Callable[[int], None], after_block: Callable[[str], None] = lambda _: None) -> None:
        """Open and warm up all, then measure round by round.

        A candidate that fails or dies keeps what was measured of it; the others go on.

        Args:
            after_round: called with how many rounds are done, from 0 once all are warm.
            after_block: called with the candidate's name, after its warm-up too.
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
            for host in self._hosts.values():
                host.close()

    def _guarded(self, name: str, step: Callable[[Measured], None]) -> None:
        one = self.found[name]
        if one.error:
            return
        try:
            step(one)
        except Refused as error:
            one.error = _placed(str(error), one)
        except HostDied as error:
            one.error = _placed(str(error), one)
            # Its neighbours died with it, and are made anew.
            self._open -= {other for other, its in self.found.items() if its.candidate.group == one.candidate.group}

    def _host(self, one: Measured) -> Host:
        """Return the process of a candidate, with the candidate open in it."""
        host = self._hosts[one.candidate.group]
        if one.candidate.name not in self._open:
            one.facts = host.open(one.candidate.name, one.candidate.opening)
            self._open.add(one.candidate.name)
            if one.calls:
                host.block(one.candidate.name, one.calls)
        return host

    def _warm_up(self, one: Measured) -> None:
        """Run blocks until two in a row have medians that lie within STABLE, or WARMUP_BLOCKS are over."""
        host, name, done, stable = self._host(one), one.candidate.name, 0, False
        one.calls = FEWEST_CALLS
        last = 0.0
        for _ in range(WARMUP_BLOCKS):
            median = float(np.median(host.block(name, one.calls)))
            done += one.calls
            # The first one only says how many calls make a block.
            wanted = round(1e9 * self.plan.seconds / self.plan.rounds / max(median, 1.0))
            one.calls = min(max(wanted, FEWEST_CALLS), MOST_CALLS)
            stable = abs(median - last) <= STABLE * last
            if stable:
                break
            last = median
        one.warmup = {"calls": done, "stable": stable}

    def _measure(self, number: int, one: Measured) -> None:
        one.blocks[number] = self._host(one).block(one.candidate.name, one.calls) / 1e6


def _placed(error: str, one: Measured) -> str:
    return f"{error} (after {len(one.series):,} measured calls)" if one.blocks else error


def measured_section(one: Measured | None, plan: Plan) -> dict[str, Any]:
    """Return what a row says of its measurement, `latency` None where there is none."""
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
    """Return how many times as long ours took, within the rounds that both were measured in.

    Args:
        ours, theirs: median milliseconds by the number of the round.
    """
    ratios = np.sort([ours[number] / theirs[number] for number in sorted(ours.keys() & theirs.keys())])
    if not len(ratios):
        return None
    ends = median_ends(len(ratios))
    value = float(np.median(ratios))
    if ends is None:
        return Ratio(value, None, None, False, "too few rounds for an interval")
    low, high = float(ratios[ends[0]]), float(ratios[ends[1]])
    shown = not low <= 1 <= high
    return Ratio(value, low, high, shown, ("slower" if value > 1 else "faster") if shown else "no difference shown")


def median_ends(count: int) -> tuple[int, int] | None:
    """Return which of `count` ordered values, from 0, hold the true median between them; None if they are too few.

    As many values lie below a median as a fair coin falls on heads: David and Nagaraja, "Order Statistics", 7.1.
    """
    tail, low = 0.0, -1
    while (tail := tail + comb(count, low + 1) / 2**count) <= (1 - CONFIDENCE) / 2:
        low += 1
    return (low, count - 1 - low) if low >= 0 else None
