"""The training model: a network with augmentation, non-digits and teachers, none of which is exported.

It is one Keras model over `keras.ops`, so that all of it runs in the compiled training step of every backend.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from edgedigits.training.augment import Augment
from edgedigits_runtime.contract import Normalisation
from edgedigits_runtime.preprocessing import Images

DIGITS_PER_NON_DIGIT = 8

TEACHER_WEIGHT = 2.0


class TrainingModel(keras.Model):  # type: ignore[misc]  # Keras publishes no types
    """Train `network` on float32 [N, H, W, C] in 0..1; outside training, images are already normalised."""

    def __init__(
        self, network: Any, *, augment: Augment | None = None, normalisation: Normalisation = "unit",
        non_digits: Images | None = None, non_digits_weight: float = 1.0, non_digit_output: bool = False,
        teachers: Sequence[Any] = (), seed: int = 0,
    ) -> None:  # fmt: skip
        """Wrap a network.

        Args:
            network: returns probabilities, float32 [N, outputs].
            augment: changes the images; without it they must already be normalised.
            normalisation: of the augmented images.
            non_digits: uint8 [M, H, W, C], images for which the network learns uniform probabilities
                (Hendrycks, Mazeika and Dietterich 2019, "Deep anomaly detection with outlier exposure").
            non_digits_weight: weight of their loss relative to that of the digits.
            non_digit_output: whether the network learns 1 in its last output for them instead.
            teachers: networks whose mean probabilities are a second target (Hinton, Vinyals and Dean 2015,
                "Distilling the knowledge in a neural network"). A last output that only the teacher or only the
                network has counts as absent.
            seed: for the choice among `non_digits`.
        """
        # Images are float32; the network casts them to its own precision.
        super().__init__(dtype="float32")
        self.network = network
        self.augment = augment
        self.normalisation = normalisation
        self.teachers = list(teachers)
        for teacher in self.teachers:
            teacher.trainable = False
        self.non_digits = None
        self.non_digits_weight = non_digits_weight
        self.non_digit_output = non_digit_output
        if non_digits is not None:
            self.chooser = keras.random.SeedGenerator(seed)
            self.non_digits = self.add_weight(
                shape=non_digits.shape, dtype="uint8", initializer="zeros", trainable=False
            )
            self.non_digits.assign(non_digits)

    def build(self, _: Any) -> None:
        """Do nothing: the network is already built."""

    def call(self, images: Any, training: bool = False) -> Any:
        if not training:
            return self.network(images, training=False)
        count = ops.shape(images)[0]
        if self.non_digits is not None:
            # At least one, also for the smallest batch: the mean of no values is NaN.
            images = ops.concatenate([images, self._choose(self.non_digits, -(-count // DIGITS_PER_NON_DIGIT))])
        if self.augment is not None:
            images = self._normalise(self.augment(images))
        probabilities = ops.cast(self.network(images, training=True), "float32")
        if self.teachers:
            outputs = probabilities.shape[-1]
            taught = [_of_outputs(teacher(images[:count], training=False), outputs) for teacher in self.teachers]
            targets = sum(taught) / len(self.teachers)
            self.add_loss(TEACHER_WEIGHT * _cross_entropy(ops.stop_gradient(targets), probabilities[:count]))
        if self.non_digits is not None:
            self.add_loss(self.non_digits_weight * self._non_digits_loss(probabilities[count:]))
        return probabilities[:count]

    def _choose(self, non_digits: Any, count: Any) -> Any:
        chosen = keras.random.randint((count,), 0, non_digits.shape[0], seed=self.chooser)
        return ops.cast(ops.take(non_digits, chosen, axis=0), "float32") / 255

    def _non_digits_loss(self, probabilities: Any) -> Any:
        """Return the mean loss of non-digits; 0 is the least."""
        outputs = probabilities.shape[-1]
        if self.non_digit_output:
            return _cross_entropy(np.eye(outputs, dtype=np.float32)[-1], probabilities)
        return _cross_entropy(1 / outputs, probabilities) - math.log(outputs)

    def _normalise(self, images: Any) -> Any:
        # The same as edgedigits_runtime.preprocessing, which works on NumPy arrays.
        return ops.normalize(images, axis=1, order=2) if self.normalisation == "column-l2" else images


def _of_outputs(answers: Any, outputs: int) -> Any:
    """Return a teacher's probabilities for a network that has a non-digit's output where it has none, or reverse."""
    missing = outputs - answers.shape[-1]
    if missing > 0:
        return ops.pad(answers, [[0, 0], [0, missing]])
    if missing < 0:
        kept = answers[:, :outputs]
        return kept / ops.maximum(ops.sum(kept, axis=-1, keepdims=True), 1e-7)
    return answers


def _cross_entropy(targets: Any, probabilities: Any) -> Any:
    """Return the mean cross entropy of a batch; `targets` are probabilities."""
    return -ops.mean(ops.sum(targets * ops.log(ops.maximum(probabilities, 1e-7)), axis=-1))
