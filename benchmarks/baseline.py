"""Compare the benchmarks with the stored baseline: `make bench-compare`.

Times of different machines cannot be compared, so ratios are: each benchmark records its time relative to fixed work
that was measured in turns with it in the same run (`ratio`, `beside`). A ratio that has grown by more than the share
is a regression, and the exit code is 1.

    python -m benchmarks.baseline RUN.json            compare
    python -m benchmarks.baseline --store RUN.json    make it the baseline

`pytest --benchmark-json` writes RUN.json. Ratios differ a little between processors too, so on another processor than
the baseline's the differences are printed, and nothing fails.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.publishing import RESULTS, with_machine, write_results
from edgedigits.machine.fingerprint import describe_machine

BASELINE = RESULTS / "baseline.json"
SHARE = 0.25
"""Allowed growth of a ratio; two runs of one commit on a busy machine differed by up to a tenth."""


@dataclass(frozen=True)
class Ratio:
    """A benchmark's time relative to the work beside it."""

    value: float
    beside: str


@dataclass(frozen=True)
class Change:
    """A benchmark now and in the baseline; None where it was not measured."""

    name: str
    now: Ratio | None
    then: Ratio | None

    @property
    def grown(self) -> float | None:
        """The growth of the ratio; None if the two cannot be compared."""
        if self.now is None or self.then is None or self.now.beside != self.then.beside:
            return None
        return self.now.value / self.then.value - 1

    def line(self, share: float) -> str:
        """Return one line of text."""
        if self.now is None:
            return f"{self.name}: not measured now"
        measured = f"{self.name}: {self.now.value:.3g} times {self.now.beside}"
        if self.then is None:
            return f"{measured}, not in the baseline"
        if self.grown is None:
            return f"{measured}, in the baseline beside {self.then.beside}"
        verdict = "REGRESSION" if self.grown > share else "faster" if self.grown < -share else "as before"
        return f"{measured}, baseline {self.then.value:.3g}: {self.grown:+.0%}, {verdict}"


def ratios_of(run: Mapping[str, Any]) -> dict[str, Ratio]:
    """Return the ratios by benchmark, of pytest-benchmark's JSON or of a baseline."""
    found = {}
    for benchmark in run["benchmarks"]:
        extra = benchmark["extra_info"]
        if "ratio" in extra:
            found[benchmark["name"]] = Ratio(extra["ratio"], extra["beside"])
    return found


def changes(now: Mapping[str, Ratio], then: Mapping[str, Ratio]) -> Iterator[Change]:
    """Yield every benchmark of both, those of the baseline first."""
    for name in dict.fromkeys([*then, *now]):
        yield Change(name, now.get(name), then.get(name))


def regressions(found: list[Change], share: float) -> list[Change]:
    """Return the changes that exceed the share."""
    return [change for change in found if change.grown is not None and change.grown > share]


def baseline_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's ratios and the machine, as stored."""
    kept = [
        {"name": name, "extra_info": {"ratio": ratio.value, "beside": ratio.beside}}
        for name, ratio in ratios_of(run).items()
    ]
    return with_machine(benchmarks=kept)


def main(arguments: list[str] | None = None) -> int:
    """Compare or store, and return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("run", type=Path, help="output of pytest --benchmark-json")
    parser.add_argument("--store", action="store_true", help="store it as the baseline")
    parser.add_argument("--share", type=float, default=SHARE, help="allowed growth of a ratio (%(default)s)")
    parser.add_argument("--baseline", type=Path, default=BASELINE)
    given = parser.parse_args(arguments)
    run = json.loads(given.run.read_text())
    if not ratios_of(run):
        raise SystemExit(f"{given.run} has no ratios; write it with pytest benchmarks --benchmark-json={given.run}")
    if given.store:
        write_results(given.baseline, baseline_of(run))
        print(given.baseline)
        return 0
    baseline = json.loads(given.baseline.read_text())
    found = list(changes(ratios_of(run), ratios_of(baseline)))
    for change in found:
        print(change.line(given.share))
    worse = regressions(found, given.share)
    here, there = describe_machine()["processor"], baseline["machine"]["processor"]
    if here != there:
        print(f"the baseline was measured on {there}, this is {here}, so the differences are no failure")
        return 0
    print(f"{len(worse)} of {len(found)} became slower by more than {given.share:.0%}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
