"""Recommend a row of a matrix in one line, from the rows' figures and their intervals only."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from edgedigits.benchmarking.results.comparing import Ratio
from edgedigits.benchmarking.results.result_text import count_of, duration, engine_title
from edgedigits.benchmarking.side_by_side.interleaving import paired_ratio

BYTES_A_VALUE = {"int8": 1, "dynamic": 1.5, "float16": 2, "float32": 4}
"""Order of precisions: fewer bytes should be faster. Dynamic computes in float32 with int8 weights."""

AXES = ("model", "precision", "engine", "threads")

Row = dict[str, Any]


@dataclass(frozen=True)
class Remark:
    """The effect of one choice."""

    text: str
    least: float  # least, most: ratios of all pairs of rows that differ in this choice alone.
    most: float
    pairs: int
    surprising: bool  # The choice that should be faster is slower.


@dataclass(frozen=True)
class Recommendation:
    """The recommended choice for this machine."""

    text: str  # One line.
    fastest: str | None  # Name of the fastest row; None where none was measured.
    as_fast: tuple[str, ...]  # Names of rows that do not clearly differ from it.
    remarks: tuple[Remark, ...]  # The effect of each choice.


def row_name(row: Mapping[str, Any]) -> str:
    """Return a row's name: "nano int8 on LiteRT, 1 thread"."""
    return f"{row['model']} {row['precision']} on {engine_title(row['engine'])}, {count_of(row['threads'], 'thread')}"


def ratio(one: Row, reference: Row) -> Ratio | None:
    """Return a row's relative time within the rounds that both have."""
    rounds = ({n: median for n, median in enumerate(row["rounds"]) if median is not None} for row in (one, reference))
    return paired_ratio(*rounds)


def fastest_of(rows: Sequence[Row]) -> Row | None:
    """Return the row with the smallest median; None where nothing was measured."""
    return min((row for row in rows if row["latency"]), key=lambda row: float(row["latency"]["p50"]), default=None)


def recommend(rows: Sequence[Row]) -> Recommendation:
    """Recommend one of a matrix's rows."""
    measured = [row for row in rows if row["latency"]]
    fastest = fastest_of(measured)
    if fastest is None:
        return Recommendation("nothing could be measured here", None, (), ())
    found = {row["name"]: ratio(row, fastest) for row in measured if row is not fastest}
    as_fast = tuple(name for name, one in found.items() if not (one and one.shown and one.value > 1))
    remarks = tuple(remarks_of(measured))
    parts = [f"fastest here: {fastest['name']} ({duration(fastest['latency']['p50'])})"]
    if as_fast:
        parts.append(f"no difference shown to {' and '.join(as_fast)}")
    if best := _more_accurate(measured, fastest):
        parts.append(best)
    parts += [remark.text for remark in remarks if remark.surprising]
    return Recommendation("; ".join(parts), fastest["name"], as_fast, remarks)


def _more_accurate(rows: Sequence[Row], fastest: Row) -> str:
    """Name the fastest of the rows whose accuracy does not differ from the best by more than chance."""
    known = [row for row in rows if row.get("accuracy")]
    if not known:
        return ""
    top = max(known, key=lambda row: float(row["accuracy"]["top1"]))
    best = fastest_of([row for row in known if not _less_accurate(row, top)])
    times = ratio(best, fastest) if best and best is not fastest else None
    if best is None or times is None:
        return ""
    mine = f"against {fastest['accuracy']['top1']:.2%}" if fastest.get("accuracy") else "that of the fastest is unknown"
    its = best["accuracy"]["top1"]
    return f"most accurate: {best['name']} ({its:.2%}, {mine}), {times.value:.1f} times as long"


def _less_accurate(row: Row, top: Row) -> bool:
    """Whether a row's accuracy is lower by more than two standard errors of the difference."""
    both = (row["accuracy"], top["accuracy"])
    variance = sum(one["top1"] * (1 - one["top1"]) / max(1, one["images"]) for one in both)
    return bool(both[1]["top1"] - both[0]["top1"] > 2 * math.sqrt(variance))


