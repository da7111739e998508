"""What a recipe is: everything that makes a training reproducible, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgedigits.data.dataset import Dataset
from edgedigits.data.splits import SplitPlan
from edgedigits.recipes.augmentation import Augmentation
from edgedigits.recipes.gates import Gate
from edgedigits_exporters.keras_file import float_border
from edgedigits_runtime.contract import Contract, Normalisation

ImageShape = tuple[int, int, int]


@dataclass(frozen=True)
class Recipe:
    """One way to train a network.

    Args:
        name: as users type it.
        summary: one line for listings.
        build: makes the untrained Keras model for an image shape (height, width, channels) and a number of
            classes; its input is called "image" and takes float32 in 0..1, its output "probabilities".
        dataset: trained on unless another is asked for.
        split: how validation (and test, where a dataset brings none) is held out.
        normalisation: of the pixels; part of every export's contract.
        learning_rate: of Adam; the highest where a schedule changes it.
        schedule: "constant", or "cosine": one epoch up from 0, then down to 0 along a cosine (Loshchilov and Hutter
            2017, "SGDR").
        loss: a Keras loss; "categorical_crossentropy" gets one-hot labels, the sparse one class numbers.
        patience: epochs without a better validation loss after which training stops; None runs all.
        keep: which weights become `model.keras`; both are kept in the run folder.
        augmentation: of the training images; None trains on them as they are.
        not_digits: how many drawn pictures of what is no digit the network learns to be unsure of; 0 for none.
        not_digits_weight: of that lesson beside the digits'.
        gentle_epochs: after the others, with less augmentation; see edgedigits.training.phases.
        quantization_epochs: at the end, with weights and activations rounded as in int8.
        gates: verification gates by precision, in place of the default ones.
        published: the test accuracy that the source reported; None for our own.
    """

    name: str
    summary: str
    build: Callable[[ImageShape, int], Any]
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
    not_digits: int = 0
    not_digits_weight: float = 1.0
    gentle_epochs: int = 0
    quantization_epochs: int = 0
    gates: Mapping[str, Gate] = field(default_factory=dict)
    published: str | None = None


def contract_of(recipe: Recipe, dataset: Dataset) -> Contract:
    """Return how a network of this recipe is fed with this dataset's images; its confidence is not fitted yet."""
    input_tensor, output_tensor = float_border(dataset.image_shape, len(dataset.labels))
    return Contract(
        name=recipe.name,
        input=input_tensor,
        output=output_tensor,
        labels=dataset.labels,
        normalisation=recipe.normalisation,
        reader=dataset.reader,
        recipe=recipe.name,
    )
