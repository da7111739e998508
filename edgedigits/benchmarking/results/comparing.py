"""Results side by side: ratios with their intervals, nothing said where the intervals overlap, unlike work refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgedigits.benchmarking.results.result import Result
from edgedigits_runtime.errors import ResultError, WorkloadsDiffer

SETTINGS = ("engine", "device", "providers", "threads", "kernels", "cores")
"""How the same work was done: unlike settings are what many comparisons are made for, and are said."""

STEADY = ("board", "processor", "software", "environment")
"""Parts of a fingerprint that do not change while a machine runs."""

LATENCIES = ("p50", "p99")
DIRECTIONS = {"ms": ("faster", "slower"), "images/s": ("slower", "faster"), "bytes": ("smaller", "larger")}
"""What fewer and what more of a unit mean."""

MOST_NAMED = 8
"""Of the names that one list has and another lacks."""


@dataclass(frozen=True)
class Figure:
    """A measured value and the ends of its interval; None where few measurements bound it on no side.

    Attributes:
        exact: counted rather than measured, such as the bytes of a file: it has no interval and needs none.
    """

    value: float
    low: float | None = None
    high: float | None = None
    exact: bool = False


@dataclass(frozen=True)
class Ratio:
    """How many times the first result's figure another one is.

    Attributes:
        value: of the two figures.
        low, high: of the interval that both figures' intervals leave to it; None where they bound it on no side.
        shown: whether the two intervals lie apart, so that a difference is shown.
        verdict: that in words.
    """

    value: float
    low: float | None
    high: float | None
    shown: bool
    verdict: str


@dataclass(frozen=True)
class Row:
    """One thing that was measured in some of the results.

    Attributes:
        what: it is, such as "total p50".
        unit: of its figures, one of DIRECTIONS.
        figures: one for each result; None where it was not measured.
        ratios: one for each result after the first.
    """

    what: str
    unit: str
    figures: tuple[Figure | None, ...]
    ratios: tuple[Ratio | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Results side by side.

    Attributes:
        names: of the results.
        workload: what all of them did, in words.
        warnings: a line for each thing that lets figures differ for another reason than the one that is looked for.
        rows: what was measured.
    """

    names: tuple[str, ...]
    workload: str
    warnings: tuple[str, ...]
    rows: tuple[Row, ...]


def compare(results: Mapping[str, Result]) -> Comparison:
    """Put results beside the first of them.

    Args:
        results: at least two, by name, each as read_result returns it.

    Raises:
        ResultError: fewer than two.
        WorkloadsDiffer: they did unlike work.
    """
    if len(results) < 2:
        raise ResultError("comparing needs at least two different result files: edgedigits bench compare A.json B.json")
    (first_name, first), *others = results.items()
    for name, other in others:
        if unlike := list(unlike_work(first, other)):
            raise WorkloadsDiffer(
                f"{first_name} and {name} did unlike work ({'; '.join(unlike)}), of which no ratio means anything;"
                " measure the same with edgedigits bench, or several in one run with edgedigits bench matrix"
            )
    each = [dict(figures(result)) for result in results.values()]
    keys = list(dict.fromkeys(key for found in each for key in found))
    rows = [_row(what, unit, [found.get((what, unit)) for found in each]) for what, unit in keys]
    return Comparison(tuple(results), work_of(first), tuple(warnings(results)), tuple(rows))


def work_of(result: Result) -> str:
    """Return what was done, in words."""
    workload = result.get("workload", {})
    pictures, model = workload.get("pictures", {}), workload.get("model") or {}
    said = (
        f"{workload.get('what', 'unknown')}, {pictures.get('count', '?')} {pictures.get('kind', '')} pictures".strip()
    )
    return f"{model['name']} {model.get('precision', '')}, {said}" if "name" in model else said


def unlike_work(first: Result, other: Result) -> Iterator[str]:
    """Yield a line for each part of the work in which two results differ: kind, what, pictures, model file."""
    if first["kind"] != other["kind"]:
        yield f"a {first['kind']} result and a {other['kind']} result"
        return
    one, two = first.get("workload", {}), other.get("workload", {})
    if one.get("what") != two.get("what"):
        yield f"what was timed: {one.get('what')} and {two.get('what')}"
    if _part(one, "pictures", "sha256") != _part(two, "pictures", "sha256"):
        yield f"other pictures: {_pictures(one)} and {_pictures(two)}"
    if _part(one, "model", "sha256") != _part(two, "model", "sha256"):
        yield f"other model files: {_model(one)} and {_model(two)}"
    mine, theirs = _row_files(first), _row_files(other)
    # Each once: a file has a row for every number of threads.
    for pair in dict.fromkeys((mine[name], theirs[name]) for name in mine if name in theirs):
        (name, digest), (its_name, its_digest) = pair
        if digest != its_digest:
            yield f"other model files: {name} {digest[:8]} and {its_name} {its_digest[:8]}"


def _row_files(result: Result) -> dict[str, tuple[str, str]]:
    """Return (file name, SHA-256) of the rows that tell them, by the row's name; not of what was trained for the run:
    such a file is another one on every machine."""
    return {
        row["name"]: (row["file"]["name"], row["file"]["sha256"])
        for row in result.get("rows", [])
        if (row.get("file") or {}).get("sha256") and "training" not in row
    }


