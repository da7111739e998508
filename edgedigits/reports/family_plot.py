"""Plot the family: accuracy against parameters, size and latency, with published networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED, find_model, open_model, shipped_names
from edgedigits.plotting.style import BLUE, INK, VERMILION, WIDTH, new_figure, tidy, to_png, to_svg
from edgedigits.reports.model_card import Card, read_card
from edgedigits.reports.published_networks import PUBLISHED
from edgedigits_runtime.errors import ArtifactNotFound, MissingExtra, UnknownName
from edgedigits_runtime.timing import interleaved
from edgedigits_runtime.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

WRITERS = {".png": to_png, ".svg": to_svg}

TICKS = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.997, 0.998, 0.999)
"""Accuracies that label the axis, where they are in range."""

Place = tuple[tuple[int, int], str, str]

PLACES: Sequence[Place] = (
    ((6, 0), "left", "center"),
    ((-6, 0), "right", "center"),
    ((0, 6), "center", "bottom"),
    ((0, -6), "center", "top"),
    ((6, 5), "right", "bottom"),
)
"""Places of a name beside its point, the best first: offset in points of type, and alignment."""

CLEAR_OF_THE_LINE: Sequence[Place] = (((-5, 3), "right", "bottom"), ((6, -4), "left", "top"))
"""The same for our points, which a rising line joins."""

MARKER = 4
"""Half of the width of a marker, in points of type."""

SMALLEST_ERROR = 1e-4
"""The axis of errors is logarithmic, so an error of 0 is drawn as this."""


@dataclass(frozen=True)
class Point:
    """A model: accuracy 0..1, bytes of its file, and latency of one image; None if unknown."""

    name: str
    accuracy: float
    parameters: int
    bytes: int | None = None
    microseconds: float | None = None


def frontier_figure(ours: Sequence[Point], published: Sequence[Point], machine: str) -> "Figure":
    """Draw three panels with one axis of accuracy.

    Args:
        ours: at least one, with all figures known.
        published: a point is left out of a panel whose figure is unknown.
        machine: the latency was measured on it.
    """
    figure = new_figure(2.8 * WIDTH, 4.0)
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(1.5, 1, 1))
    labels = {
        "parameters": "parameters",
        "bytes": "bytes on disk",
        "microseconds": f"µs an image, LiteRT on {machine}",
    }
    for axes, (attribute, label) in zip(panels, labels.items(), strict=True):
        axes.set(xscale="log", yscale="log")
        _draw(axes, attribute, ours, BLUE, "o-", "edgedigits, int8")
        _draw(axes, attribute, published, VERMILION, "s", "published")
        known = [getattr(point, attribute) for point in (*ours, *published)]
        _leave_room(axes, [cost for cost in known if cost is not None])
        tidy(axes, xlabel=label)
    _write_accuracies(panels[0], [_error(point) for point in (*ours, *published)])
    panels[0].set_ylabel("MNIST test accuracy (%)", color=INK)
    panels[0].legend(fontsize=8, loc="lower right")
    # Names avoid each other, so the layout must be final first.
    figure.draw_without_rendering()
    for axes, attribute in zip(panels, labels, strict=True):
        _write_names(axes, attribute, ours, published)
    return figure


def _draw(axes: "Axes", attribute: str, points: Sequence[Point], colour: str, style: str, label: str) -> None:
    """Draw points of one kind."""
    known = [point for point in points if getattr(point, attribute) is not None]
    if known:
        x = [getattr(point, attribute) for point in known]
        axes.plot(x, [_error(point) for point in known], style, color=colour, linewidth=1, markersize=5, label=label)


def _write_names(axes: "Axes", attribute: str, ours: Sequence[Point], published: Sequence[Point]) -> None:
    """Write names: ours beside the line that joins them, the others where there is space."""
    known = [point for point in (*ours, *published) if getattr(point, attribute) is not None]
    places_of = {point: (getattr(point, attribute), _error(point)) for point in known}
    used = [_marker(axes, at) for at in places_of.values()]
    for point in ours:
        accuracy = f" {point.accuracy:.2%}" if attribute == "parameters" else ""
        used.append(_write(axes, point.name + accuracy, places_of[point], BLUE, CLEAR_OF_THE_LINE, used))
    for point in published:
        if point in places_of:
            used.append(_write(axes, point.name, places_of[point], VERMILION, PLACES, used))


def _marker(axes: "Axes", at: tuple[float, float]) -> "Bbox":
    """Return the box of a marker in pixels."""
    from matplotlib.transforms import Bbox

    x, y = axes.transData.transform(at)
    half = MARKER * axes.figure.dpi / 72
    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _write(
    axes: "Axes", name: str, at: tuple[float, float], colour: str, places: Sequence[Place], used: Sequence["Bbox"]
) -> "Bbox":
    """Write a name in the first free place beside its point, else in the last, and return its box."""
    panel = axes.get_window_extent()
    for offset, across, along in places:
        text = axes.annotate(
            name, at, xytext=offset, textcoords="offset points", color=colour, fontsize=8, ha=across, va=along
        )
        text.set_in_layout(False)  # It would move the panels again.
        box = text.get_window_extent()
        fits = panel.x0 <= box.x0 and box.x1 <= panel.x1 and not any(box.overlaps(other) for other in used)
        if fits or (offset, across, along) == places[-1]:
            break
        text.remove()
    return box


def _leave_room(axes: "Axes", costs: Sequence[float]) -> None:
    """Widen the horizontal axis for the names at its ends, and write its numbers in full."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    low, high = min(costs), max(costs)
    # At least a power of ten, so that the axis has a label.
    room = max((high / low) ** 0.1, 10 / (high / low), 1.5)
    # Our names begin left of their points.
    axes.set_xlim(low / room**2, high * room)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _write_accuracies(axes: "Axes", errors: Sequence[float]) -> None:
    """Invert the axis of errors, so that better is higher, and label it with accuracies."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_ylim(max(errors) * 1.5, min(errors) / 2)
    axes.yaxis.set_major_locator(FixedLocator([1 - tick for tick in TICKS]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 * (1 - error):.4g}"))


def _error(point: Point) -> float:
    return max(1 - point.accuracy, SMALLEST_ERROR)


def plot_family(out: Path, folder: Path = SHIPPED) -> Path:
    """Draw test accuracy of the shipped models against parameters, size and latency on this machine.

    Args:
        out: a `.png` or `.svg` file.
        folder: where the cards are; latency is always measured on the shipped files.

    Raises:
        UnknownName: another type of file.
        ArtifactNotFound: no model has a card.
        MissingExtra: matplotlib is not installed.
        OutputNotWritable: the file could not be written.
    """
    if out.suffix not in WRITERS:
        raise UnknownName("type of picture", out.suffix or out.name, WRITERS)
    cards = {name: card for name in shipped_names() if (card := read_card(name, folder))}
    if not cards:
        raise ArtifactNotFound(f"no cards in {folder}; python -m benchmarks.shipped_models.build makes them")
    milliseconds = measure_latency(list(cards))
    points = [as_point(card, 1000 * milliseconds[name]) for name, card in cards.items()]
    points.sort(key=lambda point: point.parameters)
    others = [Point(one.label, one.accuracy, one.parameters, one.bytes) for one in PUBLISHED]
    try:
        figure = frontier_figure(points, others, str(describe_machine()["processor"]))
    except ImportError as error:
        raise MissingExtra("models plot", "plot") from error
    return write_whole(out, WRITERS[out.suffix](figure))


def measure_latency(names: list[str]) -> dict[str, float]:
    """Return the median milliseconds of one image, pixels to probabilities, through each model's int8 file."""
    image = np.zeros((1, 28, 28, 1), np.uint8)
    return interleaved({name: partial(open_model(find_model(name)).run, image) for name in names})


def as_point(card: Card, microseconds: float) -> Point:
    """Return the point of a card: its int8 file, with the mean accuracy of the seeds."""
    file = card["files"][f"{card['name']}.tflite"]
    seeds = card.get("int8_accuracy_of_seeds")
    accuracy = seeds["mean"] if seeds else file["accuracy"]["value"]
    return Point(card["name"], accuracy, card["parameters"], file["bytes"], microseconds)
