"""Train a recipe into a run folder, or resume one that was killed."""

import dataclasses
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from edgedigits.data import DATASETS, load_dataset
from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.splits import Splits, split
from edgedigits.recipes import get_recipe
from edgedigits.recipes.recipe import Recipe, contract_of
from edgedigits.reports.figures.curves import draw_curves
from edgedigits.training.batches import Batches
from edgedigits.training.checkpoint import load_checkpoint, save_checkpoint
from edgedigits.training.confidence import with_confidence
from edgedigits.training.progress import EpochProgress
from edgedigits.training.run_folder import RUNS, RunConfig, RunFolder, new_run
from edgedigits_exporters.keras_backend import Device, device_scope
from edgedigits_exporters.keras_file import load_model, save_model
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.errors import DatasetInvalid, EdgedigitsError, OutputNotWritable, RunError
from edgedigits_runtime.preprocessing import normalise
from edgedigits_runtime.whole_files import whole_file, write_whole

PREDICTION_BATCH = 512

LARGEST_SIDE = 256


@dataclass(frozen=True)
class TrainOptions:
    """What `edgedigits train` can be told; None takes the recipe's value.

    Args:
        data: dataset name, or a folder with one sub-folder of images per class.
        data_dir: where to look for the dataset first.
        out: the run folder; a new one under `runs/` if None.
    """

    recipe: str = "plain-3conv"
    data: str | None = None
    data_dir: Path | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    augment: bool = False
    out: Path | None = None
    device: Device = "auto"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while training; `run` is where it can be resumed."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__(f"interrupted; go on with: edgedigits train --resume {run.path}")
        self.run = run


def train(options: TrainOptions, console: Console | None = None) -> RunFolder:
    """Train and return the run folder.

    Raises:
        UnknownName, DataError, DeviceUnavailable, RunError: before anything is written.
        Interrupted: Ctrl-C; the checkpoint of the last finished epoch is kept.
    """
    recipe = get_recipe(options.recipe)
    with device_scope(options.device):
        name = options.data or recipe.dataset
        dataset = load_dataset(name, data_dir=options.data_dir)
        splits = split(dataset, recipe.split)
        config = _config(options, recipe, name, splits)
        model = _build(recipe, dataset, config.seed)
        run = _start_run(options.out, recipe)
        run.write_config(config)
        # Before the first epoch, so that a run killed within it can be resumed too.
        save_checkpoint(model, [], run.checkpoint)
        return _Training(run, config, recipe, dataset, splits, console or Console(quiet=True)).go_on(model, [])


def resume(path: Path, console: Console | None = None) -> RunFolder:
    """Go on with a run that was killed, to the number of epochs it was started with.

    Raises:
        RunError: no run, no whole checkpoint, or the data are not those it was started with.
    """
    run = RunFolder(path)
    config = run.read_config()
    recipe = get_recipe(config.recipe)
    with device_scope(config.device):  # type: ignore[arg-type]  # checked when the run was started
        dataset = load_dataset(config.data, data_dir=Path(config.data_dir) if config.data_dir else None)
        splits = split(dataset, recipe.split)
        if splits.train.fingerprint() != config.data_fingerprint:
            raise RunError(f"{path} was trained on other data than {config.data!r} holds now; start a new run")
        keras.utils.set_random_seed(config.seed)
        model, history = load_checkpoint(run.checkpoint)
        training = _Training(run, config, recipe, dataset, splits, console or Console(quiet=True))
        return training.go_on(model, history)


@dataclass(frozen=True)
class _Training:
    """What stays the same from epoch to epoch."""

    run: RunFolder
    config: RunConfig
    recipe: Recipe
    dataset: Dataset
    splits: Splits
    console: Console

    def go_on(self, model: Any, history: list[dict[str, float]]) -> RunFolder:
        """Train from the epoch after `history` to the end and write what a finished run holds."""
        progress = EpochProgress(self.console, self.config.epochs)
        validation = (
            normalise(self.splits.validation.images, self.recipe.normalisation),
            _targets(self.splits.validation, self.recipe, len(self.dataset.labels)),
        )
        try:
            for epoch in range(len(history), self.config.epochs):
                if _stalled(history, self.recipe.patience):
                    break
                row = self._run_epoch(model, epoch, validation, progress)
                history.append(row)
                # The best before the checkpoint: killed in between, the epoch is run again and judged again.
                if row["val_accuracy"] >= max(past["val_accuracy"] for past in history):
                    save_model(model, self._contract(), self.run.best)
                save_checkpoint(model, history, self.run.checkpoint)
                self.run.write_history(history)
                progress.finished(row)
        except KeyboardInterrupt as error:
            raise Interrupted(self.run) from error
        finally:
            progress.close()
        self._finish(model, validation[0], history)
        return self.run

    def _run_epoch(self, model: Any, epoch: int, validation: Any, progress: EpochProgress) -> dict[str, float]:
        batches = Batches(
            self.splits.train,
            _targets(self.splits.train, self.recipe, len(self.dataset.labels)),
            batch_size=self.config.batch_size,
            seed=(self.config.seed, epoch),
            normalisation=self.recipe.normalisation,
            augment=self.config.augment,
        )
        _seed_layers(model, self.config.seed, epoch)
        start = time.perf_counter()
        logs = model.fit(
            batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0, callbacks=[progress],
            validation_data=validation, validation_batch_size=PREDICTION_BATCH,
        ).history  # fmt: skip
        metrics = {name: float(values[-1]) for name, values in logs.items()}
        return {"epoch": epoch + 1, **metrics, "seconds": time.perf_counter() - start}

    def _finish(self, model: Any, images: NDArray[np.float32], history: list[dict[str, float]]) -> None:
        """Fit confidence on validation for both kept models, write them, the chosen one and the curves."""
        # Again, for a run that was killed between its last checkpoint and this file.
        self.run.write_history(history)
        best, _ = load_model(self.run.best)
        for network, path in ((model, self.run.final), (best, self.run.best)):
            probabilities = network.predict(images, batch_size=PREDICTION_BATCH, verbose=0)
            contract = with_confidence(self._contract(), probabilities, self.splits.validation.labels)
            save_model(network, contract, path)
        with whole_file(self.run.curves) as temporary:
            draw_curves(history, temporary)
        kept = self.run.final if self.recipe.keep == "final" else self.run.best
        write_whole(self.run.model, kept.read_bytes())

    def _contract(self) -> Contract:
        used = DataUsed(self.dataset.name, len(self.splits.train), self.config.data_fingerprint)
        return dataclasses.replace(contract_of(self.recipe, self.dataset), training=used, tools=self.config.versions)


