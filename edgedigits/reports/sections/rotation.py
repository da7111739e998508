"""Accuracy on rotated images."""

from typing import TYPE_CHECKING

from edgedigits.plotting.style import BLUE, INK, ORANGE, new_figure, tidy
from edgedigits.reports.evaluation import RotationCurve
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, charts, pair, paragraph, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Rotation"


def rotation(facts: Facts) -> Section:
    """Return accuracy on test images rotated by -45 to 45 degrees."""
    curve = facts.rotation
    if curve is None:
        return Section("rotation", TITLE, missing=facts.reasons("network", "data", "decisions"))
    which = (
        f"All {curve.images:,} test images"
        if curve.images == curve.available
        else f"A seeded choice of {curve.images:,} of the {curve.available:,} test images"
    )
    augmentation = facts.config.augmentation
    trained_to = augmentation["rotation"] if augmentation else None
    trained = (
        f"with augmentation, which turns the images by up to {trained_to:.0f} degrees"
        if trained_to is not None
        else "without augmentation, on upright images only"
    )
    method = f"{which}, each turned about its centre. The network was trained {trained}."
    ends = (
        f"{curve.accuracy[0].value:.2%} at {curve.degrees[0]}°, {curve.accuracy[-1].value:.2%} at {curve.degrees[-1]}°"
    )
    picture = Picture(
        "rotation", rotation_figure(curve, trained_to),
        f"Curve: accuracy by angle. {curve.upright.value:.2%} upright, {ends}.",
        f"{curve.upright.value:.2%} upright, {ends}.",
    )  # fmt: skip
    rows = [
        (f"{angle:+d}°" if angle else "0°", f"{share.value:.2%}", f"{share.low:.2%} to {share.high:.2%}")
        for angle, share in zip(curve.degrees, curve.accuracy, strict=True)
        if angle % 15 == 0
    ]
    figures = table(
        "Accuracy on turned images; + is counter-clockwise", ("turned by", "accuracy", "95% interval"), rows
    )
    return Section("rotation", TITLE, (paragraph(method), pair(charts([picture]), figures)), (picture,))


def rotation_figure(curve: RotationCurve, trained_to: float | None) -> "Figure":
    """Draw accuracy by angle with its 95% interval; `trained_to` is the largest rotation in training, in degrees."""
    figure = new_figure()
    axes = figure.subplots()
    if trained_to is not None:
        axes.axvspan(-trained_to, trained_to, color=ORANGE, alpha=0.25, linewidth=0, label="rotations in training")
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
