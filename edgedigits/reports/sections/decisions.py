"""Decisions on the test split: confusion, scores, mistakes and samples."""

from edgedigits.data.dataset import Samples
from edgedigits.plotting.style import escape
from edgedigits.reports.evaluation import Evaluation
from edgedigits.reports.facts import Facts
from edgedigits.reports.figures.confusion import confusion_figure
from edgedigits.reports.figures.images import SHOWN_CLASSES, grid_figure, predictions_figure
from edgedigits.reports.html import (
    Picture,
    Section,
    bars,
    card,
    cards,
    charts,
    heading,
    paragraph,
    pixels,
    table,
)  # fmt: skip
from edgedigits.reports.selection import at_random

TITLE = "Test split"
SHOWN_MISTAKES = 40
SHOWN_PREDICTIONS = 12

Labels = tuple[str, ...]


def decisions(facts: Facts) -> Section:
    """Return confusion, scores by class, mistakes and sample predictions."""
    if facts.test is None or facts.splits is None:
        return Section("test", TITLE, missing=facts.reasons("network", "data", "decisions"))
    test, samples, labels = facts.test, facts.splits.test, facts.labels
    matrices = tuple(_matrix(test, labels, normalised) for normalised in (False, True))
    pictures = [*matrices, _predictions_picture(test, samples, labels)]
    if len(test.mistakes):
        pictures.append(_mistakes_picture(test, samples, labels))
    blocks = (
        charts(matrices),
        _scores(test, labels),
        heading("Misclassified images"),
        *_mistakes(test, samples, labels),
        heading("Sample predictions"),
        paragraph(f"A seeded choice of {min(SHOWN_PREDICTIONS, len(samples))} test images, right or wrong."),
        _predictions(test, samples, labels),
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
    return table("Precision, recall and F1 by class", head, [*rows, mean])


def _mistakes(test: Evaluation, samples: Samples, labels: Labels) -> tuple[str, ...]:
    count = len(test.mistakes)
    if not count:
        return (paragraph(f"None of the {len(samples):,} test images is read wrong."),)
    summary = f"{count:,} of {len(samples):,} test images are read wrong ({count / len(samples):.2%})."
    if count > SHOWN_MISTAKES:
        summary += f" These are the {SHOWN_MISTAKES} worst: wrong, and most confident."
    else:
        summary += " All of them, the most confident first."
    each = []
    for i in test.mistakes[:SHOWN_MISTAKES]:
        true, read, confidence = labels[test.labels[i]], labels[test.predicted[i]], f"{test.confidence[i]:.1%}"
        image = pixels(samples.images[i], f"test image {i}: a {true}, read as {read} with {confidence}")
        each.append(card(image, [f"{true} → {read}", confidence, f"image {i}"]))
    return paragraph(summary + " Each with its true class → the one predicted, and the confidence."), cards(each)


def _mistakes_picture(test: Evaluation, samples: Samples, labels: Labels) -> Picture:
    worst = test.mistakes[:SHOWN_MISTAKES]
    captions = [
        f"{escape(labels[test.labels[i]])} → {escape(labels[test.predicted[i]])}\n{test.confidence[i]:.1%}"
        for i in worst
    ]
    return Picture("misclassified", grid_figure(samples.images[worst], captions), "mistakes", on_page=False)


def _predictions(test: Evaluation, samples: Samples, labels: Labels) -> str:
    each = []
    for i in at_random(len(samples), SHOWN_PREDICTIONS):
        true, read = labels[test.labels[i]], labels[test.predicted[i]]
        top = test.top(int(i), labels, SHOWN_CLASSES)
        image = pixels(samples.images[i], f"test image {i}: a {true}, read as {read} with {test.confidence[i]:.1%}")
        shares = bars((label, share, label == true) for label, share in top)
        each.append(card(image, [f"true: {true}", f"image {i}"], marked=true != read, below=shares))
    return cards(each, "predictions")


def _predictions_picture(test: Evaluation, samples: Samples, labels: Labels) -> Picture:
    chosen = at_random(len(samples), SHOWN_PREDICTIONS)
    tops = [test.top(int(i), labels, SHOWN_CLASSES) for i in chosen]
    truths = [labels[test.labels[i]] for i in chosen]
    return Picture(
        "predictions", predictions_figure(samples.images[chosen], tops, truths), "sample predictions", on_page=False
    )
