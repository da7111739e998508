"""Draw results: each picture as PNG and SVG, and all of them in one self-contained page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.results import result_figures
from edgedigits.benchmarking.results.comparing import compare, comparison_head, comparison_rows, objections
from edgedigits.benchmarking.results.result_file import ORDER, Result
from edgedigits.benchmarking.results.result_text import board_of, duration, engine_title
from edgedigits.plotting.style import to_png
from edgedigits.reports import html
from edgedigits.reports.html import Picture, Section
from edgedigits_runtime.errors import MissingExtra, WorkloadsDiffer
from edgedigits_runtime.whole_files import write_whole

PAGE = "bench.html"


def plot(results: Mapping[str, Result], out: Path) -> Path:
    """Draw at least one result, by name, into a folder, and return the path of the page. Raises MissingExtra."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra("bench plot", "plot") from error
    sections = list(_sections(results))
    for picture in (picture for section in sections for picture in section.pictures):
        write_whole(out / f"{picture.name}.png", to_png(picture.figure))
        write_whole(out / f"{picture.name}.svg", picture.svg)
    subtitle = "; ".join(f"{name}: {board_of(result)}" for name, result in results.items())
    return write_whole(out / PAGE, html.page("What it costs", subtitle, sections))


def _sections(results: Mapping[str, Result]) -> Iterator[Section]:
    """Yield the sections of the page that have content."""
    yield _overview(results)
    if len(results) > 1:
        yield _comparison(results)
    yield from _steady(results)
    for number, (name, result) in enumerate(results.items()):
        yield from _rows(name, result, number)
        yield from _throughput(name, result, number)
        yield from _sustained(name, result, number)
    yield from _accuracy(results)
    facts = {name: _machine_facts(result) for name, result in results.items()}
    keys = dict.fromkeys(key for found in facts.values() for key in found)
    rows = [[key, *(found.get(key, "-") for found in facts.values())] for key in keys]
    table = html.table("Where and with what each was measured", ["", *results], rows, numbers_from=99)
    yield Section("machines", "Machines", (table,))


def _overview(results: Mapping[str, Result]) -> Section:
    tiles, lines, warnings = [], [], list[str]()
    for name, result in results.items():
        if total := (result.get("stages") or {}).get("total"):
            tiles.append((f"{name}, p50", duration(total["p50"]), f"p99 {duration(total['p99'])}, {_work(result)}"))
        if text := (result.get("recommendation") or {}).get("text"):
            lines.append(html.paragraph(f"{name}: {text}"))
        warnings += objections(name, result)
    blocks = [html.tiles(tiles)] if tiles else []
    return Section("overview", "Overview", (*map(html.warning, warnings), *blocks, *lines))


def _work(result: Result) -> str:
    workload = result.get("workload") or {}
    model = workload.get("model") or {}
    engine = engine_title(workload.get("engine", ""))
    return f"{model.get('name', '')} {model.get('precision', '')} on {engine}, {workload.get('what', '')}".strip()


def _comparison(results: Mapping[str, Result]) -> Section:
    try:
        found = compare(results)
    except WorkloadsDiffer as error:
        return Section("compared", "Side by side", (html.warning(str(error)),))
    caption = f"{found.workload}; ratios to {found.names[0]}, with a verdict only where intervals do not overlap"
    table = html.table(caption, comparison_head(found), comparison_rows(found))
    return Section("compared", "Side by side", (*map(html.warning, found.warnings), table))


def _steady(results: Mapping[str, Result]) -> Iterator[Section]:
    stages = {name: result["stages"] for name, result in results.items() if result.get("stages")}
    if not stages:
        return
    totals = {name: found["total"] for name, found in stages.items() if "total" in found}
    pictures = []
    if totals:
        figure = result_figures.histogram_figure(dict(list(totals.items())[: result_figures.MOST_SERIES]))
        alt = f"Histograms of the latency of {', '.join(totals)}"
        caption = "Every call is counted. Lines: p50; dotted: p99. Both axes are logarithmic."
        pictures.append(Picture("latency", figure, alt, caption, wide=True))
    if any(len(found) > 1 for found in stages.values()):
        alt = f"Bars of the median time of each stage of {', '.join(stages)}"
        pictures.append(Picture("stages", result_figures.stages_figure(stages), alt, wide=True))
    tables = [_latency_table(name, found) for name, found in stages.items()]
    yield Section("latency", "Steady latency", (html.charts(pictures), *tables), tuple(pictures))


