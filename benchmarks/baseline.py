"""Whether something became slower than the stored baseline says: `make bench-compare`.

A time of another machine means nothing here, so nothing is compared but ratios: each benchmark says in its extra
information how many times as long it took as something fixed that was measured in turn with it, in the same run
(`ratio`, `beside`). A ratio that has grown by more than the share is a regression, and the exit code is 1.

    python -m benchmarks.baseline RUN.json            compare
    python -m benchmarks.baseline --store RUN.json    make it the baseline

RUN.json is what `pytest --benchmark-json` writes. Ratios are not quite alike on all processors either: on another one
than the baseline's the differences are shown, and nothing fails.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.whole_files import write_whole

BASELINE = Path(__file__).parent / "results" / "baseline.json"
SHARE = 0.25
"""By how much a ratio may grow; two runs of one commit on a busy machine differed by up to a tenth."""


@dataclass(frozen=True)
class Ratio:
    """How many times as long a benchmark took as what is beside it."""

    value: float
    beside: str


@dataclass(frozen=True)
class Change:
    """A benchmark now and at the baseline; None where it was not there."""

    name: str
    now: Ratio | None
    then: Ratio | None

    @property
    def grown(self) -> float | None:
        """By which share the ratio has grown; None where it cannot be said."""
        if self.now is None or self.then is None or self.now.beside != self.then.beside:
            return None
        return self.now.value / self.then.value - 1

    def line(self, share: float) -> str:
        """Return it in words."""
        if self.now is None:
            return f"{self.name}: not measured now"
        measured = f"{self.name}: {self.now.value:.3g} times {self.now.beside}"
        if self.then is None:
            return f"{measured}, not in the baseline"
        if self.grown is None:
            return f"{measured}, in the baseline beside {self.then.beside}"
        said = "REGRESSION" if self.grown > share else "faster" if self.grown < -share else "as before"
        return f"{measured}, baseline {self.then.value:.3g}: {self.grown:+.0%}, {said}"


def ratios_of(run: Mapping[str, Any]) -> dict[str, Ratio]:
    """Return the ratios by the benchmark's name, of a run as pytest-benchmark writes it, or of a baseline."""
    found = {}
    for benchmark in run["benchmarks"]:
        extra = benchmark["extra_info"]
        if "ratio" in extra:
            found[benchmark["name"]] = Ratio(extra["ratio"], extra["beside"])
    return found


def changes(now: Mapping[str, Ratio], then: Mapping[str, Ratio]) -> Iterator[Change]:
    """Yield every benchmark of either, those of the baseline first."""
    for name in dict.fromkeys([*then, *now]):
        yield Change(name, now.get(name), then.get(name))


def regressions(found: list[Change], share: float) -> list[Change]:
    """Return those whose ratio has grown by more than the share."""
    return [change for change in found if change.grown is not None and change.grown > share]


def baseline_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of a run: the ratios, and the machine."""
    kept = [
        {"name": name, "extra_info": {"ratio": ratio.value, "beside": ratio.beside}}
        for name, ratio in ratios_of(run).items()
    ]
    return {"machine": describe_machine(), "benchmarks": kept}


def main(arguments: list[str] | None = None) -> int:
    """Compare, or store; return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("run", type=Path, help="what pytest --benchmark-json wrote")
    parser.add_argument("--store", action="store_true", help="make it the baseline")
    parser.add_argument("--share", type=float, default=SHARE, help="by how much a ratio may grow (%(default)s)")
    parser.add_argument("--baseline", type=Path, default=BASELINE)
    given = parser.parse_args(arguments)
    run = json.loads(given.run.read_text())
    if not ratios_of(run):
        raise SystemExit(f"{given.run} holds no ratios; write it with pytest benchmarks --benchmark-json={given.run}")
    if given.store:
        print(write_whole(given.baseline, json.dumps(baseline_of(run), indent=1) + "\n"))
        return 0
    baseline = json.loads(given.baseline.read_text())
    found = list(changes(ratios_of(run), ratios_of(baseline)))
    for change in found:
        print(change.line(given.share))
    worse = regressions(found, given.share)
    here, there = describe_machine()["processor"], baseline["machine"]["processor"]
    if here != there:
        print(f"the baseline was measured on {there}, this is {here}: look at the differences, nothing fails by them")
        return 0
    print(f"{len(worse)} of {len(found)} became slower by more than {given.share:.0%}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
