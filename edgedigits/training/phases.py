"""Phases: how a training begins, and how it ends.

Far augmentation makes a network robust and keeps it from learning the finest of what it is shown. So the last epochs
show it images that are changed less, at a learning rate that falls to 0: what it learned stays, and it errs less on
clean images. The very last may be quantization-aware.
"""

from dataclasses import dataclass
from typing import Any, Literal

from edgedigits.recipes.augmentation import Augmentation
from edgedigits.recipes.recipe import Recipe

GENTLE = 0.35
"""Of the augmentation's limits, after the first phase."""

GENTLE_RATE = 1e-3
QUANTIZATION_RATE = 1e-4
"""Learning rates of the first steps; what was before ended near 0."""


Kind = Literal["full", "gentle", "quantized"]


@dataclass(frozen=True)
class Phase:
    """Epochs of one kind.

    Args:
        kind: "full" with the recipe's augmentation and rate; "gentle" with less of both; "quantized" is gentle, with
            weights and activations rounded as in int8.
        first: its first epoch, counted from 0.
        epochs: how many there are.
    """

    kind: Kind
    first: int
    epochs: int

    def augmentation(self, wanted: Augmentation) -> Augmentation:
        """Return how far images are changed in this phase."""
        return wanted if self.kind == "full" else wanted.milder(GENTLE)

    def begun(self, model: Any, loss: str, steps: int) -> Any:
        """Return what the phase trains, of what the phase before it trained; an epoch has so many steps."""
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
    """Return the phases of a training whose first has so many epochs.

    The others keep their share of a shorter or longer training. The gentle one may shrink to nothing; the quantized one
    does not, since int8 would lose more without it.
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
    """Return how many epochs all phases have."""
    return sum(phase.epochs for phase in phases_of(recipe, epochs))
