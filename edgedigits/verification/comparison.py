"""Compare the probabilities of an artifact and of its reference on the same images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.intervals import Share, accuracy_drop, mcnemar, wilson
from edgedigits_runtime.preprocessing import Probabilities


@dataclass(frozen=True)
class Flip:
    """An image that the two classify differently; margins are the first probability minus the second."""

    index: int
    label: str
    keras: str
    artifact: str
    keras_margin: float
    artifact_margin: float


@dataclass(frozen=True)
class Comparison:
    """Figures of a comparison on every image of a split; docs/verification.md describes them."""

    images: int
    keras_accuracy: Share
    artifact_accuracy: Share
    flips: tuple[Flip, ...]
    mcnemar_p: float
    max_probability_error: float
    mean_probability_error: float
    min_cosine: float
    mean_cosine: float
    per_class_change: dict[str, float]

    @property
    def agreement(self) -> float:
        """Share of equal decisions."""
        return (self.images - len(self.flips)) / self.images

    @property
    def accuracy_drop(self) -> Share:
        """As a fraction; negative if the artifact is more accurate."""
        lost = sum(flip.keras == flip.label for flip in self.flips)
        won = sum(flip.artifact == flip.label for flip in self.flips)
        return accuracy_drop(lost, won, self.images)


def compare(
    keras: Probabilities, artifact: Probabilities, labels: NDArray[np.int64], names: tuple[str, ...]
) -> Comparison:
    """Compare two sets of probabilities, float32 [N, classes]; `names` are those of the classes.

    Raises:
        ArrayError: the shapes differ, there are no images, or a probability is not finite.
    """
    if keras.shape != artifact.shape or len(keras) != len(labels) or len(labels) == 0:
        raise ArrayError(
            f"expected probabilities of the same images; got {list(keras.shape)}, {list(artifact.shape)} and"
            f" {len(labels)} labels"
        )
    if not (np.isfinite(keras).all() and np.isfinite(artifact).all()):
        raise ArrayError("expected finite probabilities; got NaN or infinity")
    ours, theirs = keras.argmax(axis=1), artifact.argmax(axis=1)
    right, still_right = ours == labels, theirs == labels
    error, similarity = np.abs(keras - artifact), cosine(keras, artifact)
    before, after = margins(keras), margins(artifact)
    flips = (
        Flip(int(i), names[labels[i]], names[ours[i]], names[theirs[i]], float(before[i]), float(after[i]))
        for i in np.flatnonzero(ours != theirs)
    )
    return Comparison(
        images=len(labels),
        keras_accuracy=wilson(int(right.sum()), len(labels)),
        artifact_accuracy=wilson(int(still_right.sum()), len(labels)),
        flips=tuple(sorted(flips, key=lambda flip: -flip.keras_margin)),
        mcnemar_p=mcnemar(int((right & ~still_right).sum()), int((still_right & ~right).sum())),
        max_probability_error=float(error.max()),
        mean_probability_error=float(error.mean()),
        min_cosine=float(similarity.min()),
        mean_cosine=float(similarity.mean()),
        per_class_change={
            name: 100 * float(still_right[labels == i].mean() - right[labels == i].mean())
            for i, name in enumerate(names)
            if (labels == i).any()
        },
    )


def cosine(first: Probabilities, second: Probabilities) -> NDArray[np.float64]:
    """Return the cosine similarity of each pair of rows, float64 [N], of two arrays [N, classes]."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    similarity: NDArray[np.float64] = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return similarity


def margins(probabilities: Probabilities) -> NDArray[np.float32]:
    """Return the highest probability of each row minus the second highest, float32 [N]."""
    highest = np.sort(probabilities, axis=1)[:, -2:]
    margin: NDArray[np.float32] = highest[:, 1] - highest[:, 0]
    return margin
