"""Compare results: ratios with their intervals, no verdict where intervals overlap, and no ratio of unequal work."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgedigits.benchmarking.results.result_file import Result
from edgedigits.benchmarking.results.result_text import duration
from edgedigits_runtime.errors import ResultError, WorkloadsDiffer

SETTINGS = ("engine", "device", "providers", "threads", "kernels", "cores")
"""Settings of the work: many comparisons vary these, so a difference is a warning, not an error."""

STEADY = ("board", "processor", "software", "environment")  # Parts of a fingerprint that do not change during a run.

DIRECTIONS = {"ms": ("faster", "slower"), "images/s": ("slower", "faster"), "bytes": ("smaller", "larger")}
"""The meaning of less and of more of a unit."""

MOST_LINES = 8  # Lines of a summary.
MOST_OTHERS = 4  # Results that a summary compares with the first.

MOST_NAMED = 8  # Entries that are named of a difference between two lists.


@dataclass(frozen=True)
class Figure:
    """A measured value and its interval; None for an end that too few measurements bound."""

    value: float
    low: float | None = None
    high: float | None = None
    exact: bool = False  # Counted, not measured, such as the bytes of a file.


@dataclass(frozen=True)
class Ratio:
    """A figure as a multiple of the first result's."""

    value: float
    low: float | None  # low, high: the interval that both figures' intervals allow.
    high: float | None
    shown: bool  # Whether the two intervals lie apart, so that there is a difference.
    verdict: str  # The same in words.


@dataclass(frozen=True)
class Row:
    """One measured quantity, such as "total p50", in a unit of DIRECTIONS."""

    what: str
    unit: str
    figures: tuple[Figure | None, ...]  # One for each result; None where it was not measured.
    ratios: tuple[Ratio | None, ...]  # One for each result after the first.


@dataclass(frozen=True)
class Comparison:
    """Results compared with the first of them."""

    names: tuple[str, ...]
    workload: str  # The common work, for a reader.
    objections: tuple[str, ...]  # Why a result should not be compared.
    warnings: tuple[str, ...]  # These, and other differences that may explain a ratio.
    rows: tuple[Row, ...]


def compare(results: Mapping[str, Result]) -> Comparison:
    """Compare at least two results, by name, with the first of them. Raises ResultError or WorkloadsDiffer."""
    if len(results) < 2:
        raise ResultError("expected at least two different result files: edgedigits bench compare A.json B.json")
    (first_name, first), *others = results.items()
    for name, other in others:
        if differences := "; ".join(unequal_work(first, other)):
            raise WorkloadsDiffer(
                f"{first_name} and {name} measured different workloads ({differences}), so they cannot be compared;"
                " measure the same with edgedigits bench, or several in one run with edgedigits bench matrix"
            )
    by_result = [dict(figures(result)) for result in results.values()]
    rows = []
    for what, unit in dict.fromkeys(key for found in by_result for key in found):
        mine, *theirs = (found.get((what, unit)) for found in by_result)
        ratios = tuple(ratio_of(mine, other, unit) if mine and other else None for other in theirs)
        rows.append(Row(what, unit, (mine, *theirs), ratios))
    against = tuple(why for name, result in results.items() for why in objections(name, result))
    all_warnings = (*against, *unlike(results))
    return Comparison(tuple(results), describe_work(first), against, all_warnings, tuple(rows))


def describe_work(result: Result) -> str:
    """Return the measured work in a few words."""
    workload = result.get("workload", {})
    pictures, model = workload.get("pictures", {}), workload.get("model") or {}
    text = f"{workload.get('what', 'unknown')}, {pictures.get('count', '?')} {pictures.get('kind', '')} pictures"
    return f"{model['name']} {model.get('precision', '')}, {text}" if "name" in model else text


def unequal_work(first: Result, other: Result) -> Iterator[str]:
    """Yield a line for each difference in the work: kind, timed part, pictures, model files."""
    if first["kind"] != other["kind"]:
        yield f"a {first['kind']} result and a {other['kind']} result"
        return
    one, two = first.get("workload", {}), other.get("workload", {})
    if one.get("what") != two.get("what"):
        yield f"what was timed: {one.get('what')} and {two.get('what')}"
    mine, its = one.get("pictures") or {}, two.get("pictures") or {}
    if mine.get("sha256") != its.get("sha256"):
        yield f"other pictures: {mine.get('count')} {mine.get('kind')} and {its.get('count')} {its.get('kind')}"
    mine, its = one.get("model") or {}, two.get("model") or {}
    if mine.get("sha256") != its.get("sha256"):
        yield f"other model files: {_model(mine)} and {_model(its)}"
    mine, its = (each["finder"]["model"] if each.get("finder") else {} for each in (one, two))
    if mine.get("sha256") != its.get("sha256"):
        yield f"other finders: {_model(mine) if mine else 'none'} and {_model(its) if its else 'none'}"
    rows, others = _row_files(first), _row_files(other)
    # Each once: a file has a row for every number of threads.
    for (name, digest), (its_name, its_digest) in dict.fromkeys(
        (rows[key], others[key]) for key in rows if key in others
    ):
        if digest != its_digest:
            yield f"other model files: {name} {digest[:8]} and {its_name} {its_digest[:8]}"


