"""Accuracy and loss by epoch, training against validation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits.plotting.style import BLUE, INK, VERMILION, WIDTH, new_figure, tidy, to_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

History = Sequence[dict[str, float]]


def best_epoch(history: History) -> dict[str, float]:
    """Return the row with the best validation accuracy, the latest of equals; its weights are `best.keras`."""
    return max(history, key=lambda row: (row["val_accuracy"], row["epoch"]))


def metric_figure(history: History, metric: str) -> "Figure":
    """Draw "accuracy" or "loss" by epoch, for at least one epoch; the best and the final epoch are marked."""
    figure = new_figure()
    _plot(figure.subplots(), history, metric)
    return figure


def draw_curves(history: History, path: Path) -> None:
    """Draw accuracy and loss side by side to `path` as PNG."""
    figure = new_figure(2 * WIDTH)
    for axes, metric in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        _plot(axes, history, metric)
    path.write_bytes(to_png(figure))


def _plot(axes: "Axes", history: History, metric: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in history]
    axes.plot(epochs, [row[metric] for row in history], color=BLUE, marker="o", markersize=3, label="training")
    axes.plot(
        epochs, [row[f"val_{metric}"] for row in history],
        color=VERMILION, linestyle="--", marker="s", markersize=3, label="validation",
    )  # fmt: skip
    best, final = best_epoch(history), history[-1]
    for row, name, marker in ((best, "best", "*"), (final, "final", "D")):
        axes.plot(
            row["epoch"], row[f"val_{metric}"], marker, color=INK, fillstyle="none", linestyle="none",
            markersize=13 if marker == "*" else 9, label=f"{name}: epoch {row['epoch']:.0f}",
        )  # fmt: skip
    tidy(axes, xlabel="epoch", ylabel=metric)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend(fontsize=8, framealpha=0.9)


HEIGHT = 12


def curves_as_text(history: list[dict[str, float]], width: int) -> str:
    """Return accuracy and loss by epoch as two plain-text plots, `width` characters wide."""
    import plotext

    epochs = [row["epoch"] for row in history]
    plots: list[str] = []
    for metric in ("accuracy", "loss"):
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plotsize(width, HEIGHT)
        plotext.title(f"{metric} by epoch")
        for name, label, marker in ((metric, "training", "dot"), (f"val_{metric}", "validation", "x")):
            # Rounded, as it cannot scale an axis over differences that no plot would show.
            plotext.plot(epochs, [round(row[name], 4) for row in history], label=label, marker=marker)
        plotext.xticks(epochs if len(epochs) <= 10 else epochs[:: len(epochs) // 10])
        plots += [line.rstrip() for line in plotext.uncolorize(plotext.build()).splitlines()]
    return "\n".join(plots)
