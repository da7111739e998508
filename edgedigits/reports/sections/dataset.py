"""The dataset: shapes, classes and samples of its splits."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits.plotting.style import BLUE, GREEN, VERMILION, escape, new_figure, tidy
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, card, cards, charts, heading, pair, pixels, table
from edgedigits.reports.images import grid_figure, one_of_each_and_more

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SAMPLES = 40
TITLE = "Dataset"


def dataset(facts: Facts) -> Section:
    """Return shapes, class distribution and samples of the splits."""
    if facts.splits is None:
        return Section("dataset", TITLE, missing=facts.reasons("data"))
    splits = {name: facts.splits.named(name) for name in ("train", "validation", "test")}
    counts = {name: np.bincount(part.labels, minlength=len(facts.labels)) for name, part in splits.items()}
    gallery, grid = _samples(facts.splits.train, facts.labels)
    pictures = (_distribution(counts, facts.labels), grid)
    blocks = (
        table(
            f"Shapes of {Path(facts.config.data).name}: images × height × width × channels",
            ("split", "images", "labels"),
            [(name, _shape(part.images.shape), _shape(part.labels.shape)) for name, part in splits.items()],
        ),
        pair(charts(pictures[:1]), _counts(counts, facts.labels)),
        heading("Training images"),
        gallery,
    )
    return Section("dataset", TITLE, blocks, pictures)


def _counts(counts: Mapping[str, NDArray[np.int64]], labels: Sequence[str]) -> str:
    rows = [
        (label, *(f"{of_class[i]:,}" for of_class in counts.values()), f"{sum(c[i] for c in counts.values()):,}")
        for i, label in enumerate(labels)
    ]
    return table("Images of each class", ("class", *counts, "all"), rows)


def _distribution(counts: Mapping[str, NDArray[np.int64]], labels: Sequence[str]) -> Picture:
    summary = "; ".join(
        f"{name}: {of_class.sum():,} images, {of_class.min():,} to {of_class.max():,} in a class"
        for name, of_class in counts.items()
    )
    return Picture(
        "class-distribution", distribution_figure(counts, labels), f"Bars: share of each class by split. {summary}.",
        "Share of each class in each split.",
    )  # fmt: skip


def _samples(train: Samples, labels: Sequence[str]) -> tuple[str, Picture]:
    """Return a choice of training images, as HTML and as a figure."""
    chosen = one_of_each_and_more(train.labels, MOST_SAMPLES)
    images, names = train.images[chosen], [labels[label] for label in train.labels[chosen]]
    each = (
        card(pixels(image, f"training image {i}: {name}"), [name])
        for i, image, name in zip(chosen, images, names, strict=True)
    )
    figure = grid_figure(images, list(map(escape, names)))
    return cards(each, "small"), Picture("samples", figure, "training images", on_page=False)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{size:,}" for size in shape)


COLOURS = (BLUE, VERMILION, GREEN)
BAR = 0.8


def distribution_figure(counts: Mapping[str, NDArray[Any]], classes: Sequence[str]) -> "Figure":
    """Draw the share of each class in each split; `counts` has the samples of each class, int [classes], by split."""
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
