"""From the rows of a matrix to a line that says what to take here, made of its figures and their intervals only."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from edgedigits.benchmarking.results.comparing import Ratio
from edgedigits.benchmarking.results.names import engine_title
from edgedigits.benchmarking.side_by_side.interleaving import paired_ratio

BYTES_A_VALUE = {"int8": 1, "dynamic": 1.5, "float16": 2, "float32": 4}
"""By which precisions are ordered: fewer should be faster. Dynamic computes in float32 with int8 weights."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Remark:
    """What the rows show of one choice.

    Attributes:
        text: in words.
        least, most: of the ratios of all pairs of rows that differ in this choice alone.
        pairs: how many of them there are.
        surprising: what should have been faster was slower.
    """

    text: str
    least: float
    most: float
    pairs: int
    surprising: bool


@dataclass(frozen=True)
class Recommendation:
    """What to take on the machine that the rows were measured on.

    Attributes:
        text: one line.
        fastest: name of the fastest row; None where none was measured.
        as_fast: names of those which no difference to it was shown of.
        remarks: what each choice does here.
    """

    text: str
    fastest: str | None
    as_fast: tuple[str, ...]
    remarks: tuple[Remark, ...]


def rounds_of(row: Row) -> dict[int, float]:
    """Return the median milliseconds of a row by the number of the round."""
    return {number: median for number, median in enumerate(row["rounds"]) if median is not None}


def row_name(row: Mapping[str, Any]) -> str:
    """Return what a row is called: "nano int8 on LiteRT, 1 thread"."""
    engine = engine_title(row["engine"])
    threads = f"{row['threads']} thread{'s' if row['threads'] != 1 else ''}"
    return f"{row['model']} {row['precision']} on {engine}, {threads}"


def ratio(one: Row, reference: Row) -> Ratio | None:
    """Return how many times as long a row took, within their common rounds."""
    return paired_ratio(rounds_of(one), rounds_of(reference))


def fastest_of(rows: Sequence[Row]) -> Row | None:
    """Return the row with the smallest median; None where nothing was measured."""
    return min((row for row in rows if row["latency"]), key=lambda row: float(row["latency"]["p50"]), default=None)


def recommend(rows: Sequence[Row]) -> Recommendation:
    """Return what to take here.

    Args:
        rows: of a matrix, as its result holds them.
    """
    measured = [row for row in rows if row["latency"]]
    fastest = fastest_of(measured)
    if fastest is None:
        return Recommendation("nothing could be measured here", None, (), ())
    others = [row for row in measured if row is not fastest]
    as_fast = tuple(row["name"] for row in others if not _is_slower(row, fastest))
    remarks = tuple(remarks_of(measured))
    parts = [f"fastest here: {fastest['name']} ({_time(fastest['latency']['p50'])})"]
    if as_fast:
        parts.append(f"no difference shown to {' and '.join(as_fast)}")
    if best := _more_accurate(measured, fastest):
        parts.append(best)
    parts += [remark.text for remark in remarks if remark.surprising]
    return Recommendation("; ".join(parts), fastest["name"], as_fast, remarks)


def _is_slower(row: Row, fastest: Row) -> bool:
    found = ratio(row, fastest)
    return found is not None and found.shown and found.value > 1


def _time(milliseconds: float) -> str:
    return f"{1000 * milliseconds:.3g} µs" if milliseconds < 1 else f"{milliseconds:.3g} ms"


def _more_accurate(rows: Sequence[Row], fastest: Row) -> str:
    """Say which row is more accurate than the fastest one: the fastest of those that no chance sets apart."""
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
    """Whether a row's accuracy lies below another one's by more than two standard errors of their difference."""
    variance = sum(
        found["top1"] * (1 - found["top1"]) / max(1, found["images"]) for found in (row["accuracy"], top["accuracy"])
    )
    return bool(top["accuracy"]["top1"] - row["accuracy"]["top1"] > 2 * math.sqrt(variance))


def remarks_of(rows: Sequence[Row]) -> Iterator[Remark]:
    """Yield what fewer bits, more threads and another engine do."""
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
    """Yield the remark on a choice; nothing where too few rounds were measured to say anything.

    Args:
        rows: among which the pairs are.
        axis: the choice.
        one: that should be faster than `other`, if `expected`.
        text: with a place for how they compare.
    """
    found = {}
    for row, reference in _pairs(rows, axis, one, other):
        pair = ratio(row, reference)
        if pair and pair.low is not None:
            found[row["name"]] = row, pair
    if not found:
        return
    slower = {name: value for name, value in found.items() if value[1].verdict == "slower"}
    faster = {name: value for name, value in found.items() if value[1].verdict == "faster"}
    values = [pair.value for _, pair in found.values()]
    if slower and faster:
        for_slower, for_faster = _for(list(slower.values()), list(faster.values()), axis)
        before, _, after = text.partition("{}")
        said = f"{before}slower than{after} for {for_slower}, and faster for {for_faster}"
    else:
        shown = slower or faster
        verdict = ("slower" if slower else "faster") if 2 * len(shown) > len(found) else ""
        of_all = f", shown for {len(shown)} of {len(found)}" if 0 < len(shown) < len(found) else ""
        compared = text.format(f"{verdict} than" if verdict else "not shown to differ from")
        said = f"{compared} ({_range(min(values), max(values))} times as long{of_all})"
        slower = slower if verdict else {}
    yield Remark(said, min(values), max(values), len(found), expected and bool(slower))


Compared = Sequence[tuple[Row, Ratio]]


def _for(slower: Compared, faster: Compared, axis: str) -> tuple[str, str]:
    """Name the rows of two lists of pairs as briefly as they can be told apart, with how far apart the pairs are."""
    parts = [name for name in ("model", "precision", "engine", "threads") if name != axis]
    for detail in range(1, len(parts) + 1):
        names = [list(dict.fromkeys(_name(row, parts[:detail]) for row, _ in pairs)) for pairs in (slower, faster)]
        if not set(names[0]) & set(names[1]):
            break
    first, second = (
        f"{' and '.join(named)} ({_range(min(values), max(values))} times as long)"
        for named, values in zip(names, ([pair.value for _, pair in pairs] for pairs in (slower, faster)), strict=True)
    )
    return first, second


def _name(row: Row, parts: Sequence[str]) -> str:
    return " ".join(f"with {row[part]} threads" if part == "threads" else str(row[part]) for part in parts)


def _range(least: float, most: float) -> str:
    low, high = f"{least:.2g}" if least < 10 else f"{least:.0f}", f"{most:.2g}" if most < 10 else f"{most:.0f}"
    return low if low == high else f"{low} to {high}"


def _pairs(rows: Sequence[Row], axis: str, one: Any, other: Any) -> Iterator[tuple[Row, Row]]:
    """Yield the pairs of rows that differ in `axis` alone, which is `one` and `other`."""
    rest = [name for name in ("model", "precision", "engine", "threads") if name != axis]
    for row in rows:
        for reference in rows:
            alike = all(row[name] == reference[name] for name in rest)
            if alike and row[axis] == one and reference[axis] == other:
                yield row, reference
