"""Decisions on the test split: confusion, scores, mistakes and samples."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits.plotting.style import INK, escape, new_figure, tidy
from edgedigits.reports import html
from edgedigits.reports.evaluation import Evaluation
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, paragraph
from edgedigits.reports.images import BARS, at_random, grid_figure, predictions_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Test split"
MOST_MISTAKES = 40
MOST_PREDICTIONS = 12
MOST_WITH_NUMBERS = 20
"""Most classes of a matrix with numbers in its cells; with more the cells are too small."""

Labels = tuple[str, ...]


def decisions(facts: Facts) -> Section:
    """Return confusion, scores by class, mistakes and sample predictions."""
    if facts.test is None or facts.splits is None:
        return Section("test", TITLE, missing=facts.reasons("network", "data", "decisions"))
    test, samples, labels = facts.test, facts.splits.test, facts.labels
    matrices = tuple(_matrix(test, labels, normalised) for normalised in (False, True))
    predictions, predictions_picture = _predictions(test, samples, labels)
    pictures = [*matrices, predictions_picture]
    if len(test.mistakes):
        pictures.append(_mistakes_picture(test, samples, labels))
    blocks = (
        html.charts(matrices),
        _scores(test, labels),
        html.heading("Misclassified images"),
        *_mistakes(test, samples, labels),
        html.heading("Sample predictions"),
        paragraph(f"A seeded choice of {min(MOST_PREDICTIONS, len(samples))} test images, right or wrong."),
        predictions,
    )
    return Section("test", TITLE, blocks, tuple(pictures))


def _matrix(test: Evaluation, labels: Labels, normalised: bool) -> Picture:
    counts = test.confusion.copy()
    counts[range(len(labels)), range(len(labels))] = 0
    true, predicted = divmod(int(counts.argmax()), len(labels))
    worst = (
        f"The commonest mistake is {labels[true]} read as {labels[predicted]}, {counts.max()} times."
        if counts.any()
        else "There is no mistake."
    )
    kind = "percent of each true class" if normalised else "counts"
    return Picture(
        f"confusion-{'normalised' if normalised else 'raw'}",
        confusion_figure(test.confusion, labels, normalised=normalised),
        f"Confusion matrix of {len(test.labels):,} test images, true by predicted class, in {kind}. {worst}",
        f"Confusion matrix, {kind}. {worst}",
    )


def _scores(test: Evaluation, labels: Labels) -> str:
    scores = test.scores(labels)
    rows = [
        (one.name, f"{one.precision:.2%}", f"{one.recall:.2%}", f"{one.f1:.2%}", f"{one.samples:,}") for one in scores
    ]
    means = [sum(getattr(one, key) for one in scores) / len(scores) for key in ("precision", "recall", "f1")]
    mean = ("mean of the classes", *(f"{mean:.2%}" for mean in means), f"{len(test.labels):,}")
    head = ("class", "precision", "recall", "F1", "images")
    return html.table("Precision, recall and F1 by class", head, [*rows, mean])


def _mistakes(test: Evaluation, samples: Samples, labels: Labels) -> tuple[str, ...]:
    count = len(test.mistakes)
    if not count:
        return (paragraph(f"None of the {len(samples):,} test images is read wrong."),)
    summary = f"{count:,} of {len(samples):,} test images are read wrong ({count / len(samples):.2%})."
    if count > MOST_MISTAKES:
        summary += f" These are the {MOST_MISTAKES} worst: wrong, and most confident."
    else:
        summary += " All of them, the most confident first."
    each = []
    for i in test.mistakes[:MOST_MISTAKES]:
        true, read, confidence = labels[test.labels[i]], labels[test.predicted[i]], f"{test.confidence[i]:.1%}"
        image = html.pixels(samples.images[i], f"test image {i}: a {true}, read as {read} with {confidence}")
        each.append(html.card(image, [f"{true} → {read}", confidence, f"image {i}"]))
    return paragraph(summary + " Each with its true class → the one predicted, and the confidence."), html.cards(each)


def _mistakes_picture(test: Evaluation, samples: Samples, labels: Labels) -> Picture:
    worst = test.mistakes[:MOST_MISTAKES]
    captions = [
        f"{escape(labels[test.labels[i]])} → {escape(labels[test.predicted[i]])}\n{test.confidence[i]:.1%}"
        for i in worst
    ]
    return Picture("misclassified", grid_figure(samples.images[worst], captions), "mistakes", on_page=False)


def _predictions(test: Evaluation, samples: Samples, labels: Labels) -> tuple[str, Picture]:
    """Return a choice of test images with their most likely labels, as HTML and as a figure."""
    chosen = at_random(len(samples), MOST_PREDICTIONS)
    tops, truths = [test.top(int(i), labels, BARS) for i in chosen], [labels[test.labels[i]] for i in chosen]
    each = []
    for i, top, true in zip(chosen, tops, truths, strict=True):
        read = labels[test.predicted[i]]
        image = html.pixels(
            samples.images[i], f"test image {i}: a {true}, read as {read} with {test.confidence[i]:.1%}"
        )
        shares = html.bars((label, share, label == true) for label, share in top)
        each.append(html.card(image, [f"true: {true}", f"image {i}"], marked=true != read, below=shares))
    figure = predictions_figure(samples.images[chosen], tops, truths)
    return html.cards(each, "predictions"), Picture("predictions", figure, "sample predictions", on_page=False)


def row_shares(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Return each row divided by its sum, float64; a row of zeros stays zero."""
    shares: NDArray[np.float64] = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return shares


def confusion_figure(confusion: NDArray[Any], classes: Sequence[str], *, normalised: bool) -> "Figure":
    """Draw a confusion matrix, int [classes, classes], true by predicted; normalised is percent of each true class."""
    from matplotlib.colors import PowerNorm

    values = 100 * row_shares(confusion) if normalised else confusion
    side = min(12.0, max(4.6, 1.4 + 0.33 * len(classes)))
    figure = new_figure(side, side)
    axes = figure.subplots()
    # The diagonal holds nearly everything; a power below 1 makes single mistakes visible.
    norm = PowerNorm(0.4, vmin=0, vmax=max(1, values.max()))
    axes.pcolormesh(np.ma.masked_equal(values, 0), cmap="Blues", norm=norm, edgecolor="white", linewidth=0.5)
    if len(classes) <= MOST_WITH_NUMBERS:
        for row, column in np.argwhere(confusion > 0):
            value = values[row, column]
            label = f"{value:.0f}" if not normalised or value == 100 else f"{value:.1f}"
            axes.text(
                column + 0.5, row + 0.5, label, ha="center", va="center",
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
