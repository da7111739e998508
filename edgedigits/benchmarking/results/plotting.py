"""Results as pictures, each as PNG and SVG, and as one page that needs nothing but itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.results import figures
from edgedigits.benchmarking.results.comparing import Comparison, Figure, Ratio, compare
from edgedigits.benchmarking.results.figures import MOST_SERIES, in_words
from edgedigits.benchmarking.results.names import engine_title
from edgedigits.benchmarking.results.result import Result
from edgedigits.plotting.style import to_png
from edgedigits.reports import html
from edgedigits.reports.html import Picture, Section
from edgedigits_runtime.errors import MissingExtra, WorkloadsDiffer
from edgedigits_runtime.whole_files import write_whole

PAGE = "bench.html"


def plot(results: Mapping[str, Result], out: Path) -> Path:
    """Draw all that is in some results and return the path of the page.

    Args:
        results: by name, as read_result returns them; at least one.
        out: folder for the page and the pictures; made if it is missing.

    Raises:
        MissingExtra: matplotlib is not installed.
        OutputNotWritable: a file cannot be written.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra("bench plot", "train") from error
    sections = list(sections_of(results))
    for picture in (picture for section in sections for picture in section.pictures):
        write_whole(out / f"{picture.name}.png", to_png(picture.figure))
        write_whole(out / f"{picture.name}.svg", picture.svg)
    return write_whole(out / PAGE, html.page("What it costs", "; ".join(map(_title, results.items())), sections))


def _title(named: tuple[str, Result]) -> str:
    name, result = named
    return f"{name}: {board_of(result)}"


def board_of(result: Result) -> str:
    """Return what the machine of a result is called: its board, else its processor."""
    fingerprint = result.get("fingerprint") or {}
    processor = (fingerprint.get("processor") or {}).get("model")
    return str(fingerprint.get("board") or processor or "unknown machine")


def sections_of(results: Mapping[str, Result]) -> Iterator[Section]:
    """Yield the parts of the page that there is something to show in."""
    yield _overview(results)
    if len(results) > 1:
        yield _side_by_side(results)
    yield from _steady(results)
    for number, (name, result) in enumerate(results.items()):
        yield from _of_rows(name, result, number)
        yield from _over_time(name, result, number)
    yield from _accuracy(results)
    yield _machines(results)


def _overview(results: Mapping[str, Result]) -> Section:
    tiles, lines = [], []
    for name, result in results.items():
        if total := (result.get("stages") or {}).get("total"):
            tiles.append((f"{name}, p50", in_words(total["p50"]), f"p99 {in_words(total['p99'])}, {work(result)}"))
        if text := (result.get("recommendation") or {}).get("text"):
            lines.append(html.paragraph(f"{name}: {text}"))
    warned = [
        f"{name} is not comparable: {'; '.join(result['comparable']['reasons'])}"
        for name, result in results.items()
        if not (result.get("comparable") or {"yes": True})["yes"]
    ]
    warned += [
        f"the run of {name} was ended before it was done" for name, one in results.items() if not one["complete"]
    ]
    blocks = [html.tiles(tiles)] if tiles else []
    return Section("overview", "Overview", (*map(html.warning, warned), *blocks, *lines))


def work(result: Result) -> str:
    """Return what was measured on what, in a few words."""
    workload = result.get("workload") or {}
    model = workload.get("model") or {}
    engine = engine_title(workload.get("engine", ""))
    return f"{model.get('name', '')} {model.get('precision', '')} on {engine}, {workload.get('what', '')}".strip()


def _side_by_side(results: Mapping[str, Result]) -> Section:
    try:
        found = compare(results)
    except WorkloadsDiffer as error:
        return Section("compared", "Side by side", (html.warning(str(error)),))
    table = html.table(
        f"{found.workload}; ratios are to {found.names[0]}, and nothing is said where intervals overlap",
        comparison_head(found), comparison_rows(found),
    )  # fmt: skip
    return Section("compared", "Side by side", (*map(html.warning, found.warnings), table))


