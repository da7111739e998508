"""The frontier: accuracy against parameters, size on disk and latency, with what others published."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgedigits.plotting.style import BLUE, INK, VERMILION, WIDTH, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

TICKS = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.997, 0.998, 0.999)
"""Accuracies that are written at the axis, so many as fall into the figure."""

Place = tuple[tuple[int, int], str, str]

PLACES: Sequence[Place] = (
    ((6, 0), "left", "center"),
    ((-6, 0), "right", "center"),
    ((0, 6), "center", "bottom"),
    ((0, -6), "center", "top"),
    ((6, 5), "right", "bottom"),
)
"""Where a name may stand beside its point, the best first: points of type to the right and up, and alignment."""

CLEAR_OF_THE_LINE: Sequence[Place] = (((-5, 3), "right", "bottom"), ((6, -4), "left", "top"))
"""The same for ours, which a rising line joins."""

MARKER = 4
"""Half of the side of what a point takes, in points of type."""

SMALLEST_ERROR = 1e-4
"""The axis shows errors on a logarithmic scale, which has no place for none."""


@dataclass(frozen=True)
class Point:
    """One model.

    Args:
        name: its label.
        accuracy: 0..1.
        parameters: how many.
        bytes: of its file; None where it is not known.
        microseconds: of one image; None where it is not known.
    """

    name: str
    accuracy: float
    parameters: int
    bytes: int | None = None
    microseconds: float | None = None


def frontier_figure(ours: Sequence[Point], published: Sequence[Point], machine: str) -> "Figure":
    """Draw three panels with one axis of accuracy.

    Args:
        ours: at least one; all of a point is known.
        published: what is not known of a point is left out of its panel.
        machine: that the latency was measured on.
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
    # Names keep clear of each other, so everything has to stand where it will.
    figure.draw_without_rendering()
    for axes, attribute in zip(panels, labels, strict=True):
        _write_names(axes, attribute, ours, published)
    return figure


def _draw(axes: "Axes", attribute: str, points: Sequence[Point], colour: str, style: str, label: str) -> None:
    """Draw one kind of points."""
    known = [point for point in points if getattr(point, attribute) is not None]
    if known:
        x = [getattr(point, attribute) for point in known]
        axes.plot(x, [_error(point) for point in known], style, color=colour, linewidth=1, markersize=5, label=label)


def _write_names(axes: "Axes", attribute: str, ours: Sequence[Point], published: Sequence[Point]) -> None:
    """Write ours clear of the line that joins them, and the others where there is room."""
    known = [point for point in (*ours, *published) if getattr(point, attribute) is not None]
    places_of = {point: (getattr(point, attribute), _error(point)) for point in known}
    taken = [_marker(axes, at) for at in places_of.values()]
    for point in ours:
        accuracy = f" {point.accuracy:.2%}" if attribute == "parameters" else ""
        taken.append(_write(axes, point.name + accuracy, places_of[point], BLUE, CLEAR_OF_THE_LINE, taken))
    for point in published:
        if point in places_of:
            taken.append(_write(axes, point.name, places_of[point], VERMILION, PLACES, taken))


def _marker(axes: "Axes", at: tuple[float, float]) -> "Bbox":
    """Return what a point takes, in pixels."""
    from matplotlib.transforms import Bbox

    x, y = axes.transData.transform(at)
    half = MARKER * axes.figure.dpi / 72
    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _write(
    axes: "Axes", name: str, at: tuple[float, float], colour: str, places: Sequence[Place], taken: Sequence["Bbox"]
) -> "Bbox":
    """Write a name beside its point and return what it takes.

    It stands in the first place where it is inside and covers nothing that is taken, else in the last.
    """
    panel = axes.get_window_extent()
    for offset, across, along in places:
        text = axes.annotate(
            name, at, xytext=offset, textcoords="offset points", color=colour, fontsize=8, ha=across, va=along
        )
        text.set_in_layout(False)  # Which would move the panels again.
        box = text.get_window_extent()
        fits = panel.x0 <= box.x0 and box.x1 <= panel.x1 and not any(box.overlaps(other) for other in taken)
        if fits or (offset, across, along) == places[-1]:
            break
        text.remove()
    return box


def _leave_room(axes: "Axes", costs: Sequence[float]) -> None:
    """Widen the horizontal axis, so that names at its ends stay within, and write its numbers in full."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    low, high = min(costs), max(costs)
    # At least a power of ten, of which the axis writes one.
    room = max((high / low) ** 0.1, 10 / (high / low), 1.5)
    # Names of ours begin left of their points.
    axes.set_xlim(low / room**2, high * room)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _write_accuracies(axes: "Axes", errors: Sequence[float]) -> None:
    """Turn the axis of errors upside down, so that better is higher, and write accuracies at it."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_ylim(max(errors) * 1.5, min(errors) / 2)
    axes.yaxis.set_major_locator(FixedLocator([1 - tick for tick in TICKS]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 * (1 - error):.4g}"))


def _error(point: Point) -> float:
    return max(1 - point.accuracy, SMALLEST_ERROR)
