"""Train a recipe from the library."""

from collections.abc import Sequence
from pathlib import Path

from edgedigits.training.options import TrainOptions
from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters.keras_backend import Device, load_keras


def train(
    recipe: str = "plain-3conv",
    *,
    data: str | None = None,
    data_dir: Path | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    augment: bool = False,
    teachers: Sequence[str | Path] = (),
    mixed_precision: bool = False,
    parallel: bool = False,
    out: Path | None = None,
    device: Device = "auto",
) -> RunFolder:
    """Train a recipe and return its run folder; mirrors `edgedigits train`.

    Args:
        recipe: a name in edgedigits.recipes.RECIPES.
        data: dataset name, or a folder with one sub-folder of images per class; None for the recipe's dataset.
        data_dir: folder that is searched for the dataset first.
        epochs, batch_size: None for the recipe's.
        seed: for weights, order and augmentation.
        augment: deform the images, for a recipe that has no augmentation of its own.
        teachers: MODELs to distil from.
        mixed_precision: compute in bfloat16, keep weights in float32.
        parallel: train on all GPUs of this machine, with the JAX backend.
        out: the run folder; None for a new one under `runs/`.
        device: "auto", "cpu" or "gpu".

    Raises:
        EdgedigitsError: see edgedigits.training.fit.train.
    """
    load_keras()
    # Keras is imported here, and only after load_keras has chosen its backend.
    from edgedigits.training.fit import train as fit

    return fit(
        TrainOptions(
            recipe, data, data_dir, epochs, batch_size, seed, augment, tuple(map(str, teachers)), mixed_precision,
            parallel, out, device,
        )
    )  # fmt: skip
