"""Accuracy on turned images."""

from typing import TYPE_CHECKING

from edgedigits.plotting.style import BLUE, INK, ORANGE, new_figure, tidy
from edgedigits.reports.rotation import RotationCurve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rotation_figure(curve: RotationCurve, trained_to: float | None) -> "Figure":
    """Draw accuracy by angle with its 95% interval.

    Args:
        curve: as measured.
        trained_to: augmentation turned the training images by up to so many degrees; None if it did not.
    """
    figure = new_figure()
    axes = figure.subplots()
    if trained_to is not None:
        axes.axvspan(-trained_to, trained_to, color=ORANGE, alpha=0.25, linewidth=0, label="turned so in training")
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    values = [100 * share.value for share in curve.accuracy]
    axes.fill_between(
        curve.degrees, [100 * share.low for share in curve.accuracy], [100 * share.high for share in curve.accuracy],
        color=BLUE, alpha=0.25, linewidth=0, label="95% interval",
    )  # fmt: skip
    axes.plot(curve.degrees, values, color=BLUE, marker="o", markersize=3, label="accuracy")
    axes.set_xticks([angle for angle in curve.degrees if angle % 15 == 0])
    tidy(axes, xlabel="degrees, counter-clockwise", ylabel="accuracy (%)")
    axes.legend(fontsize=8, loc="lower center")
    return figure
