"""Compare an export with the Keras model it was made of, decision by decision."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits.verification.statistics import Share, cosine, margins, mcnemar, wilson
from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.preprocessing import Probabilities


@dataclass(frozen=True)
class Flip:
    """One image on which the two decide differently.

    Attributes:
        index: of the image in the split.
        label: the true class.
        keras, artifact: the classes decided on.
        keras_margin, artifact_margin: how far the decision lay above the second best, in probability.
    """

    index: int
    label: str
    keras: str
    artifact: str
    keras_margin: float
    artifact_margin: float


@dataclass(frozen=True)
class Comparison:
    """What the two answered on every image of a split.

    Attributes:
        images: how many.
        keras_accuracy, artifact_accuracy: top-1, with 95% Wilson intervals.
        flips: the images on which they differ, the firmest Keras decision first.
        mcnemar_p: exact, of the null hypothesis that both are equally accurate.
        max_probability_error, mean_probability_error: over all probabilities.
        min_cosine, mean_cosine: similarity of the two probability vectors of an image.
        per_class_change: change of each class's accuracy from Keras to the artifact, in percentage points.
    """

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
    def accuracy_drop(self) -> float:
        """In percentage points; negative where the artifact is better."""
        return 100 * (self.keras_accuracy.value - self.artifact_accuracy.value)


def compare(
    keras: Probabilities, artifact: Probabilities, labels: NDArray[np.int64], names: tuple[str, ...]
) -> Comparison:
    """Compare two sets of probabilities.

    Args:
        keras, artifact: float32 [N, classes].
        labels: int64 [N].
        names: of the classes.

    Raises:
        ArrayError: the shapes do not fit together, there is no image, or a probability is not a number.
    """
    if keras.shape != artifact.shape or len(keras) != len(labels) or len(labels) == 0:
        raise ArrayError(
            f"expected probabilities of the same images; got {list(keras.shape)}, {list(artifact.shape)} and"
            f" {len(labels)} labels"
        )
    if not (np.isfinite(keras).all() and np.isfinite(artifact).all()):
        raise ArrayError("expected probabilities; got some that are not numbers")
    ours, theirs = keras.argmax(axis=1), artifact.argmax(axis=1)
    right, still_right = ours == labels, theirs == labels
    error = np.abs(keras - artifact)
    similarity = cosine(keras, artifact)
    return Comparison(
        images=len(labels),
        keras_accuracy=wilson(int(right.sum()), len(labels)),
        artifact_accuracy=wilson(int(still_right.sum()), len(labels)),
        flips=_flips(keras, artifact, labels, names),
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


def _flips(
    keras: Probabilities, artifact: Probabilities, labels: NDArray[np.int64], names: tuple[str, ...]
) -> tuple[Flip, ...]:
    ours, theirs = keras.argmax(axis=1), artifact.argmax(axis=1)
    our_margins, their_margins = margins(keras), margins(artifact)
    flips = [
        Flip(
            index=int(i),
            label=names[labels[i]],
            keras=names[ours[i]],
            artifact=names[theirs[i]],
            keras_margin=float(our_margins[i]),
            artifact_margin=float(their_margins[i]),
        )
        for i in np.flatnonzero(ours != theirs)
    ]
    return tuple(sorted(flips, key=lambda flip: -flip.keras_margin))
