"""The reliability diagram: how often answers of a confidence are right."""

from typing import TYPE_CHECKING

import numpy as np

from edgedigits.plotting.style import BLUE, INK, VERMILION, new_figure, tidy
from edgedigits.verification.reliability import Reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability_figure(found: Reliability) -> "Figure":
    """Draw accuracy by confidence above the share of images in each bin (Guo et al. 2017, figure 1)."""
    figure = new_figure(height=4.0)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    bins = len(found.counts)
    width = 1 / bins
    centres = (np.arange(bins) + 0.5) * width
    filled = found.counts > 0
    upper.bar(centres[filled], found.accuracy[filled], 0.9 * width, color=BLUE, label="right")
    gaps = (found.confidence - found.accuracy)[filled]
    upper.bar(
        centres[filled], gaps, 0.9 * width, bottom=found.accuracy[filled],
        facecolor="none", edgecolor=VERMILION, hatch="////", linewidth=0.8, label="gap to confidence",
    )  # fmt: skip
    upper.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=1, label="perfect")
    upper.set_ylim(0, 1.02)
    upper.legend(fontsize=8, loc="upper left")
    tidy(upper, ylabel="share right")
    lower.bar(centres, 100 * found.counts / max(1, found.counts.sum()), 0.9 * width, color=BLUE)
    lower.set(xlim=(0, 1), ylim=(0, 100))
    tidy(lower, xlabel="confidence", ylabel="images (%)")
    return figure
