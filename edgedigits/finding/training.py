"""Train the finder into a run folder, or resume it.

runs/finder-<time>/
    config.json      settings, seed, versions
    history.csv      one row per finished epoch
    checkpoint.npz   weights, their moving average and optimiser state, for resuming
    finder.keras     the moving average after the last epoch
    finder.tflite    int8, at the end
    finder.onnx      float32, at the end
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from edgedigits.finding.batches import Batch, Batches
from edgedigits.finding.exporting import THRESHOLD, export_finder, outputs_of, save_finder, validation_scenes
from edgedigits.finding.learner import Learner, Schedule
from edgedigits.finding.measures import evaluate
from edgedigits.progress import ProgressBar
from edgedigits.recipes import FINDER
from edgedigits.training.fit import Interrupted
from edgedigits.training.interrupts import remembered_interrupts
from edgedigits.training.run_folder import RunConfig, RunFolder, start_run
from edgedigits_exporters.keras_backend import Device, device_scope
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.whole_files import remove_abandoned

EPOCHS = 80
BATCH_SIZE = 16
STEPS = 1000
"""Steps of an epoch: after each comes validation."""
CHECKPOINT_STEPS = 200
"""Steps between two checkpoints."""


@dataclasses.dataclass(frozen=True)
class FinderOptions:
    """Options of `edgedigits train --recipe finder`.

    Args:
        epochs: of `steps` steps each.
        batch_size: scenes of a step.
        seed: of weights and scenes.
        out: the run folder; None for a new one under `runs/`.
        device: "auto", "cpu" or "gpu".
        workers: processes that draw scenes; 0 draws in this one.
        steps, validation: steps of an epoch, and scenes of its validation; fewer for trials only.
    """

    epochs: int = EPOCHS
    batch_size: int = BATCH_SIZE
    seed: int = 0
    out: Path | None = None
    device: Device = "auto"
    workers: int = 2
    steps: int = STEPS
    validation: int = 300


def train_finder(options: FinderOptions, console: Console | None = None) -> RunFolder:
    """Train and return the run folder, with its exports.

    Raises:
        EdgedigitsError: a number is out of range, or the folder is not empty, before anything is written.
        Interrupted: Ctrl-C; the last checkpoint is kept.
    """
    for name, value in (("--epochs", options.epochs), ("--batch-size", options.batch_size)):
        if value < 1:
            raise EdgedigitsError(f"{name} must be at least 1, got {value}")
    run = start_run(options.out, FINDER)
    run.write_config(
        RunConfig(
            recipe=FINDER,
            data="drawn scenes",
            data_dir=None,
            epochs=options.epochs,
            batch_size=options.batch_size,
            seed=options.seed,
            augmentation=None,
            device=options.device,
            data_fingerprint="",
            split={"steps": options.steps, "validation": options.validation},
            versions={"edgedigits": version("edgedigits"), "keras": keras.__version__},
        )
    )
    return resume_finder(run.path, console, options.workers)


def resume_finder(path: Path, console: Console | None = None, workers: int = 2, epochs: int | None = None) -> RunFolder:
    """Go on with a training, also if the scenes are drawn otherwise than when it began.

    Args:
        path: the run folder.
        console: where progress is printed; None for nowhere.
        workers: processes that draw scenes.
        epochs: other epochs than before, while the rate has not begun to fall.

    Raises:
        RunError: no run, or a damaged checkpoint.
        Interrupted: Ctrl-C; the last checkpoint is kept.
    """
    run = RunFolder(path)
    config = run.read_config()
    if epochs is not None:
        config = dataclasses.replace(config, epochs=epochs)
        run.write_config(config)
    remove_abandoned(path)
    with device_scope(config.device):  # type: ignore[arg-type]  # checked when the run was started
        steps = config.split["steps"]
        learner = Learner(Schedule(config.epochs * steps), config.seed)
        checkpoint = path / "checkpoint.npz"
        history = learner.load(checkpoint) if checkpoint.is_file() else []
        batches = Batches(config.seed, config.batch_size).from_step(learner.step, workers)
        training = _Training(run, config, learner, history, console or Console(quiet=True))
        try:
            with remembered_interrupts() as check_interrupt:
                training.run(batches, check_interrupt)
        except KeyboardInterrupt as error:
            raise Interrupted(run) from error
        export_finder(path / "finder.keras", path, config.split["validation"])
    return run


@dataclasses.dataclass(frozen=True)
class _Training:
    folder: RunFolder
    config: RunConfig
    learner: Learner
    history: list[dict[str, float]]
    console: Console

    def run(self, batches: Iterator[Batch], check_interrupt: Callable[[], None]) -> None:
        steps, epochs = self.config.split["steps"], self.config.epochs
        while len(self.history) < epochs:
            start, losses = time.perf_counter(), []
            left = (len(self.history) + 1) * steps - self.learner.step
            bar = ProgressBar(f"epoch {len(self.history) + 1}/{epochs}", left, console=self.console)
            bar.start()
            try:
                for batch in islice(batches, left):
                    losses.append(self.learner.learn(batch))
                    bar.advance()
                    check_interrupt()
                    if self.learner.step % CHECKPOINT_STEPS == 0:
                        self._save()
                        self._print(_losses_line(self.learner.step, losses))
            finally:
                bar.stop()
            self._finish_epoch(losses, time.perf_counter() - start)

    def _save(self) -> None:
        self.learner.save(self.folder.path / "checkpoint.npz", self.history)

    def _finish_epoch(self, losses: list[tuple[float, float]], seconds: float) -> None:
        # None if a training was killed between the epoch's last checkpoint and its end.
        heat, box = np.mean(losses, axis=0) if losses else (np.nan, np.nan)
        scenes = validation_scenes(self.config.split["validation"])
        (tally,) = evaluate(outputs_of(self.learner.average), scenes, [THRESHOLD]).values()
        epoch = len(self.history) + 1
        row = {"epoch": epoch, "heat_loss": heat, "box_loss": box, **tally.shares(), "seconds": seconds}
        self.history.append({name: float(value) for name, value in row.items()})
        save_finder(self.learner.average, self.config, self.learner.step, self.folder.path / "finder.keras")
        self.folder.write_history(self.history)
        self._save()
        self._print(_line(row, self.config.epochs))

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)


def _losses_line(step: int, losses: list[tuple[float, float]]) -> str:
    heat, box = np.mean(losses[-CHECKPOINT_STEPS:], axis=0)
    return f"step {step}  heat {heat:.3f}  box {box:.3f}"


def _line(row: dict[str, Any], epochs: int) -> str:
    """Return the line to print for a finished epoch."""
    by_size = " ".join(f"{100 * value:.0f}" for name, value in row.items() if name.startswith("recall_"))
    return (
        f"epoch {row['epoch']}/{epochs}  heat {row['heat_loss']:.3f}  box {row['box_loss']:.3f}"
        f"  recall {100 * row['recall']:.1f}% (by size {by_size})  precision {100 * row['precision']:.1f}%"
        f"  letters taken {100 * row['letters_taken']:.1f}%  exact {100 * row['exact']:.1f}%  {row['seconds']:.0f} s"
    )
