"""Find the splits of a model's dataset, from its contract or its run folder."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

from edgedigits.data import DATASETS, load_dataset
from edgedigits.data.dataset import Dataset
from edgedigits.data.evaluation_splits import evaluation_splits
from edgedigits.data.framing import Target
from edgedigits.data.label_matching import match_labels
from edgedigits.data.splits import SplitPlan, Splits, split
from edgedigits.model_files import AnyPath, optional_path
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.errors import DataNotFound, DatasetInvalid, UnknownName


@dataclass(frozen=True)
class DataOptions:
    """A dataset name or folder, None for the training dataset; and the folder to search first."""

    data: str | None = None
    data_dir: Path | None = None

    @classmethod
    def of(cls, data: AnyPath | None, data_dir: AnyPath | None) -> "DataOptions":
        """Return a caller's options; raise ArgumentError if one is no path."""
        optional_path(data, "a dataset or a folder")
        return cls(None if data is None else os.fspath(data), optional_path(data_dir, "a folder"))

    @property
    def dataset(self) -> str | None:
        """Name of the dataset in reports; None for the one it was trained on."""
        return Path(self.data).resolve().name if self.data else None


def splits_of_model(contract: Contract, file: Path, options: DataOptions) -> Splits:
    """Return the splits of a model's dataset, framed for the model and with its labels' numbers.

    The dataset is that of `options`, else of the run's config beside `file`, else the one that the contract names: of
    the training, or of the import.

    Raises:
        DataNotFound: the dataset is unknown or missing.
        DataError: the dataset cannot be used, or has changed since the import.
    """
    name, data_dir = options.data, options.data_dir
    run = RunFolder(file.parent)
    # Any project may have a config.json; only a run has a checkpoint beside it.
    if name is None and run.config.is_file() and run.checkpoint.is_file():
        config = run.read_config()
        name, data_dir = config.data, data_dir or (Path(config.data_dir) if config.data_dir else None)
    if name is None and contract.training is not None:
        name = contract.training.name
    imported = contract.data if name is None else None
    if imported is not None:
        name = _place(imported.name, file)
    if name is None:
        raise DataNotFound(
            f"{file} does not name its data; give labelled pictures with --data, such as --data mnist or a folder"
        )
    try:
        dataset = load_dataset(name, data_dir=data_dir, target=Target.of(contract))
    except UnknownName as error:
        if options.data is not None:
            raise
        # The folder was moved, or the model was copied to another machine.
        how = "verified" if imported else "trained"
        raise DataNotFound(f"{file} was {how} on {name!r}, which is not here; name it with --data") from error
    if imported is not None and dataset.digest() != imported.fingerprint:
        raise DatasetInvalid(
            f"{name} has changed since {file} was imported: {dataset.count:,} pictures, then {imported.count:,};"
            f" to use it as it is: --data {name}"
        )
    return splits_of_dataset(dataset, contract, file)


def splits_of_dataset(dataset: Dataset, contract: Contract, file: Path) -> Splits:
    """Return the splits of a loaded dataset for a model: as it was trained, or as a foreign model is judged.

    Raises:
        DatasetInvalid: the dataset has other classes, or too few samples for the recipe's split.
    """
    numbers = match_labels(dataset.labels, contract.labels, dataset.name, str(file))
    if contract.recipe in RECIPES:
        splits = split(dataset, get_recipe(contract.recipe).split)
    elif contract.training is not None:
        splits = split(dataset, SplitPlan())
    else:
        splits = evaluation_splits(dataset)
    return splits.renumbered(numbers)


def remembered(options: DataOptions, dataset: Dataset, file: Path) -> DataUsed | None:
    """Return what the contract of `file` stores about the dataset that verified it; None if `options` name none.

    A folder is stored as a path from the file's folder, so that both can be moved together.
    """
    if options.data is None:
        return None
    name = options.data if options.data in DATASETS else _from_file(Path(options.data).expanduser(), file)
    return DataUsed(name, dataset.count, dataset.digest())


def moved(contract: Contract, file: Path, to: Path) -> Contract:
    """Return the contract of `file` for a file at `to`, which finds the same folder of pictures."""
    if contract.data is None or contract.data.name in DATASETS:
        return contract
    data = dataclasses.replace(contract.data, name=_from_file(Path(_place(contract.data.name, file)), to))
    return dataclasses.replace(contract, data=data)


def _place(name: str, file: Path) -> str:
    """Return the dataset name or the path that a contract's data has, seen from the working folder."""
    return name if name in DATASETS else str((file.parent / name).resolve())


def _from_file(folder: Path, file: Path) -> str:
    """Return the path of a folder from the folder that `file` is in; absolute if it is on another drive."""
    try:
        name = Path(os.path.relpath(folder.resolve(), file.parent.resolve())).as_posix()
    except ValueError:
        return folder.resolve().as_posix()
    # A folder may be called as a dataset is.
    return f"./{name}" if name in DATASETS else name
