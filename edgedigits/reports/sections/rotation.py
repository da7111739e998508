"""Accuracy on rotated images."""

from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, charts, pair, paragraph, table
from edgedigits.reports.rotation import rotation_figure

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
