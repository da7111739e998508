"""Train on Ray: each training is a task, and its run folder is copied back atomically after every epoch.

The task sends its run to a mailbox, an actor on the driver's node; the driver fetches it and writes it. If a node is
lost, its trainings resume on another node after the last copied epoch. They also resume when the driver is restarted.
"""

import dataclasses
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from edgedigits.data import DATASETS
from edgedigits.progress import ProgressBar
from edgedigits.ray_cluster import cluster
from edgedigits.recipes import get_recipe
from edgedigits.training.phases import total_epochs
from edgedigits.training.run_folder import RunFolder, format_epoch
from edgedigits.training.run_transfer import Files, read_files, write_files
from edgedigits.training.train import check_same_options, train_or_resume
from edgedigits.training.train_options import TrainOptions
from edgedigits_runtime.errors import EdgedigitsError

POLL_SECONDS = 0.5

MAX_LOSSES = 3
"""Losses without an epoch in between before a training fails: one that fills its node's memory would never end."""


@dataclass(frozen=True)
class RayResources:
    """A Ray cluster and the resources of each training.

    Args:
        address: see edgedigits.ray_cluster.cluster.
        cpus: cores for each training.
        gpus: GPUs for each training; None is 1 if the cluster has any, else 0.
    """

    address: str
    cpus: int = 1
    gpus: float | None = None


def train_on_ray(trainings: Sequence[TrainOptions], resources: RayResources, console: Console) -> dict[str, str]:
    """Train each into its run folder on a cluster; see edgedigits.training.several.train_several."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    with cluster(resources.address, needs=[("keras", "train-cpu"), (backend, "train-cpu")]) as found:
        gpus = resources.gpus if resources.gpus is not None else float(found.gpus > 0)
        found.require(resources.cpus, gpus)
        console.print(f"on Ray; nodes: {found.nodes}, CPUs: {found.cpus:g}, GPUs: {found.gpus:g}", highlight=False)
        environment = {"KERAS_BACKEND": backend, "TF_NUM_INTRAOP_THREADS": str(resources.cpus)}
        return _Trainings({"num_cpus": resources.cpus, "num_gpus": gpus}, environment, console).run(trainings)


@dataclass
class _Training:
    """State of a training on the driver: copied epochs, and losses of its task since the last of them."""

    options: TrainOptions
    run: RunFolder
    epochs: int
    losses: int = 0

    @property
    def name(self) -> str:
        return self.run.path.name

    @property
    def all_epochs(self) -> int:
        recipe = get_recipe(self.options.recipe)
        return total_epochs(recipe, self.options.epochs or recipe.epochs)


class _Trainings:
    """Start trainings, copy their runs, and restart lost ones."""

    def __init__(self, resources: dict[str, float], environment: dict[str, str], console: Console) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # A new process for each training, so that GPU memory is released.
        self._task = ray.remote(max_retries=0, max_calls=1, scheduling_strategy="SPREAD", **resources)(_train)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        self._mailbox = ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(_Mailbox).remote()
        self._environment = environment
        self._console = console
        self._failures: dict[str, str] = {}
        self._running: dict[Any, _Training] = {}

    def run(self, trainings: Sequence[TrainOptions]) -> dict[str, str]:
        """Train all and return errors by name."""
        import ray

        for options in trainings:
            self._start_unfinished(options)
        all_trainings = list(self._running.values())
        with ProgressBar(
            "epochs", sum(training.all_epochs for training in all_trainings), console=self._console
        ) as bar:
            while self._running:
                done, _ = ray.wait(list(self._running), timeout=POLL_SECONDS)
                self._fetch_runs()
                for task in done:
                    self._finish(task)
                bar.update(completed=sum(training.epochs for training in all_trainings))
        return self._failures

    def _start_unfinished(self, options: TrainOptions) -> None:
        """Start or resume a training unless it is finished."""
        assert options.out is not None
        run = RunFolder(options.out)
        try:
            if run.config.is_file():
                check_same_options(run, options)
            else:
                run.refuse_other_files()
            if run.model.is_file():
                self._print(run.path.name, "already finished")
                return
        except EdgedigitsError as error:
            self._fail(run.path.name, str(error))
        else:
            self._start(_Training(_absolute(options), run, len(run.read_history())))

    def _start(self, training: _Training) -> None:
        files = read_files(training.run)
        task = self._task.remote(training.options, files, training.name, self._mailbox, self._environment)
        self._running[task] = training

    def _fetch_runs(self) -> None:
        import ray

        try:
            runs = ray.get(self._mailbox.take.remote())
        except ray.exceptions.RayError:
            # The mailbox was lost too; Ray restarts it empty.
            return
        for training in self._running.values():
            if training.name in runs:
                self._copy_run(training, runs[training.name])

    def _copy_run(self, training: _Training, files: Files) -> None:
        """Write the run of a training and print its new epochs."""
        write_files(files, training.run)
        history = training.run.read_history()
        for row in history[training.epochs :]:
            self._print(training.name, format_epoch(row, training.all_epochs))
        training.epochs, training.losses = len(history), 0

    def _finish(self, task: Any) -> None:
        """Copy the run of a finished task, restart a lost one, or record why it failed."""
        import ray

        training = self._running.pop(task)
        try:
            self._copy_run(training, ray.get(task))
        except ray.exceptions.RayTaskError as error:
            self._fail(training.name, _first_line(error.cause))
        except ray.exceptions.RayError as error:
            training.losses += 1
            if training.losses == MAX_LOSSES:
                self._fail(training.name, f"lost {MAX_LOSSES} times without finishing an epoch: {_first_line(error)}")
                return
            restart = f"resumed after epoch {training.epochs}" if training.epochs else "restarted"
            self._print(training.name, f"node or process lost; {restart}")
            self._start(training)

    def _fail(self, name: str, line: str) -> None:
        self._failures[name] = line
        self._print(name, f"failed: {line}")

    def _print(self, name: str, line: str) -> None:
        self._console.print(f"{name}: {line}", highlight=False, markup=False, soft_wrap=True)


class _Mailbox:
    """Actor that keeps the newest run of each training until the driver fetches it."""

    def __init__(self) -> None:
        self._runs: dict[str, Files] = {}

    def keep(self, name: str, files: Files) -> None:
        self._runs[name] = files

    def take(self) -> dict[str, Files]:
        runs, self._runs = self._runs, {}
        return runs


def _train(options: TrainOptions, files: Files, name: str, mailbox: Any, environment: dict[str, str]) -> Files:
    """Train or resume on a node and return the finished run."""
    # Keras reads it on import.
    os.environ.update(environment)
    from edgedigits_exporters.keras_backend import load_keras

    load_keras()
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        run = RunFolder(Path(folder) / name)
        if files:
            write_files(files, run)
        there = dataclasses.replace(options, out=run.path)
        train_or_resume(there, Console(quiet=True), lambda current: mailbox.keep.remote(name, read_files(current)))
        return read_files(run)


def _absolute(options: TrainOptions) -> TrainOptions:
    """Return the options with absolute paths, for another working directory."""
    data, teachers = options.data, options.teachers
    return dataclasses.replace(
        options,
        data=str(Path(data).resolve()) if data and data not in DATASETS else data,
        data_dir=options.data_dir and options.data_dir.resolve(),
        teachers=tuple(str(Path(teacher).resolve()) if Path(teacher).exists() else teacher for teacher in teachers),
    )


def _first_line(error: BaseException) -> str:
    if isinstance(error, EdgedigitsError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]
