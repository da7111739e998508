"""The confusion matrix, as counts or as shares of each true class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.plotting.style import INK, escape, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_WITH_NUMBERS = 20
"""With more classes the cells are too small for figures."""


def row_shares(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Return each row divided by its sum, float64; a row of zeros stays zero."""
    shares: NDArray[np.float64] = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return shares


def confusion_figure(confusion: NDArray[Any], classes: Sequence[str], *, normalised: bool) -> "Figure":
    """Draw a confusion matrix; cells without a sample stay white.

    Args:
        confusion: int [classes, classes], true by predicted.
        classes: their names.
        normalised: show percent of each true class in place of counts.
    """
    from matplotlib.colors import PowerNorm

    values = 100 * row_shares(confusion) if normalised else confusion
    side = min(12.0, max(4.6, 1.4 + 0.33 * len(classes)))
    figure = new_figure(side, side)
    axes = figure.subplots()
    # The diagonal holds nearly everything; a power below 1 lets single mistakes be seen beside it.
    norm = PowerNorm(0.4, vmin=0, vmax=max(1, values.max()))
    axes.pcolormesh(np.ma.masked_equal(values, 0), cmap="Blues", norm=norm, edgecolor="white", linewidth=0.5)
    if len(classes) <= MOST_WITH_NUMBERS:
        for row, column in np.argwhere(confusion > 0):
            value = values[row, column]
            axes.text(
                column + 0.5, row + 0.5, _cell(value) if normalised else str(value), ha="center", va="center",
                fontsize=7.5 if len(classes) <= 10 else 5.5, color="white" if norm(value) > 0.55 else INK,
            )  # fmt: skip
    tidy(axes, xlabel="predicted", ylabel="true")
    axes.grid(visible=False)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    names = [escape(name) for name in classes]
    upright = max(map(len, names)) > 2
    ticks = np.arange(len(classes)) + 0.5
    axes.set_xticks(ticks, names, rotation=90 if upright else 0)
    axes.set_yticks(ticks, names)
    axes.tick_params(length=0, labelsize=9 if len(classes) <= MOST_WITH_NUMBERS else 6)
    return figure


def _cell(percent: float) -> str:
    return "100" if percent == 100 else f"{percent:.1f}"
