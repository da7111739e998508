"""What learns: the network, the moving average of its weights, and the optimiser; its state is one file."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from edgedigits.finding.batches import Batch
from edgedigits.finding.layers import TrainingLayers
from edgedigits.finding.loss import loss_of
from edgedigits.finding.network import BASE, Widths, build_network
from edgedigits_runtime.errors import RunError
from edgedigits_runtime.reading.found import STRIDES
from edgedigits_runtime.whole_files import whole_file


@dataclass(frozen=True)
class Schedule:
    """Rates of a training.

    Args:
        steps: in all.
        learning_rate: of AdamW, after `warm_up` steps.
        fall: share of the steps, the last, in which the rate falls to 0 along a cosine (Loshchilov and Hutter 2017,
            "SGDR"). Until then `steps` may be changed.
        rounded: share of the steps, the last, in which numbers are rounded as in int8.
        decay: of the moving average of the weights.
        weight_decay: of AdamW.
    """

    steps: int
    learning_rate: float = 2e-3
    warm_up: int = 300
    fall: float = 0.4
    rounded: float = 0.15
    decay: float = 0.999
    weight_decay: float = 1e-4

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        left = min((self.steps - step) / (self.fall * self.steps), 1.0)
        return float(self.learning_rate * min(1.0, (step + 1) / self.warm_up) * (1 - np.cos(np.pi * left)) / 2)

    def rounds(self, step: int) -> bool:
        """Return whether numbers are rounded in a step."""
        return self.steps - step <= self.rounded * self.steps


class Learner:
    """A network in training.

    Attributes:
        average: the network with the moving average of the weights, which is the one to use.
        step: steps taken.
    """

    def __init__(self, schedule: Schedule, seed: int, widths: Widths = BASE) -> None:
        keras.utils.set_random_seed(seed)
        self.schedule = schedule
        self._layers = TrainingLayers()
        self.network = build_network(widths, layers=self._layers)
        self.average = build_network(widths)
        self.average.set_weights(self.network.get_weights())
        self.optimizer = keras.optimizers.AdamW(
            schedule.learning_rate, weight_decay=schedule.weight_decay, clipnorm=10.0
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(self.network.trainable_variables)
        self.step = 0
        self._compute = self._compiled()

    def _compiled(self) -> Any:
        shapes = [[None, None, None, 2], [None, None, None], [None, None, None, 4], [None, None, None]] * len(STRIDES)
        return tf.function(
            self._learn,
            input_signature=[
                tf.TensorSpec([None, None, None, 3], tf.uint8),
                [tf.TensorSpec(shape, tf.float16) for shape in shapes],
                tf.TensorSpec([], tf.float32),
                tf.TensorSpec([], tf.float32),
            ],
        )

    def learn(self, batch: Batch) -> tuple[float, float]:
        """Take one step; return the losses of heat and of boxes before it."""
        pixels, *targets = batch
        if self._layers.rounding != self.schedule.rounds(self.step):
            self._layers.rounding = not self._layers.rounding
            self._compute = self._compiled()
        decay = min(self.schedule.decay, (1 + self.step) / (10 + self.step))
        rate = self.schedule.rate(self.step)
        heat, box = self._compute(pixels, targets, np.float32(rate), np.float32(decay))
        self.step += 1
        return float(heat), float(box)

    def save(self, path: Path, history: list[dict[str, float]]) -> None:
        """Write the state and the history, whole or not at all."""
        rows = [list(row.values()) for row in history]
        names = list(history[0]) if history else []
        with whole_file(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, step=self.step, names=np.array(names, str), rows=np.array(rows, float), **self._arrays())

    def load(self, path: Path) -> list[dict[str, float]]:
        """Restore the state; return the history.

        Raises:
            RunError: the file is missing, damaged, or of another network.
        """
        try:
            # NumPy leaves a damaged file open.
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                held = {name: arrays[name] for name in self._arrays()}
                step, rows, names = int(arrays["step"]), arrays["rows"], arrays["names"]
            for name, variable in self._variables().items():
                variable.assign(held[name])
        except FileNotFoundError as error:
            raise RunError(f"{path.parent} cannot be resumed: it has no {path.name}") from error
        except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError) as error:
            raise RunError(f"{path} is damaged or of another network, and cannot be resumed: {error}") from error
        self.step = step
        return [dict(zip(map(str, names), map(float, row), strict=True)) for row in rows]

    def _learn(self, pixels: Any, targets: list[Any], rate: Any, decay: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            outputs = self.network(tf.cast(pixels, tf.float32) / 255, training=True)
            heat_loss, box_loss = loss_of(outputs, targets)
            loss = heat_loss + box_loss
        self.optimizer.learning_rate = rate
        variables = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        for mean, weight in zip(self.average.variables, self.network.variables, strict=True):
            mean.assign(decay * mean + (1 - decay) * weight)
        return heat_loss, box_loss

    def _variables(self) -> dict[str, Any]:
        parts = {
            "network": self.network.weights,
            "average": self.average.weights,
            "optimizer": self.optimizer.variables,
        }
        return {f"{part}_{k}": variable for part, held in parts.items() for k, variable in enumerate(held)}

    def _arrays(self) -> dict[str, Any]:
        return {name: np.asarray(variable) for name, variable in self._variables().items()}