def _model(model: Result) -> str:
    return f"{model.get('name')} {model.get('precision')} {str(model.get('sha256'))[:8]}"


def _row_files(result: Result) -> dict[str, tuple[str, str]]:
    """Return (file name, SHA-256) by the row's name; a model trained during the run differs on every machine."""
    rows = [row for row in result.get("rows", []) if (row.get("file") or {}).get("sha256") and "training" not in row]
    return {row["name"]: (row["file"]["name"], row["file"]["sha256"]) for row in rows}


def unlike(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield the differences of settings, machines and versions from the first result."""
    (first_name, first), *others = results.items()
    for name, other in others:
        for kind, section, keys in (("settings", "workload", SETTINGS), ("machines", "fingerprint", STEADY)):
            one, two = ({key: found[key] for key in keys if key in found}
                        for found in (first.get(section, {}), other.get(section, {})))  # fmt: skip
            for place, mine, its in _differences(one, two):
                yield f"unlike {kind}: {place} is {mine} in {first_name}, {its} in {name}"
        if first.get("edgedigits") != other.get("edgedigits"):
            yield f"edgedigits {first.get('edgedigits')} in {first_name}, {other.get('edgedigits')} in {name}"


def objections(name: str, result: Result) -> Iterator[str]:
    """Yield the reasons why a result should not be compared."""
    if not result.get("complete"):
        yield f"{name} is not complete: its run was ended before it was done"
    if not (result.get("comparable") or {}).get("yes", True):
        yield f"{name} is not comparable: {'; '.join(result['comparable'].get('reasons', []))}"


def _differences(one: Any, two: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (place, one's, the other's) for each differing leaf; of lists, the entries that the other lacks."""
    if one == two:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for key in dict.fromkeys([*one, *two]):
            yield from _differences(one.get(key), two.get(key), f"{place} {key}".strip())
    elif isinstance(one, list) and isinstance(two, list):
        yield place, _only(one, two), _only(two, one)
    else:
        yield place, str("unknown" if one is None else one), str("unknown" if two is None else two)


def _only(some: list[Any], others: list[Any]) -> str:
    more = [str(value) for value in some if value not in others]
    rest = f" and {len(more) - MOST_NAMED} more" if len(more) > MOST_NAMED else ""
    return ", ".join(more[:MOST_NAMED]) + rest if more else "without these"


def figures(result: Result) -> Iterator[tuple[tuple[str, str], Figure]]:
    """Yield ((what, unit), figure) for everything that can be compared."""
    for what, summary in _summaries(result):
        for name in ("p50", "p99"):
            yield (f"{what} {name}", "ms"), figure_of(summary, name)
    for point in (result.get("throughput") or {}).get("points", []):
        interval = point.get("interval") or (None, None)
        what = f"throughput, {point['threads']} threads, batch {point['batch']}"
        yield (what, "images/s"), Figure(point["images_per_second"], *interval)
    for section, prefix, exact in (("memory", "memory ", False), ("size", "", True)):
        for key, value in (result.get(section) or {}).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                end = value if exact else None
                yield (prefix + key.removesuffix("_bytes").replace("_", " "), "bytes"), Figure(value, end, end, exact)


def _summaries(result: Result) -> Iterator[tuple[str, Result]]:
    """Yield (what, summary in milliseconds) for all latencies."""
    yield from (result.get("stages") or {}).items()
    for part, summary in (result.get("cold_start") or {}).items():
        if isinstance(summary, dict) and "p50" in summary:
            yield f"cold start, {part}", summary
    for row in result.get("rows", []):
        for part in ("latency", "process"):
            if row.get(part):
                yield f"{row['name']}, whole {part}" if part == "process" else row["name"], row[part]


def figure_of(summary: Result, percentile: str) -> Figure:
    """Return a percentile of a summary with its interval."""
    return Figure(summary[percentile], *summary["interval"].get(percentile, (None, None)))


def ratio_of(first: Figure, other: Figure, unit: str = "ms") -> Ratio | None:
    """Return the other figure as a multiple of the first; None if the first is 0."""
    if not first.value:
        return None
    value, (less, more) = other.value / first.value, DIRECTIONS[unit]
    direction = more if value > 1 else less
    low = other.low / first.high if other.low is not None and first.high else None
    high = other.high / first.low if other.high is not None and first.low else None
    if first.exact and other.exact:
        return Ratio(value, value, value, value != 1, "the same" if value == 1 else direction)
    if low is None and high is None:
        return Ratio(value, None, None, False, "too few measurements for an interval")
    apart = (low is not None and low > 1) or (high is not None and high < 1)
    return Ratio(value, low, high, apart, direction if apart else "no difference shown")


def pairs(found: Comparison) -> list[Comparison]:
    """Return the first result compared with each of the others alone."""
    return [
        replace(
            found,
            names=(found.names[0], name),
            rows=tuple(
                Row(row.what, row.unit, (row.figures[0], row.figures[k]), (row.ratios[k - 1],))
                for row in found.rows
                if row.figures[0] or row.figures[k]
            ),
        )
        for k, name in enumerate(found.names[1:], 1)
    ]


def summary(found: Comparison) -> list[str]:
    """Return what matters, in at most MOST_LINES lines: which is faster, by how much, and whether it can be said."""
    others = pairs(found)
    lines = [found.workload, *(_headline(pair) for pair in others[:MOST_OTHERS])]
    if len(others) > MOST_OTHERS:
        lines[-1] = f"and {len(others) - MOST_OTHERS + 1} more results; --all compares each"
    if len(others) == 1:
        lines += [_compared(row) for row in _details(others[0])]
    if found.objections:
        more = len(found.objections) - 1
        lines.append(found.objections[0] + (f"; and {more} more" if more else ""))
    else:
        lines.append(f"comparable: {'both' if len(others) == 1 else 'all'} runs are complete and were not disturbed")
    if count := len(found.warnings) - len(found.objections):
        lines.append(f"differences of settings and machines: {count}, named by --all")
    return [*lines, f"--all prints all {len(found.rows)} figures, --markdown as a table"]


def _headline(pair: Comparison) -> str:
    """Return which of two results is faster: by the whole time, or else by the number of rows."""
    first, other = pair.names
    rows = [row for row in pair.rows if row.what.endswith(" p50") and row.ratios[0]]
    whole = next((row for row in rows if row.what == "total p50"), None)
    if whole:
        ratio = whole.ratios[0]
        what = _compared(whole).partition(": ")[2].partition(";")[0]
        if ratio and ratio.shown:
            return f"{other} is {ratio.verdict} than {first}: p50 {what}"
        return f"no difference shown between {other} and {first}: p50 {what}"
    verdicts = Counter(ratio.verdict for row in rows if (ratio := row.ratios[0]))
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    values = [ratio.value for row in rows if (ratio := row.ratios[0])]
    spread = f" ({min(values):.2f} to {max(values):.2f} times the p50)" if values else ""
    return f"{other} against {first}: {counts or 'nothing that both measured'}{spread}"


def _details(pair: Comparison) -> list[Row]:
    """Return the rows beside the whole time: its p99, the highest throughput and the memory."""
    rows = [row for row in pair.rows if row.ratios[0]]
    rates = [row for row in rows if row.unit == "images/s"]
    fastest = max(rates, key=lambda row: max(figure.value for figure in row.figures if figure), default=None)
    named = {row.what: row for row in rows}
    return [row for row in (named.get("total p99"), fastest, named.get("memory peak")) if row]


def _compared(row: Row) -> str:
    """Return a row of two results on one line."""
    times, verdict = _ratio_text(row.ratios[0])
    first, other = (_figure_text(figure, row.unit) for figure in row.figures)
    return f"{row.what}: {other} against {first}, times {times}; {verdict}"


def comparison_head(found: Comparison) -> list[str]:
    """Return the head of a comparison's table."""
    others = [cell for name in found.names[1:] for cell in (name, "times as much", "")]
    return ["", found.names[0], *others]


def comparison_rows(found: Comparison) -> list[list[str]]:
    """Return the rows of a comparison's table."""
    rows = []
    for row in found.rows:
        cells = [row.what, _figure_text(row.figures[0], row.unit)]
        for figure, ratio in zip(row.figures[1:], row.ratios, strict=True):
            cells += [_figure_text(figure, row.unit), *_ratio_text(ratio)]
        rows.append(cells)
    return rows


def as_markdown(found: Comparison) -> Iterator[str]:
    """Yield the lines of all figures and differences as Markdown: a table for each result after the first."""
    yield f"{found.workload}\n"
    yield from (f"- {warning}" for warning in found.warnings)
    for pair in pairs(found):
        head = comparison_head(pair)
        yield from ("", *("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head))))
        yield from ("| " + " | ".join(cells) + " |" for cells in comparison_rows(pair))


def _figure_text(figure: Figure | None, unit: str) -> str:
    if figure is None:
        return "-"
    return duration(figure.value) if unit == "ms" else f"{figure.value:,.0f} {unit}"


def _ratio_text(ratio: Ratio | None) -> tuple[str, str]:
    if ratio is None:
        return "-", ""
    if ratio.low == ratio.high:
        return f"{ratio.value:.2f}", ratio.verdict
    low, high = ("?" if end is None else f"{end:.2f}" for end in (ratio.low, ratio.high))
    return f"{ratio.value:.2f} ({low} to {high})", ratio.verdict