def _config(options: TrainOptions, recipe: Recipe, data: str, splits: Splits) -> RunConfig:
    epochs = options.epochs if options.epochs is not None else recipe.epochs
    batch_size = options.batch_size if options.batch_size is not None else recipe.batch_size
    for name, value in (("--epochs", epochs), ("--batch-size", batch_size)):
        if value < 1:
            raise EdgedigitsError(f"{name} must be at least 1, is {value}")
    if not 0 <= options.seed < 2**32:
        raise EdgedigitsError(f"--seed must be from 0 to 2**32 - 1, is {options.seed}")
    return RunConfig(
        recipe=recipe.name,
        # A folder may be named relative to where the training was started.
        data=str(Path(data).resolve()) if data not in DATASETS and Path(data).is_dir() else data,
        data_dir=str(options.data_dir.resolve()) if options.data_dir else None,
        epochs=epochs,
        batch_size=batch_size,
        seed=options.seed,
        augment=options.augment,
        device=options.device,
        data_fingerprint=splits.train.fingerprint(),
        split=dataclasses.asdict(recipe.split),
        versions={
            "edgedigits": version("edgedigits"),
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
        },
    )


def _build(recipe: Recipe, dataset: Dataset, seed: int) -> Any:
    """Make and compile the network; a network that cannot take the image size is the dataset's error."""
    keras.utils.set_random_seed(seed)
    image_shape = dataset.train.images.shape[1:]
    try:
        model = recipe.build(image_shape, len(dataset.labels))
    except ValueError as error:
        height, width, channels = image_shape
        raise DatasetInvalid(
            f"recipe {recipe.name} cannot take images of {height}x{width}; the smallest it takes are"
            f" {_smallest_side(recipe, channels)} pixels wide and high"
        ) from error
    model.compile(keras.optimizers.Adam(recipe.learning_rate), recipe.loss, metrics=["accuracy"])
    return model


def _smallest_side(recipe: Recipe, channels: int) -> int:
    """Return the smallest square image that the recipe's network takes: the first for which it can be built."""
    for side in range(1, LARGEST_SIDE):
        try:
            recipe.build((side, side, channels), 2)
        except ValueError:
            continue
        return side
    raise DatasetInvalid(f"recipe {recipe.name} takes no image of up to {LARGEST_SIDE} pixels")


def _seed_layers(model: Any, seed: int, epoch: int) -> None:
    """Set the random state of layers such as Dropout, which Keras does not save, so that a resumed run draws alike."""
    states = [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
    for number, state in enumerate(states):
        state.assign(np.array([seed, epoch * len(states) + number], np.uint32))


def _start_run(out: Path | None, recipe: Recipe) -> RunFolder:
    if out is None:
        return new_run(recipe.name, RUNS)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(f"cannot make the run folder {out}: {error.strerror}") from error
    if any(out.iterdir()):
        raise RunError(f"{out} is not empty; give another --out, or continue it with --resume {out}")
    return RunFolder(out)


def _targets(samples: Samples, recipe: Recipe, classes: int) -> NDArray[Any]:
    if recipe.loss == "sparse_categorical_crossentropy":
        return samples.labels
    return np.eye(classes, dtype=np.float32)[samples.labels]


def _stalled(history: list[dict[str, float]], patience: int | None) -> bool:
    """Whether the best validation loss is `patience` epochs old."""
    if patience is None or not history:
        return False
    losses = [row["val_loss"] for row in history]
    return len(losses) - 1 - losses.index(min(losses)) >= patience
