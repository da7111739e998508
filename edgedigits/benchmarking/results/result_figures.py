"""Figures of benchmark results: latencies with their whole spread, accuracy against cost, a run over minutes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgedigits.benchmarking.results.result_file import Result
from edgedigits.benchmarking.results.result_text import duration, times_text
from edgedigits.plotting import style
from edgedigits.plotting.style import BLUE, GREEN, GRID, INK, ORANGE, PURPLE, SKY, VERMILION, WIDTH, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
BINS = 60  # Of a drawn histogram; a result has many more.

MOST_SERIES = len(COLOURS)
STAGE_COLOURS = {
    "decode": SKY, "ink": BLUE, "locate": GREEN, "find": BLUE, "frame": ORANGE, "invoke": VERMILION,
    "classify": VERMILION, "reject": PURPLE, "judge": PURPLE,
}  # fmt: skip


def histogram_figure(series: Mapping[str, Result]) -> "Figure":
    """Draw the latencies of up to MOST_SERIES results by name, summaries in milliseconds, with p50 and p99 as lines."""
    from matplotlib.ticker import FuncFormatter

    figure = new_figure(2 * WIDTH, 3.4)
    axes = figure.subplots()
    low = min(summary["min"] for summary in series.values())
    high = max(summary["max"] for summary in series.values())
    edges = np.geomspace(0.98 * low, 1.02 * high, BINS + 1)
    for (name, summary), colour in zip(series.items(), COLOURS, strict=False):
        shares = 100 * rebinned(summary["histogram"], edges) / summary["count"]
        label = f"{style.escape(name)}: p50 {duration(summary['p50'])}, p99 {duration(summary['p99'])}"
        axes.stairs(shares, edges, color=colour, fill=True, alpha=0.25)
        axes.stairs(shares, edges, color=colour, label=label)
        axes.axvline(summary["p50"], color=colour, linewidth=1)
        axes.axvline(summary["p99"], color=colour, linewidth=1, linestyle=":")
    # A linear axis would hide the rare slow calls, which make p99.9 and the maximum.
    axes.set(xscale="log", yscale="log")
    axes.set_ylim(50 / max(summary["count"] for summary in series.values()), 150)
    plain_numbers(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:,.10g}"))
    tidy(axes, xlabel="milliseconds", ylabel="share of the calls (%)")
    axes.legend(fontsize=8, loc="upper right")
    return figure


def rebinned(histogram: Result, edges: Any) -> Any:
    """Return the counts between other edges; a bin that straddles an edge is split by width."""
    known = np.concatenate([[0.0], np.cumsum(histogram["counts"])])
    return np.diff(np.interp(edges, histogram["edges"], known))


def rows_figure(rows: Sequence[Result], part: str = "latency") -> "Figure":
    """Draw a line for each row, from the fastest call to p99, with a mark at p50; `part` is "latency" or "process"."""
    ordered = sorted(rows, key=lambda row: float(row[part]["p50"]))
    figure = new_figure(2 * WIDTH, 1.0 + 0.3 * len(ordered))
    axes = figure.subplots()
    best = ordered[0][part]["p50"]
    for place, row in enumerate(ordered):
        summary = row[part]
        axes.plot([summary["min"], summary["p99"]], [place, place], color=SKY, linewidth=5, solid_capstyle="butt")
        axes.plot(summary["p50"], place, "o", color=BLUE, markersize=5)
        times = f"  ({times_text(summary['p50'] / best)} times)" if place else ""
        axes.annotate(
            f"{duration(summary['p50'])}{times}", (summary["p99"], place), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=8, color=INK,
        )  # fmt: skip
    axes.set_yticks(range(len(ordered)), [row["name"] for row in ordered])
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    axes.set_xscale("log")
    low, high = min(row[part]["min"] for row in ordered), max(row[part]["p99"] for row in ordered)
    # Room for the labels behind the lines.
    axes.set_xlim(low / 1.1, high * max(1.8, (high / low) ** 0.35))
    plain_numbers(axes)
    tidy(axes, xlabel="milliseconds: mark at p50, line from the fastest call to p99")
    axes.grid(visible=False, axis="y")
    return figure


def accuracy_figure(points: Sequence[Result]) -> "Figure":
    """Draw accuracy against latency and size; each point has name, group, accuracy 0..1, milliseconds and bytes."""
    figure = new_figure(2 * WIDTH, 3.6)
    panels = figure.subplots(1, 2, sharey=True)
    groups = list(dict.fromkeys(point["group"] for point in points))
    for axes, (key, label) in zip(panels, {"milliseconds": "p50, milliseconds", "bytes": "bytes on disk"}.items(),
                                  strict=True):  # fmt: skip
        axes.set_xscale("log")
        for number, group in enumerate(groups):
            of_group = [point for point in points if point["group"] == group]
            axes.plot(
                [point[key] for point in of_group], [100 * point["accuracy"] for point in of_group],
                MARKERS[number % len(MARKERS)], color=COLOURS[number % len(COLOURS)], markersize=5, label=group,
            )  # fmt: skip
        for point in labelled(points, key):
            axes.annotate(
                style.escape(point["name"]), (point[key], 100 * point["accuracy"]), xytext=(0, 6),
                textcoords="offset points", fontsize=8, color=INK, ha="center",
            )  # fmt: skip
        values = [point[key] for point in points]
        axes.set_xlim(min(values) / 1.6, max(values) * 1.6)
        plain_numbers(axes)
        tidy(axes, xlabel=label)
    accuracies = [100 * point["accuracy"] for point in points]
    room = max(0.1, 0.15 * (max(accuracies) - min(accuracies)))
    panels[0].set_ylim(min(accuracies) - room, max(accuracies) + 1.5 * room)
    panels[0].set_ylabel("accuracy (%)", color=INK)
    panels[1].legend(fontsize=8, loc="lower right")
    return figure


def labelled(points: Sequence[Result], key: str) -> list[Result]:
    """Return the cheapest point of each name; labels of all points would overlap."""
    cheapest: dict[str, Result] = {}
    for point in sorted(points, key=lambda point: float(point[key])):
        cheapest.setdefault(point["name"], point)
    return list(cheapest.values())


def stages_figure(results: Mapping[str, Result]) -> "Figure":
    """Draw the p50 of each stage as parts of a bar for each result."""
    figure = new_figure(2 * WIDTH, 1.1 + 0.45 * len(results))
    axes = figure.subplots()
    unlabelled = {stage: stage for stage in STAGE_COLOURS}
    for place, stages in enumerate(results.values()):
        start = 0.0
        for stage, colour in STAGE_COLOURS.items():
            if stage in stages:
                width = stages[stage]["p50"]
                axes.barh(place, width, left=start, height=0.6, color=colour, label=unlabelled.pop(stage, ""))
                start += width
    axes.set_yticks(range(len(results)), [style.escape(name) for name in results])
    axes.invert_yaxis()
    tidy(axes, xlabel="milliseconds, p50 of each stage")
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=len(STAGE_COLOURS), fontsize=8)
    return figure


def throughput_figure(points: Sequence[Result], knee: Result | None) -> "Figure":
    """Draw images a second over the size of the batch, a line for each number of threads, and mark the knee."""
    figure = new_figure(1.4 * WIDTH, 3.2)
    axes = figure.subplots()
    counts = list(dict.fromkeys(point["threads"] for point in points))
    for number, threads in enumerate(counts):
        of_count = [point for point in points if point["threads"] == threads]
        rates = np.array([point["images_per_second"] for point in of_count])
        ends = np.array([point.get("interval") or (rate, rate) for point, rate in zip(of_count, rates, strict=True)])
        axes.errorbar(
            [point["batch"] for point in of_count], rates, np.abs(ends.T - rates),
            color=COLOURS[number % len(COLOURS)], marker=MARKERS[number % len(MARKERS)], markersize=4, capsize=2,
            linewidth=1, label=f"{threads} thread{'s' if threads > 1 else ''}",
        )  # fmt: skip
    if knee:
        axes.plot(
            knee["batch"], knee["images_per_second"], "o", color=INK, fillstyle="none", markersize=12,
            label=f"knee: {knee['threads']} threads, batch {knee['batch']}",
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_ylim(bottom=0)
    plain_numbers(axes)
    tidy(axes, xlabel="images in a call", ylabel="images a second")
    axes.legend(fontsize=8)
    return figure


def sustained_figure(windows: Sequence[Result]) -> "Figure":
    """Draw latency over minutes, and below it the clock and the temperature if the board reports them."""
    minutes = [window["at"] / 60 for window in windows]
    extra = [
        (key, label, colour)
        for key, label, colour in (("mhz", "MHz", GREEN), ("celsius", "°C", VERMILION))
        if any(window.get(key) is not None for window in windows)
    ]
    figure = new_figure(2 * WIDTH, 2.6 + 1.3 * len(extra))
    panels = figure.subplots(1 + len(extra), 1, sharex=True, squeeze=False, height_ratios=[2] + [1] * len(extra))[:, 0]
    axes = panels[0]
    axes.plot(minutes, [window["p99"] for window in windows], color=SKY, linewidth=1, label="p99")
    axes.plot(minutes, [window["p50"] for window in windows], color=BLUE, linewidth=1.5, label="p50")
    axes.set_ylim(0, 1.15 * max(window["p99"] for window in windows))
    tidy(axes, ylabel="milliseconds")
    axes.legend(fontsize=8, loc="lower right", ncols=2)
    for panel, (key, label, colour) in zip(panels[1:], extra, strict=True):
        panel.plot(minutes, np.array([window.get(key) for window in windows], np.float64), color=colour, linewidth=1.5)
        tidy(panel, ylabel=label)
    for panel in panels:
        for start, end, window in zip(minutes, [*minutes[1:], minutes[-1]], windows, strict=True):
            if window.get("throttled"):
                panel.axvspan(start, end, color=GRID, linewidth=0, zorder=0)
    panels[-1].set_xlabel("minutes", color=INK)
    return figure


def plain_numbers(axes: "Axes") -> None:
    """Write the numbers of a logarithmic horizontal axis in full, more of them on a short axis of base 10."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_xlim()
    if axes.xaxis.get_transform().base == 10:  # type: ignore[attr-defined]  # of a log scale
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 2000 else (1.0,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