def comparison_head(found: Comparison) -> list[str]:
    """Return the head of the table of a comparison."""
    others = [cell for name in found.names[1:] for cell in (name, "times as much", "")]
    return ["", found.names[0], *others]


def comparison_rows(found: Comparison) -> list[list[str]]:
    """Return the rows of the table of a comparison, as text."""
    rows = []
    for row in found.rows:
        cells = [row.what, figure_text(row.figures[0], row.unit)]
        for figure, ratio in zip(row.figures[1:], row.ratios, strict=True):
            cells += [figure_text(figure, row.unit), *ratio_text(ratio)]
        rows.append(cells)
    return rows


def figure_text(figure: Figure | None, unit: str) -> str:
    """Return a figure with its unit; "-" where there is none."""
    if figure is None:
        return "-"
    if unit == "ms":
        return in_words(figure.value)
    return f"{figure.value:,.0f} {unit}"


def ratio_text(ratio: Ratio | None) -> tuple[str, str]:
    """Return a ratio with its interval, and its verdict."""
    if ratio is None:
        return "-", ""
    if ratio.low is None and ratio.high is None:
        return f"{ratio.value:.2f}", ratio.verdict
    if ratio.low == ratio.high:
        return f"{ratio.value:.2f}", ratio.verdict
    low = "?" if ratio.low is None else f"{ratio.low:.2f}"
    high = "?" if ratio.high is None else f"{ratio.high:.2f}"
    return f"{ratio.value:.2f} ({low} to {high})", ratio.verdict


def _steady(results: Mapping[str, Result]) -> Iterator[Section]:
    stages = {name: result["stages"] for name, result in results.items() if result.get("stages")}
    if not stages:
        return
    totals = {name: found["total"] for name, found in stages.items() if "total" in found}
    pictures = []
    if totals:
        pictures.append(
            Picture(
                "latency", figures.histogram_figure(dict(list(totals.items())[:MOST_SERIES])),
                f"Histograms of the latency of {', '.join(totals)}",
                "Every call is counted. Lines: p50; dotted: p99. Both axes are logarithmic.", wide=True,
            )
        )  # fmt: skip
    if any(len(found) > 1 for found in stages.values()):
        alt = f"Bars of the median time of each stage of {', '.join(stages)}"
        pictures.append(Picture("stages", figures.stages_figure(stages), alt, wide=True))
    tables = [_latency_table(name, found) for name, found in stages.items()]
    yield Section("latency", "Steady latency", (html.charts(pictures), *tables), tuple(pictures))


def _latency_table(name: str, found: Result) -> str:
    columns = ("min", "p50", "p90", "p99", "p99_9", "max")
    rows = [
        [what, f"{summary['count']:,}", *(in_words(summary[column]) for column in columns)]
        for what, summary in found.items()
    ]
    return html.table(name, ["", "calls", *(column.replace("_", ".") for column in columns)], rows)


def _of_rows(name: str, result: Result, number: int) -> Iterator[Section]:
    rows = result.get("rows") or []
    pictures = []
    for part, title in (("latency", "one picture"), ("process", "whole process")):
        if measured := [row for row in rows if row.get(part)]:
            alt = f"Latency of each row of {name}, {title}"
            figure = figures.rows_figure(measured, part)
            pictures.append(Picture(f"rows-{part}-{number}", figure, alt, f"{name}, {title}", wide=True))
    if not rows:
        return
    failed = [html.warning(f"{row['name']}: {row['error']}") for row in rows if row["error"]]
    remarks = [html.paragraph(remark["text"]) for remark in (result.get("recommendation") or {}).get("remarks", [])]
    yield Section(f"rows-{number}", f"Rows of {name}", (*failed, html.charts(pictures), *remarks), tuple(pictures))