def _latency_table(name: str, found: Result) -> str:
    rows = [[what, f"{one['count']:,}", *(duration(one[column]) for column in ORDER)] for what, one in found.items()]
    return html.table(name, ["", "calls", *(column.replace("_", ".") for column in ORDER)], rows)


def _rows(name: str, result: Result, number: int) -> Iterator[Section]:
    rows = result.get("rows") or []
    if not rows:
        return
    pictures = []
    for part, title in (("latency", "one picture"), ("process", "whole process")):
        if measured := [row for row in rows if row.get(part)]:
            figure, alt = result_figures.rows_figure(measured, part), f"Latency of each row of {name}, {title}"
            pictures.append(Picture(f"rows-{part}-{number}", figure, alt, f"{name}, {title}", wide=True))
    failed = [html.warning(f"{row['name']}: {row['error']}") for row in rows if row["error"]]
    remarks = [html.paragraph(remark["text"]) for remark in (result.get("recommendation") or {}).get("remarks", [])]
    yield Section(f"rows-{number}", f"Rows of {name}", (*failed, html.charts(pictures), *remarks), tuple(pictures))


def _throughput(name: str, result: Result, number: int) -> Iterator[Section]:
    if points := (result.get("throughput") or {}).get("points"):
        figure = result_figures.throughput_figure(points, result["throughput"].get("knee"))
        picture = Picture(f"throughput-{number}", figure, f"Images a second of {name} over batch size and threads")
        yield Section(f"throughput-{number}", f"Throughput of {name}", (html.charts([picture]),), (picture,))


def _sustained(name: str, result: Result, number: int) -> Iterator[Section]:
    sustained = result.get("sustained") or {}
    if not sustained.get("windows"):
        return
    figure, minutes = result_figures.sustained_figure(sustained["windows"]), sustained["minutes"]
    alt = f"Latency, clock and temperature of {name} over {minutes:g} minutes"
    picture = Picture(f"sustained-{number}", figure, alt, "Grey bands: throttled.", wide=True)
    blocks = [html.charts([picture])]
    if drift := sustained.get("drift"):
        low, high = drift["interval"]
        times = f"{drift['last_over_first']:.2f} times as long as the first ({low:.2f} to {high:.2f})"
        blocks.append(html.paragraph(f"The last tenth took {times}."))
    yield Section(f"sustained-{number}", f"{name} over {minutes:g} minutes", tuple(blocks), (picture,))


def _accuracy(results: Mapping[str, Result]) -> Iterator[Section]:
    points = [point for name, result in results.items() for point in _accuracy_points(name, result, len(results) > 1)]
    if not points:
        return
    figure = result_figures.accuracy_figure(points)
    alt = "Accuracy against latency and against size: " + ", ".join(point["name"] for point in points)
    caption = "The accuracy of each file, a point for each row; a name is written at its cheapest point."
    picture = Picture("accuracy", figure, alt, caption, wide=True)
    yield Section("accuracy", "Accuracy against cost", (html.charts([picture]),), (picture,))


def _accuracy_points(name: str, result: Result, several: bool) -> Iterator[Result]:
    """Yield points with accuracy, latency and bytes; groups carry the result's name if there are several results."""
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


def _machine_facts(result: Result) -> dict[str, str]:
    fingerprint, verdict = result.get("fingerprint") or {}, result.get("comparable") or {}
    processor, software = fingerprint.get("processor") or {}, fingerprint.get("software") or {}
    environment = {key: value for key, value in (fingerprint.get("environment") or {}).items() if value is not None}
    found: dict[str, Any] = {
        "board": fingerprint.get("board"),
        "processor": processor.get("model"),
        "cores": processor.get("cores"),
        "features": _joined(processor.get("features") or []),
        "system": software.get("system"),
        "Python": software.get("python"),
        "libraries": _joined([f"{name} {version}" for name, version in (software.get("libraries") or {}).items()]),
        "environment": _joined([f"{key.replace('_', ' ')}: {one}" for key, one in environment.items()]),
        "notes": _joined(verdict.get("notes") or []),
        "not reported here": _joined(verdict.get("unseen") or []),
        "edgedigits": result.get("edgedigits"),
        "made": result.get("made"),
    }
    return {key: str(value) for key, value in found.items() if value}


def _joined(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))
