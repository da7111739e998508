"""Train on Ray: each training is one task with its resources, and its run folder comes home whole.

After every epoch the task leaves its run with a mailbox, an actor beside the process that asked for the trainings, and
that process takes it home. So a training whose node was lost goes on, on another node, after the last epoch that came
home; and so do all when the asking process itself was killed and is started again.
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
from edgedigits.training.options import TrainOptions
from edgedigits.training.phases import total_epochs
from edgedigits.training.run_files import Files, read_files, write_files
from edgedigits.training.run_folder import RunFolder, row_as_text
from edgedigits.training.train_or_resume import check_same_options, train_or_resume
from edgedigits_runtime.errors import EdgedigitsError

LOOK_EVERY = 0.5
"""Seconds between two looks into the mailbox."""

LOSSES = 3
"""How often a training may be lost with no epoch in between: one that fills its node's memory is lost for ever."""


@dataclass(frozen=True)
class RayResources:
    """Where trainings run on Ray, and what each of them gets.

    Args:
        address: as edgedigits.ray_cluster.cluster takes it.
        cpus: cores of a training, which it computes with.
        gpus: of a training; None is one where the cluster has any, and none where it has not.
    """

    address: str
    cpus: int = 1
    gpus: float | None = None


def train_on_ray(trainings: Sequence[TrainOptions], place: RayResources, console: Console) -> dict[str, str]:
    """Train each into its run folder on a cluster; see edgedigits.training.several.train_several."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    with cluster(place.address, needs=[("keras", "train"), (backend, "train")]) as found:
        gpus = place.gpus if place.gpus is not None else float(found.gpus > 0)
        found.require(place.cpus, gpus)
        console.print(f"on Ray; nodes: {found.nodes}, CPUs: {found.cpus:g}, GPUs: {found.gpus:g}", highlight=False)
        environment = {"KERAS_BACKEND": backend, "TF_NUM_INTRAOP_THREADS": str(place.cpus)}
        return _Trainings({"num_cpus": place.cpus, "num_gpus": gpus}, environment, console).run(trainings)


@dataclass
class _Training:
    """One training, as it is seen from home.

    Attributes:
        epochs: that came home.
        losses: how often it was lost since then.
    """

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
    """Start trainings, take home what they have so far, and start those again that were lost."""

    def __init__(self, resources: dict[str, float], environment: dict[str, str], console: Console) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # A process for each training, so that none inherits another's memory on the GPU.
        self._task = ray.remote(max_retries=0, max_calls=1, scheduling_strategy="SPREAD", **resources)(_train)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        self._mailbox = ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(_Mailbox).remote()
        self._environment = environment
        self._console = console
        self._failures: dict[str, str] = {}
        self._under_way: dict[Any, _Training] = {}

    def run(self, trainings: Sequence[TrainOptions]) -> dict[str, str]:
        """Train all, and return what went wrong by name."""
        import ray

        for options in trainings:
            self._begin(options)
        every = list(self._under_way.values())
        with ProgressBar("epochs", sum(training.all_epochs for training in every), console=self._console) as bar:
            while self._under_way:
                done, _ = ray.wait(list(self._under_way), timeout=LOOK_EVERY)
                self._empty_mailbox()
                for task in done:
                    self._end(task)
                bar.update(completed=sum(training.epochs for training in every))
        return self._failures

    def _begin(self, options: TrainOptions) -> None:
        """Start a training that is not finished, from what there is of it."""
        assert options.out is not None
        run = RunFolder(options.out)
        try:
            if run.config.is_file():
                check_same_options(run, options)
            else:
                run.refuse_other_files()
            if run.model.is_file():
                self._say(run.path.name, "was finished before")
                return
        except EdgedigitsError as error:
            self._fail(run.path.name, str(error))
        else:
            self._start(_Training(_absolute(options), run, len(run.read_history())))

    def _start(self, training: _Training) -> None:
        files = read_files(training.run)
        task = self._task.remote(training.options, files, training.name, self._mailbox, self._environment)
        self._under_way[task] = training

    def _empty_mailbox(self) -> None:
        import ray

        try:
            letters = ray.get(self._mailbox.take.remote())
        except ray.exceptions.RayError:
            # Its node was lost too: it starts again, empty.
            return
        for training in self._under_way.values():
            if training.name in letters:
                self._take_home(training, letters[training.name])

    def _take_home(self, training: _Training, files: Files) -> None:
        """Write what came of a training, and tell of its new epochs."""
        write_files(files, training.run)
        history = training.run.read_history()
        for row in history[training.epochs :]:
            self._say(training.name, row_as_text(row, training.all_epochs))
        training.epochs, training.losses = len(history), 0

    def _end(self, task: Any) -> None:
        """Take home a training that ended, start it again if it was lost, or note why it failed."""
        import ray

        training = self._under_way.pop(task)
        try:
            self._take_home(training, ray.get(task))
        except ray.exceptions.RayTaskError as error:
            self._fail(training.name, _in_one_line(error.cause))
        except ray.exceptions.RayError as error:
            training.losses += 1
            if training.losses == LOSSES:
                self._fail(training.name, f"lost {LOSSES} times without an epoch in between: {_in_one_line(error)}")
                return
            again = f"goes on after epoch {training.epochs}" if training.epochs else "starts again"
            self._say(training.name, f"lost with its node or process; {again}")
            self._start(training)

    def _fail(self, name: str, line: str) -> None:
        self._failures[name] = line
        self._say(name, f"failed: {line}")

    def _say(self, name: str, line: str) -> None:
        self._console.print(f"{name}: {line}", highlight=False, markup=False, soft_wrap=True)


class _Mailbox:
    """The newest files of each training that were not yet taken home."""

    def __init__(self) -> None:
        self._letters: dict[str, Files] = {}

    def keep(self, name: str, files: Files) -> None:
        self._letters[name] = files

    def take(self) -> dict[str, Files]:
        letters, self._letters = self._letters, {}
        return letters


def _train(options: TrainOptions, files: Files, name: str, mailbox: Any, environment: dict[str, str]) -> Files:
    """Train on a node, from what there is of the run, and return the finished one."""
    # Before Keras, which reads it when it is imported.
    os.environ.update(environment)
    from edgedigits_exporters.keras_backend import load_keras

    load_keras()
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        run = RunFolder(Path(folder) / name)
        if files:
            write_files(files, run)
        there = dataclasses.replace(options, out=run.path)
        train_or_resume(there, Console(quiet=True), lambda so_far: mailbox.keep.remote(name, read_files(so_far)))
        return read_files(run)


def _absolute(options: TrainOptions) -> TrainOptions:
    """Return options that mean the same in another working directory."""
    data, teachers = options.data, options.teachers
    return dataclasses.replace(
        options,
        data=str(Path(data).resolve()) if data and data not in DATASETS else data,
        data_dir=options.data_dir and options.data_dir.resolve(),
        teachers=tuple(str(Path(teacher).resolve()) if Path(teacher).exists() else teacher for teacher in teachers),
    )


def _in_one_line(error: BaseException) -> str:
    if isinstance(error, EdgedigitsError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]
