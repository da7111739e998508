"""How the samples of each split are spread over the classes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.plotting.style import BLUE, GREEN, VERMILION, escape, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = (BLUE, VERMILION, GREEN)
BAR = 0.8


def distribution_figure(counts: Mapping[str, NDArray[Any]], classes: Sequence[str]) -> "Figure":
    """Draw the share of each class in each split.

    Args:
        counts: by split, samples of each class, int [classes].
        classes: their names.
    """
    figure = new_figure(height=max(3.2, 0.8 + 0.34 * len(classes)))
    axes = figure.subplots()
    rows = np.arange(len(classes))
    thickness = BAR / len(counts)
    for i, (split, of_class) in enumerate(counts.items()):
        shares = 100 * of_class / max(1, of_class.sum())
        offset = (i - (len(counts) - 1) / 2) * thickness
        axes.barh(rows + offset, shares, thickness, color=COLOURS[i % len(COLOURS)], label=split)
    axes.set_yticks(rows, [escape(name) for name in classes])
    axes.invert_yaxis()
    tidy(axes, xlabel="share of the split (%)")
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=len(counts), fontsize=8)
    return figure
