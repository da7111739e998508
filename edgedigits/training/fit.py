"""Train a recipe into a run folder, or resume one that was killed."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from edgedigits.data import load_dataset
from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.splits import Splits, split
from edgedigits.plotting.curves import draw_curves
from edgedigits.recipes import get_recipe
from edgedigits.recipes.augmentation import Augmentation
from edgedigits.recipes.recipe import Recipe, contract_of
from edgedigits.training.augment import Augment
from edgedigits.training.batches import Batches, shuffled
from edgedigits.training.checkpoint import load_checkpoint, save_checkpoint
from edgedigits.training.computing import check_shareable, computing, device_count, even_share
from edgedigits.training.folding import fold_batch_normalisation
from edgedigits.training.lesson import Lesson
from edgedigits.training.network import build_network, seed_layers
from edgedigits.training.options import TrainOptions, config_of
from edgedigits.training.phases import Phase, phases_of, total_epochs
from edgedigits.training.progress import EpochProgress
from edgedigits.training.quantization import Quantized
from edgedigits.training.run_folder import RUNS, RunConfig, RunFolder, new_run
from edgedigits.training.teachers import load_teachers
from edgedigits.training.temperature import with_temperature
from edgedigits_exporters.conversion import choose_balanced
from edgedigits_exporters.keras_backend import device_scope
from edgedigits_exporters.keras_file import load_model, save_model
from edgedigits_runtime.contract import Contract, DataUsed, Normalisation
from edgedigits_runtime.errors import OutputNotWritable, RunError
from edgedigits_runtime.preprocessing import Images, normalise
from edgedigits_runtime.reading.frame import FRAME_SHAPE
from edgedigits_runtime.synthetic.samples import non_digit_samples
from edgedigits_runtime.whole_files import remove_abandoned, whole_file, write_whole

PREDICTION_BATCH = 512

DIGITS = frozenset("0123456789")


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while training; `run` is where it can be resumed."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__(f"interrupted; go on with: edgedigits train --resume {run.path}")
        self.run = run


AfterEpoch = Callable[[RunFolder], None]


def train(options: TrainOptions, console: Console | None = None, after_epoch: AfterEpoch | None = None) -> RunFolder:
    """Train and return the run folder.

    Args:
        options: what to train, and how.
        console: where progress is printed; None prints nothing.
        after_epoch: called when all of an epoch is written: what is there then can be gone on with.

    Raises:
        UnknownName, ArtifactError, DataError, DeviceUnavailable, RunError: before anything is written.
        Interrupted: Ctrl-C; the checkpoint of the last finished epoch is kept.
    """
    recipe = get_recipe(options.recipe)
    with device_scope(options.device), computing(options.mixed_precision, options.parallel):
        dataset = load_dataset(options.data or recipe.dataset, data_dir=options.data_dir)
        splits = split(dataset, recipe.split)
        config = config_of(options, dataset, splits)
        check_shareable(config.batch_size)
        model = build_network(recipe, dataset, config, -(-len(splits.train) // config.batch_size))
        teachers = load_teachers(config.teachers, dataset, recipe.normalisation)
        run = _start_run(options.out, recipe)
        run.write_config(config)
        # Before the first epoch, so that a run killed within it can be resumed too.
        save_checkpoint(model, [], run.checkpoint)
        console = console or Console(quiet=True)
        training = _Training(run, config, recipe, dataset, splits, teachers, console, after_epoch)
        return training.go_on(model, [])


def resume(path: Path, console: Console | None = None, after_epoch: AfterEpoch | None = None) -> RunFolder:
    """Go on with a run that was killed, to the number of epochs it was started with; arguments as of `train`.

    Raises:
        RunError: no run, a damaged checkpoint, or the data are not those it was started with.
    """
    run = RunFolder(path)
    config = run.read_config()
    remove_abandoned(path)
    recipe = get_recipe(config.recipe)
    scope = device_scope(config.device)  # type: ignore[arg-type]  # checked when the run was started
    with scope, computing(config.mixed_precision, config.parallel):
        dataset = load_dataset(config.data, data_dir=Path(config.data_dir) if config.data_dir else None)
        splits = split(dataset, recipe.split)
        if splits.train.digest() != config.data_fingerprint:
            raise RunError(f"{path} was trained on other data than {config.data!r} holds now; start a new run")
        check_shareable(config.batch_size)
        keras.utils.set_random_seed(config.seed)
        teachers = load_teachers(config.teachers, dataset, recipe.normalisation)
        console = console or Console(quiet=True)
        training = _Training(run, config, recipe, dataset, splits, teachers, console, after_epoch)
        if list(path.iterdir()) == [run.config]:
            # Killed before its first checkpoint.
            return training.go_on(build_network(recipe, dataset, config, training.steps), [])
        return training.go_on(*load_checkpoint(run.checkpoint))


@dataclass(frozen=True)
class _Training:
    """What stays the same from epoch to epoch."""

    run: RunFolder
    config: RunConfig
    recipe: Recipe
    dataset: Dataset
    splits: Splits
    teachers: list[Any]
    console: Console
    after_epoch: AfterEpoch | None

    def go_on(self, model: Any, history: list[dict[str, float]]) -> RunFolder:
        """Train from the epoch after `history` to the end and write what a finished run holds."""
        progress = EpochProgress(self.console, total_epochs(self.recipe, self.config.epochs))
        lesson = None
        try:
            for phase, epoch in self._epochs_from(len(history)):
                if _stalled(history, self.recipe.patience):
                    break
                if epoch == phase.first:
                    model = phase.begun(model, self.recipe.loss, self.steps)
                # Ranges of what is rounded are measured anew each epoch.
                if lesson is None or epoch == phase.first or phase.kind == "quantized":
                    lesson = self._lesson(model, phase)
                row = self._run_epoch(lesson, epoch, progress)
                history.append(row)
                # The best before the checkpoint: killed in between, the epoch is run again and judged again.
                if row["val_accuracy"] >= max(past["val_accuracy"] for past in history):
                    save_model(model, self._contract(), self.run.best)
                save_checkpoint(model, history, self.run.checkpoint)
                self.run.write_history(history)
                progress.finished(row)
                if self.after_epoch:
                    self.after_epoch(self.run)
        except KeyboardInterrupt as error:
            raise Interrupted(self.run) from error
        finally:
            progress.close()
        self._finish(model, history)
        return self.run

    def _epochs_from(self, done: int) -> Iterator[tuple[Phase, int]]:
        for phase in phases_of(self.recipe, self.config.epochs):
            for epoch in range(max(done, phase.first), phase.first + phase.epochs):
                yield phase, epoch

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return -(-len(self.splits.train) // self.config.batch_size)

    @cached_property
    def others(self) -> Images | None:
        """Pictures of what is no digit, for networks that read digits."""
        dataset = self.dataset
        if not self.recipe.not_digits or dataset.image_shape != FRAME_SHAPE or not DIGITS.issuperset(dataset.labels):
            return None
        return non_digit_samples(self.recipe.not_digits, self.config.seed)[..., np.newaxis]

    def _lesson(self, network: Any, phase: Phase) -> Lesson:
        """Surround a compiled network with all that the recipe and the options ask for."""
        wanted = self.config.augmentation
        lesson = Lesson(
            self._quantized(network) if phase.kind == "quantized" else network,
            augment=Augment(phase.augmentation(Augmentation(**wanted)), self.config.seed) if wanted else None,
            normalisation=self.recipe.normalisation,
            others=self.others,
            others_weight=self.recipe.not_digits_weight,
            teachers=self.teachers,
            seed=self.config.seed,
        )
        # The network's own optimiser, so that the checkpoint is a plain compiled Keras model.
        lesson.compile(network.optimizer, self.recipe.loss, metrics=["accuracy"])
        return lesson

    def _quantized(self, network: Any) -> Quantized:
        """Return the network computing as its int8 export will."""
        train = self.splits.train
        calibration = choose_balanced(train.images, train.labels, self.dataset.name)
        quantized = Quantized(network)
        quantized.measure(normalise(calibration.images, self.recipe.normalisation))
        return quantized

    def _run_epoch(self, lesson: Lesson, epoch: int, progress: EpochProgress) -> dict[str, float]:
        order = shuffled(len(self.splits.train), (self.config.seed, epoch), device_count())
        # Several devices share a batch evenly; at most a few of the validation images are left out.
        measured = len(self.splits.validation) // device_count() * device_count()
        seed_layers(lesson, self.config.seed, epoch)
        start = time.perf_counter()
        logs = lesson.fit(
            # Augmentation comes before normalisation.
            self._batches(self.splits.train, order, "unit" if self.config.augmentation else self.recipe.normalisation),
            initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0, callbacks=[progress],
            validation_data=self._validation(measured),
        ).history  # fmt: skip
        metrics = {name: float(values[-1]) for name, values in logs.items()}
        return {"epoch": epoch + 1, **metrics, "seconds": time.perf_counter() - start}

    def _validation(self, count: int) -> Batches:
        size = even_share(PREDICTION_BATCH)
        return self._batches(self.splits.validation, np.arange(count), self.recipe.normalisation, size)

    def _batches(
        self, samples: Samples, order: NDArray[np.int64], normalisation: Normalisation, size: int | None = None
    ) -> Batches:
        return Batches(
            samples,
            _targets(samples, self.recipe, len(self.dataset.labels)),
            order=order,
            batch_size=size or self.config.batch_size,
            normalisation=normalisation,
        )

    def _finish(self, model: Any, history: list[dict[str, float]]) -> None:
        """Write what a finished run holds."""
        # Again, for a run that was killed between its last checkpoint and this file.
        self.run.write_history(history)
        with computing(mixed_precision=False, parallel=False):
            self._write_models(model)
        with whole_file(self.run.curves) as temporary:
            draw_curves(history, temporary)
        kept = self.run.final if self.recipe.keep == "final" else self.run.best
        write_whole(self.run.model, kept.read_bytes())

    def _write_models(self, model: Any) -> None:
        """Fold both kept networks, fit their confidence on validation, and write them."""
        best, _ = load_model(self.run.best)
        for trained, path in ((model, self.run.final), (best, self.run.best)):
            network = fold_batch_normalisation(trained)
            probabilities = network.predict(self._validation(len(self.splits.validation)), verbose=0)
            contract = with_temperature(self._contract(), probabilities, self.splits.validation.labels)
            save_model(network, contract, path)

    def _contract(self) -> Contract:
        used = DataUsed(self.dataset.name, len(self.splits.train), self.config.data_fingerprint)
        return dataclasses.replace(contract_of(self.recipe, self.dataset), training=used, tools=self.config.versions)


def _start_run(out: Path | None, recipe: Recipe) -> RunFolder:
    if out is None:
        return new_run(recipe.name, RUNS)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(f"cannot make the run folder {out}: {error.strerror}") from error
    # Of a run that was killed before it wrote its config, nothing else is there.
    remove_abandoned(out)
    run = RunFolder(out)
    run.refuse_other_files()
    return run


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