def _part(workload: Result, part: str, key: str) -> Any:
    return (workload.get(part) or {}).get(key)


def _pictures(workload: Result) -> str:
    return f"{_part(workload, 'pictures', 'count')} {_part(workload, 'pictures', 'kind')}"


def _model(workload: Result) -> str:
    digest = str(_part(workload, "model", "sha256"))[:8]
    return f"{_part(workload, 'model', 'name')} {_part(workload, 'model', 'precision')} {digest}"


def warnings(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield what else differs, and what makes a result no good for comparing."""
    for name, result in results.items():
        if not result.get("complete"):
            yield f"{name} is not complete: its run was ended before it was done"
        if not result.get("comparable", {}).get("yes", True):
            yield f"{name} is not comparable: {'; '.join(result['comparable'].get('reasons', []))}"
    (first_name, first), *others = results.items()
    for name, other in others:
        for place, one, two in _differences(_settings(first), _settings(other)):
            yield f"unlike settings: {place} is {one} in {first_name}, {two} in {name}"
        for place, one, two in _differences(_steady(first), _steady(other)):
            yield f"unlike machines: {place} is {one} in {first_name}, {two} in {name}"
        if first.get("edgedigits") != other.get("edgedigits"):
            yield f"edgedigits {first.get('edgedigits')} in {first_name}, {other.get('edgedigits')} in {name}"


def _settings(result: Result) -> Result:
    workload = result.get("workload", {})
    return {key: workload[key] for key in SETTINGS if key in workload}


def _steady(result: Result) -> Result:
    fingerprint = result.get("fingerprint", {})
    return {key: fingerprint[key] for key in STEADY if key in fingerprint}


def _differences(one: Any, two: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (place, one's, the other's) for each leaf that differs; of lists what only one of them has."""
    if one == two:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for key in dict.fromkeys([*one, *two]):
            yield from _differences(one.get(key), two.get(key), f"{place} {key}".strip())
    elif isinstance(one, list) and isinstance(two, list):
        yield place, _only(one, two), _only(two, one)
    else:
        yield place, _said(one), _said(two)


def _only(some: list[Any], others: list[Any]) -> str:
    more = [str(value) for value in some if value not in others]
    if not more:
        return "without these"
    return ", ".join(more[:MOST_NAMED]) + (f" and {len(more) - MOST_NAMED} more" if len(more) > MOST_NAMED else "")


def _said(value: Any) -> str:
    return "unknown" if value is None else str(value)


def figures(result: Result) -> Iterator[tuple[tuple[str, str], Figure]]:
    """Yield ((what, unit), figure) for all that can be compared."""
    for what, summary in summaries(result):
        for name in LATENCIES:
            yield (f"{what} {name}", "ms"), figure_of(summary, name)
    for point in (result.get("throughput") or {}).get("points", []):
        interval = point.get("interval") or (None, None)
        what = f"throughput, {point['threads']} threads, batch {point['batch']}"
        yield (what, "images/s"), Figure(point["images_per_second"], *interval)
    for key, value in (result.get("memory") or {}).items():
        if _is_number(value):
            yield (f"memory {key.removesuffix('_bytes').replace('_', ' ')}", "bytes"), Figure(value)
    for key, value in (result.get("size") or {}).items():
        if _is_number(value):
            yield (key.removesuffix("_bytes").replace("_", " "), "bytes"), Figure(value, value, value, exact=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def summaries(result: Result) -> Iterator[tuple[str, Result]]:
    """Yield (what, summary in milliseconds) of all latencies of a result."""
    for stage, summary in (result.get("stages") or {}).items():
        yield stage, summary
    for part, summary in (result.get("cold_start") or {}).items():
        if isinstance(summary, dict) and "p50" in summary:
            yield f"cold start, {part}", summary
    for row in result.get("rows", []):
        for part in ("latency", "process"):
            if row.get(part):
                yield f"{row['name']}, whole {part}" if part == "process" else row["name"], row[part]


def figure_of(summary: Result, percentile: str) -> Figure:
    """Return a percentile of a summary with its interval."""
    low, high = summary["interval"].get(percentile, (None, None))
    return Figure(summary[percentile], low, high)


def _row(what: str, unit: str, found: Sequence[Figure | None]) -> Row:
    first = found[0]
    ratios = tuple(ratio_of(first, other, unit) if first and other else None for other in found[1:])
    return Row(what, unit, tuple(found), ratios)


def ratio_of(first: Figure, other: Figure, unit: str = "ms") -> Ratio | None:
    """Return how many times the first figure the other one is; None where the first is 0."""
    if not first.value:
        return None
    value = other.value / first.value
    low = other.low / first.high if other.low is not None and first.high else None
    high = other.high / first.low if other.high is not None and first.low else None
    if first.exact and other.exact:
        return Ratio(value, value, value, value != 1, "the same" if value == 1 else _direction(value, unit))
    if low is None and high is None:
        return Ratio(value, None, None, False, "too few measurements for an interval")
    shown = (low is not None and low > 1) or (high is not None and high < 1)
    return Ratio(value, low, high, shown, _direction(value, unit) if shown else "no difference shown")


def _direction(value: float, unit: str) -> str:
    less, more = DIRECTIONS[unit]
    return more if value > 1 else less
