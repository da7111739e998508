"""The phases of a training: full, gentle, quantized.

Strong augmentation makes a network robust but costs accuracy on clean images. So the last epochs have weaker
augmentation and a learning rate that falls to 0. The very last may be quantization-aware.
"""

from dataclasses import dataclass
from typing import Any, Literal

from edgedigits.recipes.augmentation import Augmentation
from edgedigits.recipes.recipe import Recipe

GENTLE = 0.35
"""Factor of the augmentation's limits after the first phase."""

GENTLE_RATE = 1e-3
QUANTIZATION_RATE = 1e-4
"""Learning rates at the start of these phases; the phase before ended near 0."""


Kind = Literal["full", "gentle", "quantized"]


@dataclass(frozen=True)
class Phase:
    """Epochs with the same augmentation and schedule.

    Args:
        kind: "full" has the recipe's augmentation and rate, "gentle" less of both; "quantized" is gentle with weights
            and activations rounded as in int8.
        first: number of the first epoch, from 0.
        epochs: number of epochs.
    """

    kind: Kind
    first: int
    epochs: int

    def augmentation(self, wanted: Augmentation) -> Augmentation:
        """Return the augmentation of this phase."""
        return wanted if self.kind == "full" else wanted.milder(GENTLE)

    def begin(self, model: Any, loss: str, steps: int) -> Any:
        """Return the network of this phase, made from that of the phase before, for a number of steps per epoch."""
        if self.kind == "full":
            return model
        import keras

        from edgedigits.training.folding import fold_batch_normalisation

        network = fold_batch_normalisation(model) if self.kind == "quantized" else model
        highest = QUANTIZATION_RATE if self.kind == "quantized" else GENTLE_RATE
        rate = keras.optimizers.schedules.CosineDecay(highest, self.epochs * steps)
        network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        return network


def phases_of(recipe: Recipe, epochs: int) -> list[Phase]:
    """Return the phases of a training; `epochs` is the length of the first.

    The others scale with it. The gentle phase may shrink to nothing; the quantized one keeps at least an epoch, since
    int8 would lose more accuracy without it.
    """
    share = epochs / recipe.epochs
    gentle, quantized = (round(share * count) for count in (recipe.gentle_epochs, recipe.quantization_epochs))
    wanted: dict[Kind, int] = {"gentle": gentle, "quantized": max(quantized, min(recipe.quantization_epochs, 1))}
    phases = [Phase("full", 0, epochs)]
    for kind, count in wanted.items():
        if count:
            phases.append(Phase(kind, phases[-1].first + phases[-1].epochs, count))
    return phases


def total_epochs(recipe: Recipe, epochs: int) -> int:
    """Return the number of epochs of all phases."""
    return sum(phase.epochs for phase in phases_of(recipe, epochs))