def remarks_of(rows: Sequence[Row]) -> Iterator[Remark]:
    """Yield the effects of fewer bits, more threads and another engine."""
    for engine in _values(rows, "engine"):
        of_engine = [row for row in rows if row["engine"] == engine]
        name = engine_title(engine)
        for less, more in _ordered(_values(of_engine, "precision"), lambda value: BYTES_A_VALUE.get(value, 4)):
            yield from _remark(of_engine, "precision", less, more, f"{less} is {{}} {more} on {name} on this CPU")
        for few, many in _ordered(_values(of_engine, "threads"), lambda value: value):
            text = f"{many} threads are {{}} {few} on {name}"
            yield from _remark(of_engine, "threads", many, few, text)
    for one, other in _ordered(_values(rows, "engine"), str):
        text = f"{engine_title(one)} is {{}} {engine_title(other)} on the same model and precision"
        yield from _remark(rows, "engine", one, other, text, expected=False)


def _values(rows: Sequence[Row], axis: str) -> list[Any]:
    return list(dict.fromkeys(row[axis] for row in rows))


def _ordered(values: Sequence[Any], key: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
    return ((one, other) for one, other in permutations(values, 2) if key(one) < key(other))


def _remark(
    rows: Sequence[Row], axis: str, one: Any, other: Any, text: str, *, expected: bool = True
) -> Iterator[Remark]:
    """Yield the remark that `one` of an axis should be faster than `other`, unless too few rounds give an interval."""
    pairs = [(row, ratio(row, reference)) for row, reference in _pairs(rows, axis, one, other)]
    found = [(row, pair) for row, pair in pairs if pair and pair.low is not None]
    if not found:
        return
    slower, faster = ([one for one in found if one[1].verdict == verdict] for verdict in ("slower", "faster"))
    values = [pair.value for _, pair in found]
    if slower and faster:
        for_slower, for_faster = _named_apart(slower, faster, axis)
        before, _, after = text.partition("{}")
        line = f"{before}slower than{after} for {for_slower}, and faster for {for_faster}"
    else:
        clear = slower or faster
        verdict = ("slower" if slower else "faster") if 2 * len(clear) > len(found) else ""
        of_all = f", shown for {len(clear)} of {len(found)}" if 0 < len(clear) < len(found) else ""
        compared = text.format(f"{verdict} than" if verdict else "not shown to differ from")
        line = f"{compared} ({_range(values)} times as long{of_all})"
        slower = slower if verdict else []
    yield Remark(line, min(values), max(values), len(found), expected and bool(slower))


Compared = Sequence[tuple[Row, Ratio]]


def _named_apart(slower: Compared, faster: Compared, axis: str) -> list[str]:
    """Name the rows of two lists by as few parts as distinguish them, with the range of their ratios."""
    parts = [name for name in AXES if name != axis]
    names: list[list[str]] = []
    for detail in range(1, len(parts) + 1):
        names = [list(dict.fromkeys(_name(row, parts[:detail]) for row, _ in pairs)) for pairs in (slower, faster)]
        if not set(names[0]) & set(names[1]):
            break
    return [
        f"{' and '.join(named)} ({_range([pair.value for _, pair in pairs])} times as long)"
        for named, pairs in zip(names, (slower, faster), strict=True)
    ]


def _name(row: Row, parts: Sequence[str]) -> str:
    return " ".join(f"with {row[part]} threads" if part == "threads" else str(row[part]) for part in parts)


def _range(values: Sequence[float]) -> str:
    low, high = (f"{value:.2g}" if value < 10 else f"{value:.0f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _pairs(rows: Sequence[Row], axis: str, one: Any, other: Any) -> Iterator[tuple[Row, Row]]:
    """Yield the pairs of rows that differ in `axis` alone, which is `one` and `other`."""
    rest = [name for name in AXES if name != axis]
    for row in rows:
        for reference in rows:
            alike = all(row[name] == reference[name] for name in rest)
            if alike and row[axis] == one and reference[axis] == other:
                yield row, reference
