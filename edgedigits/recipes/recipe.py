"""A recipe: network, data, schedule and gates of a reproducible training, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgedigits.data.dataset import Dataset
from edgedigits.data.splits import SplitPlan
from edgedigits.recipes.augmentation import Augmentation
from edgedigits.recipes.gates import Gate
from edgedigits_exporters.keras_file import float_border
from edgedigits_runtime.contract import Contract, Normalisation
from edgedigits_runtime.reading.framed import FRAME_SHAPE

DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained.

    Args:
        name: as typed by users.
        summary: one line for listings.
        layers: returns the untrained Keras layers after the input for a number of classes; the last is
            "probabilities".
        dataset: default dataset.
        split: how validation, and test if the dataset has none, is held out.
        normalisation: how pixels are scaled; part of every export's contract.
        learning_rate: of Adam; the highest of a schedule.
        schedule: "constant", or "cosine": one epoch up from 0, then down to 0 along a cosine (Loshchilov and Hutter
            2017, "SGDR").
        loss: a Keras loss; "categorical_crossentropy" gets one-hot labels, the sparse one class numbers.
        patience: epochs without a better validation loss before training stops; None for no early stopping.
        keep: which weights become `model.keras`; both are kept in the run folder.
        augmentation: of the training images; None for none.
        non_digits: number of drawn non-digits for which the network learns uniform probabilities.
        non_digit_output: whether they train an output of their own, the last, instead; see Contract.non_digit.
        non_digits_weight: weight of their loss relative to that of the digits.
        gentle_epochs: final epochs with less augmentation; see edgedigits.training.phases.
        quantization_epochs: last epochs, with weights and activations rounded as in int8.
        gates: verification gates by precision; others are the default.
        published: test accuracy reported by the source; None for our own networks.
    """

    name: str
    summary: str
    layers: Callable[[int], list[Any]]
    dataset: str = "mnist"
    split: SplitPlan = field(default_factory=SplitPlan)
    normalisation: Normalisation = "unit"
    epochs: int = 20
    batch_size: int = 128
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    loss: Literal["categorical_crossentropy", "sparse_categorical_crossentropy"] = "categorical_crossentropy"
    patience: int | None = None
    keep: Literal["final", "best"] = "final"
    augmentation: Augmentation | None = None
    non_digits: int = 0
    non_digit_output: bool = False
    non_digits_weight: float = 1.0
    gentle_epochs: int = 0
    quantization_epochs: int = 0
    gates: Mapping[str, Gate] = field(default_factory=dict)
    published: str | None = None

    def build(self, image_shape: tuple[int, int, int], classes: int) -> Any:
        """Return the untrained network for images (height, width, channels), float32 in 0..1."""
        import keras

        image = keras.Input(image_shape, name="image")
        return keras.Sequential([image, *self.layers(classes)], name=self.name.replace("-", "_"))

    def draws_non_digits(self, dataset: Dataset) -> bool:
        """Return whether a training on this dataset has non-digits: its network must read framed digits."""
        return self.non_digits > 0 and dataset.image_shape == FRAME_SHAPE and DIGITS.issuperset(dataset.labels)


def contract_of(recipe: Recipe, dataset: Dataset) -> Contract:
    """Return the contract of a network of this recipe for a dataset, before its confidence is fitted."""
    non_digit = recipe.non_digit_output and recipe.draws_non_digits(dataset)
    input_tensor, output_tensor = float_border(dataset.image_shape, len(dataset.labels) + non_digit)
    return Contract(
        name=recipe.name,
        input=input_tensor,
        output=output_tensor,
        labels=dataset.labels,
        non_digit=non_digit,
        normalisation=recipe.normalisation,
        reader=dataset.reader,
        recipe=recipe.name,
    )
