"""Decisions of a network on a split, upright and rotated, and figures of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Images, Probabilities, calibrated

SMALLEST = 1e-7
"""Probabilities are clipped to this before the logarithm, as in Keras's losses."""

DEGREES = tuple(range(-45, 46, 5))
MOST_IMAGES = 2_000
SEED = 0


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class, 0..1, and its number of samples. Scores of 0/0 are 0."""

    name: str
    precision: float
    recall: float
    f1: float
    samples: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Outputs of a network for all images of a split.

    Attributes:
        labels: true classes, int64 [N], N at least 1.
        probabilities: of the network, float32 [N, classes].
        confidences: probabilities after the temperature, float32 [N, classes], with the same decisions.
    """

    labels: NDArray[np.int64]
    probabilities: Probabilities
    confidences: Probabilities

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """Predicted classes, int64 [N]."""
        predicted: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """Confidence of each decision, float32 [N]."""
        return self.confidences[np.arange(len(self.labels)), self.predicted]

    @cached_property
    def accuracy(self) -> Share:
        """Top-1 accuracy with its 95% Wilson interval."""
        return wilson(int((self.predicted == self.labels).sum()), len(self.labels))

    @cached_property
    def loss(self) -> float:
        """Mean cross-entropy before the temperature."""
        of_truth = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.clip(of_truth.astype(np.float64), SMALLEST, 1 - SMALLEST)).mean())

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts, int64 [classes, classes], true by predicted."""
        from sklearn.metrics import confusion_matrix

        classes = np.arange(self.probabilities.shape[1])
        counts: NDArray[np.int64] = confusion_matrix(self.labels, self.predicted, labels=classes)
        return counts

    @cached_property
    def mistakes(self) -> NDArray[np.int64]:
        """Indices of misclassified images, int64, most confident first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def scores(self, names: tuple[str, ...]) -> tuple[ClassScores, ...]:
        """Return the scores of each class, given the names of the classes."""
        from sklearn.metrics import precision_recall_fscore_support

        columns = precision_recall_fscore_support(
            self.labels, self.predicted, labels=np.arange(len(names)), zero_division=0
        )
        return tuple(
            ClassScores(name, float(precision), float(recall), float(f1), int(samples))
            for name, precision, recall, f1, samples in zip(names, *columns, strict=True)
        )

    def top(self, index: int, names: tuple[str, ...], count: int) -> tuple[tuple[str, float], ...]:
        """Return the most likely labels of an image with their confidences, best first."""
        row = self.confidences[index]
        return tuple((names[i], float(row[i])) for i in np.argsort(-row, kind="stable")[:count])


def evaluate(engine: Engine, samples: Samples) -> Evaluation:
    """Run every image of a split through a model."""
    probabilities, contract = engine.run_all(samples.images), engine.contract
    return Evaluation(samples.labels, probabilities[:, : len(contract.labels)], calibrated(probabilities, contract))


@dataclass(frozen=True)
class RotationCurve:
    """Top-1 accuracy at each angle, counter-clockwise, for `images` of the `available` images of a split."""

    degrees: tuple[int, ...]
    accuracy: tuple[Share, ...]
    images: int
    available: int

    @property
    def upright(self) -> Share:
        return self.accuracy[self.degrees.index(0)]


def rotated(images: Images, degrees: float) -> Images:
    """Rotate uint8 [N, H, W, C] counter-clockwise about the centre, bilinearly; corners become 0, the paper."""
    from scipy import ndimage

    turned: Images = ndimage.rotate(images, degrees, axes=(2, 1), reshape=False, order=1)
    return turned


def rotation_curve(
    run: Callable[[Images], Probabilities], samples: Samples, degrees: Sequence[int] = DEGREES
) -> RotationCurve:
    """Measure accuracy at each angle (0 included) on at most MOST_IMAGES images, a seeded choice."""
    count = min(MOST_IMAGES, len(samples))
    chosen = samples.take(np.sort(np.random.default_rng(SEED).choice(len(samples), count, replace=False)))
    accuracy = tuple(
        wilson(int((run(rotated(chosen.images, angle)).argmax(axis=1) == chosen.labels).sum()), count)
        for angle in degrees
    )
    return RotationCurve(tuple(degrees), accuracy, count, len(samples))
