"""The lesson: a network with all that surrounds it while it learns, and that no artifact holds.

Written as one Keras model over `keras.ops`, so that augmentation, non-digits and teachers run within the
compiled training step of whatever backend trains.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from edgedigits.training.augment import Augment
from edgedigits_runtime.contract import Normalisation
from edgedigits_runtime.preprocessing import Images

OTHERS_SHARE = 8
"""One picture of what is no digit comes with so many digits."""

TEACHER_WEIGHT = 2.0


class Lesson(keras.Model):  # type: ignore[misc]  # Keras publishes no types
    """Train `network`: call it for training with float32 [N, H, W, C] in 0..1, else normalised as it takes them."""

    def __init__(
        self, network: Any, *, augment: Augment | None = None, normalisation: Normalisation = "unit",
        others: Images | None = None, others_weight: float = 1.0, teachers: Sequence[Any] = (), seed: int = 0,
    ) -> None:  # fmt: skip
        """Surround a network.

        Args:
            network: gives probabilities, float32 [N, classes].
            augment: changes the images; without it they are taken as already normalised.
            normalisation: of the augmented images.
            others: uint8 [M, H, W, C], pictures of what is in no class; the network learns to be unsure of them
                (Hendrycks, Mazeika and Dietterich 2019, "Deep anomaly detection with outlier exposure").
            others_weight: of that, beside the digits.
            teachers: networks whose mean probabilities it learns to give too (Hinton, Vinyals and Dean 2015,
                "Distilling the knowledge in a neural network").
            seed: of the choice among `others`.
        """
        # Images arrive in float32; the network casts them as its own precision asks.
        super().__init__(dtype="float32")
        self.network = network
        self.augment = augment
        self.normalisation = normalisation
        self.teachers = list(teachers)
        for teacher in self.teachers:
            teacher.trainable = False
        self.others = None
        self.others_weight = others_weight
        if others is not None:
            self.chooser = keras.random.SeedGenerator(seed)
            self.others = self.add_weight(shape=others.shape, dtype="uint8", initializer="zeros", trainable=False)
            self.others.assign(others)

    def build(self, _: Any) -> None:
        """Make nothing: all that it holds is built."""

    def call(self, images: Any, training: bool = False) -> Any:
        if not training:
            return self.network(images, training=False)
        count = ops.shape(images)[0]
        if self.others is not None:
            # Of the smallest batch too there is one: the mean of none is no number.
            images = ops.concatenate([images, self._chosen(self.others, -(-count // OTHERS_SHARE))])
        if self.augment is not None:
            images = self._normalised(self.augment(images))
        probabilities = ops.cast(self.network(images, training=True), "float32")
        if self.teachers:
            taught = sum(teacher(images[:count], training=False) for teacher in self.teachers) / len(self.teachers)
            self.add_loss(TEACHER_WEIGHT * _cross_entropy(ops.stop_gradient(taught), probabilities[:count]))
        if self.others is not None:
            classes = probabilities.shape[-1]
            unsure = _cross_entropy(1 / classes, probabilities[count:]) - math.log(classes)
            self.add_loss(self.others_weight * unsure)
        return probabilities[:count]

    def _chosen(self, others: Any, count: Any) -> Any:
        chosen = keras.random.randint((count,), 0, others.shape[0], seed=self.chooser)
        return ops.cast(ops.take(others, chosen, axis=0), "float32") / 255

    def _normalised(self, images: Any) -> Any:
        # As edgedigits_runtime.preprocessing has it for arrays outside of a training step.
        return ops.normalize(images, axis=1, order=2) if self.normalisation == "column-l2" else images


def _cross_entropy(targets: Any, probabilities: Any) -> Any:
    """Return the mean over a batch; `targets` are probabilities too."""
    return -ops.mean(ops.sum(targets * ops.log(ops.maximum(probabilities, 1e-7)), axis=-1))
