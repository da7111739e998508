"""Gather the facts of a report from a run folder; name what is missing, with the reason."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgedigits.data import folder_target, load_dataset
from edgedigits.data.dataset import Dataset
from edgedigits.data.label_matching import match_labels
from edgedigits.data.splits import Splits, split
from edgedigits.recipes import get_recipe
from edgedigits.recipes.recipe import contract_of
from edgedigits.reports.evaluation import Evaluation, RotationCurve, evaluate, rotation_curve
from edgedigits.training.checkpoint import load_checkpoint
from edgedigits.training.data_of_model import DataOptions
from edgedigits.training.run_folder import RunConfig, RunFolder
from edgedigits_exporters.keras_engine import KerasEngine
from edgedigits_exporters.keras_file import load_model
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.errors import DatasetInvalid, EdgedigitsError, UnknownName


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network; its contract is None without a finished model and without a dataset."""

    model: Any
    contract: Contract | None
    file: Path
    finished: bool


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts of a report; a missing one is None.

    Attributes:
        history: one row per finished epoch.
        missing: reasons by "history", "finished model", "network", "data" or "decisions".
        notes: warnings about the figures.
    """

    run: RunFolder
    config: RunConfig
    history: tuple[dict[str, float], ...]
    labels: tuple[str, ...] = ()
    network: Network | None = None
    splits: Splits | None = None
    validation: Evaluation | None = None
    test: Evaluation | None = None
    rotation: RotationCurve | None = None
    missing: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def reasons(self, *parts: str) -> tuple[str, ...]:
        """Return the reasons of the `parts` that are missing."""
        return tuple(self.missing[part] for part in parts if part in self.missing)


def gather(run: RunFolder, options: DataOptions) -> Facts:
    """Gather the facts of a run, finished or not; `options` replace the run's place of the dataset.

    Raises:
        RunError: the folder is not a run.
    """
    config = run.read_config()
    missing: dict[str, str] = {}
    notes: list[str] = []
    dataset, splits = _data(config, options, missing, notes)
    history = run.read_history()
    network, history = _network(run, config, dataset, history, missing)
    if not history:
        missing["history"] = "curves: no epoch was finished"
    misfit = _misfit(network, dataset) if network and dataset else None
    if misfit:
        splits, missing["data"] = None, f"the data: {misfit}"
    labels = _labels(network, dataset)
    if splits and dataset:
        splits = splits.renumbered(match_labels(dataset.labels, labels, dataset.name, "the network"))
    facts = Facts(run, config, tuple(history), labels, network, splits, missing=missing, notes=tuple(notes))
    if network is None or splits is None or "decisions" in missing or network.contract is None:
        missing.setdefault("decisions", "decisions: they take both a network and its data")
        return facts
    engine = KerasEngine(network.model, network.contract)
    return dataclasses.replace(
        facts,
        validation=evaluate(engine, splits.validation),
        test=evaluate(engine, splits.test),
        rotation=rotation_curve(engine.run, splits.test),
    )


def _data(
    config: RunConfig, options: DataOptions, missing: dict[str, str], notes: list[str]
) -> tuple[Dataset | None, Splits | None]:
    name = options.data or config.data
    data_dir = options.data_dir or (Path(config.data_dir) if config.data_dir else None)
    try:
        # Data of other classes are named below, whatever the run's reader takes.
        target = folder_target(name, "plain" if config.reader == "plain" else None)
        dataset = load_dataset(name, data_dir=data_dir, target=target)
        splits = split(dataset, get_recipe(config.recipe).split)
    except EdgedigitsError as error:
        # An unknown name is usually a folder of pictures that was moved.
        moved = "; if they have moved, name them with --data" if isinstance(error, UnknownName) else ""
        missing["data"] = f"the data: {error}{moved}"
        return None, None
    if splits.train.digest() != config.data_fingerprint:
        notes.append(f"The data of {name!r} have changed since the training: the training split differs.")
    return dataset, splits


def _network(
    run: RunFolder, config: RunConfig, dataset: Dataset | None, history: list[dict[str, float]],
    missing: dict[str, str],
) -> tuple[Network | None, list[dict[str, float]]]:  # fmt: skip
    """Return the network of the finished run or of its checkpoint, and the history."""
    reasons = []
    if run.model.is_file():
        try:
            model, contract = load_model(run.model)
            return Network(model, contract, run.model, finished=True), history
        except EdgedigitsError as error:
            reasons.append(str(error))
    else:
        reasons.append(f"{run.model.name} is missing: the training was killed or is still running")
    try:
        model, history = load_checkpoint(run.checkpoint)
    except EdgedigitsError as error:
        reasons.append(str(error))
        missing["network"] = "the network: " + "; ".join(reasons)
        return None, history
    missing["finished model"] = (
        f"the finished model: {reasons[0]}. {len(history)} of {config.epochs} epochs are finished,"
        f" and this report is about {run.checkpoint.name}; to resume: edgedigits train --resume {run.path}"
    )
    provisional = None if dataset is None else contract_of(get_recipe(config.recipe), dataset)
    if not history:
        missing["decisions"] = "decisions: the weights are still random, no epoch was finished"
    return Network(model, provisional, run.checkpoint, finished=False), history


def _misfit(network: Network, dataset: Dataset) -> str | None:
    """Return why a network does not fit a dataset, or None."""
    takes, advice = tuple(network.model.input_shape[1:]), "name the right dataset with --data"
    if dataset.image_shape != takes:
        return f"{dataset.name} has images of {list(dataset.image_shape)}, the network takes {list(takes)}; {advice}"
    classes = network.model.output_shape[-1] - bool(network.contract and network.contract.non_digit)
    if len(dataset.labels) != classes:
        return f"{dataset.name} has {len(dataset.labels)} classes, the network {classes}; {advice}"
    try:
        match_labels(dataset.labels, _labels(network, dataset), dataset.name, "the network")
    except DatasetInvalid as error:
        return str(error)
    return None


def _labels(network: Network | None, dataset: Dataset | None) -> tuple[str, ...]:
    if network and network.contract:
        return network.contract.labels
    return dataset.labels if dataset else ()
