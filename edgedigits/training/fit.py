"""Train a recipe into a run folder, or resume one that was killed."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.splits import Splits
from edgedigits.plotting.curves import draw_curves
from edgedigits.progress import ProgressBar
from edgedigits.recipes.augmentation import Augmentation
from edgedigits.recipes.recipe import Recipe, contract_of
from edgedigits.training.augment import Augment
from edgedigits.training.batches import Batches, shuffled
from edgedigits.training.checkpoint import load_checkpoint, save_checkpoint
from edgedigits.training.computing import check_shareable, computing, device_count, even_share
from edgedigits.training.folding import fold_batch_normalisation
from edgedigits.training.interrupts import remembered_interrupts
from edgedigits.training.network import build_network, load_teachers, seed_layers
from edgedigits.training.phases import Phase, phases_of
from edgedigits.training.prepared import Prepared, prepare
from edgedigits.training.quantization import Quantized
from edgedigits.training.run_folder import RunConfig, RunFolder, format_epoch, start_run
from edgedigits.training.soundness import check_learned, diagnose_gap
from edgedigits.training.temperature import with_temperature
from edgedigits.training.train_options import TrainOptions, config_of
from edgedigits.training.training_model import TrainingModel
from edgedigits_exporters.conversion import choose_balanced
from edgedigits_exporters.keras_backend import device_scope
from edgedigits_exporters.keras_file import load_model, save_model
from edgedigits_runtime.contract import Contract, DataUsed, Normalisation
from edgedigits_runtime.preprocessing import Images, normalise
from edgedigits_runtime.synthetic.samples import non_digit_samples
from edgedigits_runtime.whole_files import remove_abandoned, whole_file, write_whole

PREDICTION_BATCH = 512


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while training; `run` can be resumed."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__(f"interrupted; to resume: edgedigits train --resume {run.path}")
        self.run = run


AfterEpoch = Callable[[RunFolder], None]


def train(
    options: TrainOptions,
    console: Console | None = None,
    after_epoch: AfterEpoch | None = None,
    prepared: Prepared | None = None,
) -> RunFolder:
    """Train and return the run folder.

    Args:
        options: of the training.
        console: where progress is printed; None for nowhere.
        after_epoch: called with the run after every epoch.
        prepared: by `prepare`, if that was done before Keras was imported.

    Raises:
        UnknownName, ArtifactError, DataError, DeviceUnavailable, RunError: before anything is written.
        Interrupted: Ctrl-C; the checkpoint of the last epoch is kept.
    """
    recipe, dataset, splits = prepared or prepare(options)
    with device_scope(options.device), computing(options.mixed_precision, options.parallel):
        config = config_of(options, dataset, splits)
        check_shareable(config.batch_size)
        model = build_network(recipe, dataset, config, -(-len(splits.train) // config.batch_size))
        teachers = load_teachers(config.teachers, dataset, recipe.normalisation)
        run = start_run(options.out, recipe.name)
        run.write_config(config)
        # A run that is killed in its first epoch can be resumed too.
        save_checkpoint(model, [], run.checkpoint)
        console = console or Console(quiet=True)
        training = _Training(run, config, recipe, dataset, splits, teachers, console, after_epoch)
        return training.fit(model, [])


def resume(
    path: Path,
    console: Console | None = None,
    after_epoch: AfterEpoch | None = None,
    prepared: Prepared | None = None,
) -> RunFolder:
    """Resume an interrupted run with its own settings; see `train` for the arguments.

    Raises:
        RunError: no run, a damaged checkpoint, or other training data than before.
    """
    run = RunFolder(path)
    config = run.read_config()
    remove_abandoned(path)
    recipe, dataset, splits = prepared or prepare(path)
    scope = device_scope(config.device)  # type: ignore[arg-type]  # checked when the run was started
    with scope, computing(config.mixed_precision, config.parallel):
        check_shareable(config.batch_size)
        keras.utils.set_random_seed(config.seed)
        teachers = load_teachers(config.teachers, dataset, recipe.normalisation)
        console = console or Console(quiet=True)
        training = _Training(run, config, recipe, dataset, splits, teachers, console, after_epoch)
        if list(path.iterdir()) == [run.config]:
            # It was killed before its first checkpoint.
            return training.fit(build_network(recipe, dataset, config, training.steps), [])
        return training.fit(*load_checkpoint(run.checkpoint))


class EpochProgress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras publishes no types
    """Draw a bar if the console is a terminal, print finished epochs in any case, and stop after Ctrl-C."""

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__()
        self.check_interrupt: Callable[[], None] = lambda: None
        self._console = console
        self._epochs = epochs
        self._bar: ProgressBar | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._bar = ProgressBar(f"epoch {epoch + 1}/{self._epochs}", self.params["steps"], console=self._console)
        self._bar.start()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.check_interrupt()
        if self._bar:
            self._bar.advance()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.check_interrupt()

    def close(self) -> None:
        """Remove the bar, also after an interrupted epoch."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def finish_epoch(self, row: Mapping[str, float]) -> None:
        """Print the line of a finished epoch."""
        self.close()
        self._console.print(format_epoch(row, self._epochs), highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class _Training:
    """A training: its settings, data and teachers."""

    run: RunFolder
    config: RunConfig
    recipe: Recipe
    dataset: Dataset
    splits: Splits
    teachers: list[Any]
    console: Console
    after_epoch: AfterEpoch | None

    def fit(self, model: Any, history: list[dict[str, float]]) -> RunFolder:
        """Train from the epoch after `history` to the end and write the finished run."""
        phases = phases_of(self.recipe, self.config.epochs)
        epochs = [(phase, epoch) for phase in phases for epoch in range(phase.first, phase.first + phase.epochs)]
        progress = EpochProgress(self.console, len(epochs))
        trained = None
        try:
            with remembered_interrupts() as progress.check_interrupt:
                for phase, epoch in epochs[len(history) :]:
                    progress.check_interrupt()
                    if _stalled(history, self.recipe.patience):
                        break
                    if epoch == phase.first:
                        model = phase.begin(model, self.recipe.loss, self.steps)
                    # The ranges of quantized activations are measured in every epoch.
                    if trained is None or epoch == phase.first or phase.kind == "quantized":
                        trained = self._wrap(model, phase)
                    row = self._run_epoch(trained, epoch, progress)
                    progress.check_interrupt()
                    history.append(row)
                    # Before the checkpoint: if killed in between, the epoch is repeated and compared again.
                    if row["val_accuracy"] >= max(past["val_accuracy"] for past in history):
                        save_model(model, self._contract(), self.run.best)
                    save_checkpoint(model, history, self.run.checkpoint)
                    self.run.write_history(history)
                    progress.finish_epoch(row)
                    if self.after_epoch:
                        self.after_epoch(self.run)
        except KeyboardInterrupt as error:
            raise Interrupted(self.run) from error
        finally:
            progress.close()
        self._finish(model, history)
        return self.run

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-len(self.splits.train) // self.config.batch_size)

    @cached_property
    def non_digits(self) -> Images | None:
        """Drawn non-digits, for networks that read digits."""
        if not self.recipe.draws_non_digits(self.dataset):
            return None
        return non_digit_samples(self.recipe.non_digits, self.config.seed)[..., np.newaxis]

    def _wrap(self, network: Any, phase: Phase) -> TrainingModel:
        """Wrap a compiled network with augmentation, non-digits and teachers."""
        wanted = self.config.augmentation
        trained = TrainingModel(
            self._quantized(network) if phase.kind == "quantized" else network,
            augment=Augment(phase.augmentation(Augmentation(**wanted)), self.config.seed) if wanted else None,
            normalisation=self.recipe.normalisation,
            non_digits=self.non_digits,
            non_digits_weight=self.recipe.non_digits_weight,
            non_digit_output=self._contract().non_digit,
            teachers=self.teachers,
            seed=self.config.seed,
        )
        # The network's own optimiser: the checkpoint is a plain compiled Keras model.
        trained.compile(network.optimizer, self.recipe.loss, metrics=["accuracy"])
        return trained

    def _quantized(self, network: Any) -> Quantized:
        """Return the network with int8 arithmetic simulated."""
        train = self.splits.train
        calibration = choose_balanced(train.images, train.labels, self.dataset.name)
        quantized = Quantized(network)
        quantized.measure(normalise(calibration.images, self.recipe.normalisation))
        return quantized

    def _run_epoch(self, trained: TrainingModel, epoch: int, progress: EpochProgress) -> dict[str, float]:
        order = shuffled(len(self.splits.train), (self.config.seed, epoch), device_count())
        # Devices share a batch evenly, so the last few validation images may be left out.
        measured = len(self.splits.validation) // device_count() * device_count()
        seed_layers(trained, self.config.seed, epoch)
        start = time.perf_counter()
        logs = trained.fit(
            # Augmentation works on 0..1, before normalisation.
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
        sparse = self.recipe.loss == "sparse_categorical_crossentropy"
        return Batches(
            samples,
            samples.labels if sparse else np.eye(self._contract().values, dtype=np.float32)[samples.labels],
            order=order,
            batch_size=size or self.config.batch_size,
            normalisation=normalisation,
        )

    def _finish(self, model: Any, history: list[dict[str, float]]) -> None:
        """Write the files of a finished run; raise ModelInaccurate if nothing was learned."""
        # A run may have been killed between its last checkpoint and this file.
        self.run.write_history(history)
        cause = diagnose_gap(model, history, self.steps)
        with computing(mixed_precision=False, parallel=False):
            self._write_models(model, cause)
        if cause:
            self.console.print(cause, highlight=False, soft_wrap=True)
        with whole_file(self.run.curves) as temporary:
            draw_curves(history, temporary)
        write_whole(self.run.model, self._kept.read_bytes())

    @property
    def _kept(self) -> Path:
        return self.run.final if self.recipe.keep == "final" else self.run.best

    def _write_models(self, model: Any, cause: str) -> None:
        """Fold the best and the final network, fit their confidence, and write them; for `cause` see check_learned."""
        best, _ = load_model(self.run.best)
        for trained, path in ((model, self.run.final), (best, self.run.best)):
            network = fold_batch_normalisation(trained)
            probabilities = network.predict(self._validation(len(self.splits.validation)), verbose=0)
            if path == self._kept:
                check_learned(probabilities, self.splits.validation, cause)
            contract = with_temperature(self._contract(), probabilities, self.splits.validation.labels)
            save_model(network, contract, path)

    def _contract(self) -> Contract:
        used = DataUsed(self.dataset.name, len(self.splits.train), self.config.data_fingerprint)
        return dataclasses.replace(contract_of(self.recipe, self.dataset), training=used, tools=self.config.versions)


def _stalled(history: list[dict[str, float]], patience: int | None) -> bool:
    """Return whether the best validation loss is `patience` epochs old."""
    if patience is None or not history:
        return False
    losses = [row["val_loss"] for row in history]
    return len(losses) - 1 - losses.index(min(losses)) >= patience