def _over_time(name: str, result: Result, number: int) -> Iterator[Section]:
    if points := (result.get("throughput") or {}).get("points"):
        figure = figures.throughput_figure(points, result["throughput"].get("knee"))
        alt = f"Images a second of {name} over batch size and threads"
        picture = Picture(f"throughput-{number}", figure, alt)
        yield Section(f"throughput-{number}", f"Throughput of {name}", (html.charts([picture]),), (picture,))
    if windows := (result.get("sustained") or {}).get("windows"):
        figure = figures.sustained_figure(windows)
        minutes = result["sustained"]["minutes"]
        alt = f"Latency, clock and temperature of {name} over {minutes:g} minutes"
        picture = Picture(f"sustained-{number}", figure, alt, "Grey bands: throttled.", wide=True)
        blocks = [html.charts([picture])]
        if drift := result["sustained"].get("drift"):
            low, high = drift["interval"]
            blocks.append(
                html.paragraph(
                    f"The last tenth took {drift['last_over_first']:.2f} times as long as the first ({low:.2f} to"
                    f" {high:.2f})."
                )
            )
        yield Section(f"sustained-{number}", f"{name} over {minutes:g} minutes", tuple(blocks), (picture,))


def _accuracy(results: Mapping[str, Result]) -> Iterator[Section]:
    points = [point for name, result in results.items() for point in accuracy_points(name, result, len(results) > 1)]
    if not points:
        return
    figure = figures.accuracy_figure(points)
    alt = "Accuracy against latency and against size: " + ", ".join(point["name"] for point in points)
    caption = "Accuracy of that very file, a point for each row; a name stands at the cheapest of its points."
    picture = Picture("accuracy", figure, alt, caption, wide=True)
    yield Section("accuracy", "Accuracy against cost", (html.charts([picture]),), (picture,))


def accuracy_points(name: str, result: Result, several: bool) -> Iterator[Result]:
    """Yield what is known of accuracy, latency and bytes together; `several` results tell their names too."""
    for row in result.get("rows") or []:
        if row.get("accuracy") and row.get("latency") and (row.get("file") or {}).get("bytes"):
            group = f"{row['precision']}, {engine_title(row['engine'])}"
            yield {
                "name": row["model"],
                "group": f"{name}: {group}" if several else group,
                "accuracy": row["accuracy"]["top1"],
                "milliseconds": row["latency"]["p50"],
                "bytes": row["file"]["bytes"],
            }
    total, accuracy = (result.get("stages") or {}).get("total"), result.get("accuracy")
    if total and isinstance(accuracy, dict) and "top1" in accuracy:
        model = result["workload"]["model"]
        yield {
            "name": model["name"],
            "group": name,
            "accuracy": accuracy["top1"],
            "milliseconds": total["p50"],
            "bytes": model["bytes"],
        }


def _machines(results: Mapping[str, Result]) -> Section:
    keys = list(dict.fromkeys(key for result in results.values() for key in machine_facts(result)))
    rows = [[key, *(machine_facts(result).get(key, "-") for result in results.values())] for key in keys]
    table = html.table("Where and with what each was measured", ["", *results], rows, numbers_from=99)
    return Section("machines", "Machines", (table,))


def machine_facts(result: Result) -> dict[str, str]:
    """Return what a reader wants to know of a machine, as text."""
    fingerprint = result.get("fingerprint") or {}
    processor, software = fingerprint.get("processor") or {}, fingerprint.get("software") or {}
    environment = {key: value for key, value in (fingerprint.get("environment") or {}).items() if value is not None}
    found: dict[str, Any] = {
        "board": fingerprint.get("board"),
        "processor": processor.get("model"),
        "cores": processor.get("cores"),
        "features": _listed(processor.get("features") or []),
        "system": software.get("system"),
        "Python": software.get("python"),
        "libraries": _listed([f"{name} {version}" for name, version in (software.get("libraries") or {}).items()]),
        "between program and machine": _listed([f"{key.replace('_', ' ')}: {one}" for key, one in environment.items()]),
        "notes": _listed((result.get("comparable") or {}).get("notes") or []),
        "not visible here": _listed((result.get("comparable") or {}).get("unseen") or []),
        "edgedigits": result.get("edgedigits"),
        "made": result.get("made"),
    }
    return {key: str(value) for key, value in found.items() if value}


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def as_json(found: Comparison) -> Result:
    """Return a comparison as JSON holds it."""
    return asdict(found)
