"""Images of a dataset: a choice of them, a grid with captions, and bars of predicted probabilities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgedigits.plotting.style import BLUE, GRID, INK, VERMILION, WIDTH, bare_axes, escape, new_figure
from edgedigits_runtime.preprocessing import Images

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEED = 0

COLUMNS = 8
"""Of a grid."""

BARS = 5
"""Bars of one prediction: its most likely classes."""


def one_of_each_and_more(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return indices of at most `count` samples: a seeded, class-balanced choice, sorted by class."""
    order = np.random.default_rng(SEED).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        rank[of_class] = np.arange(len(of_class))
    chosen = order[np.argsort(rank[order], kind="stable")][:count]
    return chosen[np.argsort(labels[chosen], kind="stable")]


def at_random(available: int, count: int) -> NDArray[np.int64]:
    """Return at most `count` int64 indices below `available`: a seeded choice, ascending."""
    chosen = np.random.default_rng(SEED).choice(available, min(count, available), replace=False)
    return np.sort(chosen).astype(np.int64)


def grid_figure(images: Images, captions: Sequence[str]) -> "Figure":
    """Draw images, uint8 [N, H, W, C], with a caption of one or several lines below each."""
    columns = min(COLUMNS, len(images))
    rows = -(-len(images) // columns)
    lines = 1 + max(caption.count("\n") for caption in captions)
    cell = 1 + 0.24 * lines
    figure, axes = bare_axes(1.05 * columns, 1.05 * rows * cell)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = i % columns, -(i // columns) * cell
        _draw(axes, image, (left + 0.06, left + 0.94, top - 0.94, top - 0.06))
        axes.text(left + 0.5, top - 0.98, caption, ha="center", va="top", fontsize=7.5, color=INK)
    axes.set(xlim=(0, columns), ylim=(-rows * cell, 0), aspect="equal")
    return figure


def predictions_figure(images: Images, tops: Sequence[Sequence[tuple[str, float]]], truths: Sequence[str]) -> "Figure":
    """Draw images, uint8 [N, H, W, C], with bars of their most likely (label, probability), best first."""
    columns = 2 if len(images) > 1 else 1
    rows = -(-len(images) // columns)
    figure = new_figure(WIDTH * columns, 1.25 * rows)
    cells = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=(1, 2.6) * columns)
    for axes in cells.flat[2 * len(images) :]:
        axes.set_axis_off()
    for i, (image, top, truth) in enumerate(zip(images, tops, truths, strict=True)):
        picture, bars = cells.flat[2 * i], cells.flat[2 * i + 1]
        height, width = image.shape[:2]
        _draw(picture, image, (0, width, height, 0))
        picture.set_axis_off()
        picture.set_title(f"true: {escape(truth)}", fontsize=8, color=INK, loc="left")
        _bars(bars, top, truth)
    return figure


def _bars(axes: "Axes", top: Sequence[tuple[str, float]], truth: str) -> None:
    names = [escape(label) for label, _ in top]
    colours = [BLUE if label == truth else VERMILION for label, _ in top]
    rows = range(len(top))
    axes.barh(rows, [probability for _, probability in top], 0.7, color=colours)
    for row, (_, probability) in zip(rows, top, strict=True):
        axes.text(probability + 0.02, row, f"{probability:.1%}", va="center", fontsize=7, color=INK)
    axes.set_yticks(rows, names, fontsize=7, color=INK)
    axes.set(xlim=(0, 1.25), xticks=[])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(GRID)


def _draw(axes: "Axes", image: Images, extent: tuple[float, float, float, float]) -> None:
    pixels = image if image.shape[-1] == 3 else image[..., 0]
    axes.imshow(pixels, extent=extent, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
