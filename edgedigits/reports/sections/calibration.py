"""Calibration: the network's accuracy by its confidence."""

from typing import TYPE_CHECKING

import numpy as np

from edgedigits.plotting.style import BLUE, INK, VERMILION, new_figure, tidy
from edgedigits.reports.evaluation import Evaluation
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, charts, paragraph
from edgedigits.verification.reliability import BINS, Reliability, group_by_confidence
from edgedigits_runtime.preprocessing import Probabilities

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Calibration"


def calibration(facts: Facts) -> Section:
    """Return reliability diagrams of the test split, before and after the temperature."""
    network = facts.network
    if facts.test is None or network is None or network.contract is None:
        return Section("calibration", TITLE, missing=facts.reasons("network", "data", "decisions"))
    before = _picture(facts.test, facts.test.probabilities, "before", "the network's probabilities")
    method = (
        f"Expected calibration error over {BINS} bins of equal width: the mean distance between confidence and"
        " accuracy, weighted by images (Guo et al. 2017, “On Calibration of Modern Neural Networks”, arXiv:1706.04599)."
    )
    if not network.finished:
        missing = ("confidence: the temperature is fitted at the end of a training, and this one has not finished",)
        return Section("calibration", TITLE, (paragraph(method), charts([before])), (before,), missing)
    temperature = network.contract.temperature
    after = _picture(facts.test, facts.test.confidences, "after", f"after the temperature {temperature:g}")
    fitted = (
        f"The temperature, {temperature:g}, was fitted on the validation split; these are figures of the test split."
    )
    pictures = (before, after)
    return Section("calibration", TITLE, (paragraph(method), paragraph(fitted), charts(pictures)), pictures)


def _picture(test: Evaluation, probabilities: Probabilities, when: str, what: str) -> Picture:
    found = group_by_confidence(probabilities, test.labels)
    summary = f"Expected calibration error {found.expected_error:.2%}: {what}."
    sure = found.counts[-1] / found.counts.sum()
    return Picture(
        f"reliability-{when}", reliability_figure(found),
        f"Reliability diagram, share right by confidence in {BINS} bins; {sure:.1%} of the images are in the"
        f" topmost. {summary}",
        summary,
    )  # fmt: skip


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
