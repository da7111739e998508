"""Whether a model is accurate at all, and the likely cause if it is not."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.foreign.trial import answers, candidates
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Probabilities

ACCURATE = 0.9
"""From this accuracy on, no other way of feeding is tried."""

TRIED = 500
"""Images for each way of feeding the model."""

MOST_LABELS = 20
"""Labels in a message."""

UNKNOWN = "check the normalisation, the polarity and the order of the labels"


def describe_inaccuracy(
    engine: Engine, samples: Samples, read: Probabilities, expected: float | None = None, other: Share | None = None
) -> str:
    """Return why a model is too inaccurate to prove anything, with the likely cause; empty if it is not.

    It is, if it is not better than the most frequent class, does not reach `expected`, or is far better if it is fed
    or read in another way.

    Args:
        engine: of the model.
        samples: images with their labels.
        read: its probabilities for them, float32 [N, classes].
        expected: fraction 0..1; None for no limit.
        other: accuracy of another model that must reach `expected` too.
    """
    accuracy = wilson(int((read.argmax(axis=1) == samples.labels).sum()), len(samples))
    lower = min(filter(None, (accuracy, other)), key=lambda share: share.value)
    frequent = float(np.bincount(samples.labels).max() / len(samples))
    reached = f"{accuracy.value:.2%} of {len(samples):,} images"
    problem = ""
    if accuracy.low <= frequent:
        problem = f"{reached}, and the most frequent class has {frequent:.2%}"
    elif expected is not None and lower.value < expected:
        problem = f"{lower.value:.2%} of {len(samples):,} images, at least {expected:.2%} expected"
    elif accuracy.value >= ACCURATE:
        return ""
    cause = _likely_cause(engine, samples, read)
    if not problem and not cause:
        return ""
    return f"{problem or reached}; {cause or UNKNOWN}"


def _likely_cause(engine: Engine, samples: Samples, read: Probabilities) -> str:
    """Return the normalisation, polarity or order of labels that halves the errors at least; empty if none does."""
    accuracy = float((read.argmax(axis=1) == samples.labels).mean())
    found = [*_other_feeding(engine, samples), *_other_order(engine.contract, read, samples.labels)]
    better = [(share.value, way) for share, way in found if share.low > (1 + accuracy) / 2]
    if not better:
        return ""
    value, way = max(better)
    return f"with {way} it is {value:.2%}"


def _other_feeding(engine: Engine, samples: Samples) -> Iterator[tuple[Share, str]]:
    some = samples.take(np.unique(np.linspace(0, len(samples) - 1, TRIED).astype(np.int64)))
    for name, contract in candidates(engine.contract, some.images):
        right = answers(engine, contract, some.images).argmax(axis=1) == some.labels
        yield wilson(int(right.sum()), len(some)), f"pixels fed as {name!r}"


def _other_order(contract: Contract, read: Probabilities, labels: NDArray[np.int64]) -> Iterator[tuple[Share, str]]:
    """Yield the share of right answers if each output has the label that it meets most, one after the other."""
    classes = len(contract.labels)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (read.argmax(axis=1), labels), 1)
    right, order, left = 0, [0] * classes, counts.copy()
    for _ in range(classes):
        output, label = divmod(int(left.argmax()), classes)
        order[output] = label
        right += int(counts[output, label])
        left[output], left[:, label] = -1, -1
    names = [contract.labels[label] for label in order[:MOST_LABELS]]
    more = ", ..." if classes > MOST_LABELS else ""
    yield wilson(right, len(labels)), f"the labels in the order {', '.join(names)}{more}"
