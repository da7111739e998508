"""Find the splits that a model was trained with, from its contract or its run folder."""

from dataclasses import dataclass
from pathlib import Path

from edgedigits.data import load_dataset
from edgedigits.data.splits import SplitPlan, Splits, split
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.errors import DataNotFound, DatasetInvalid, UnknownName


@dataclass(frozen=True)
class DataOptions:
    """A dataset name or folder, None for the training dataset; and the folder to search first."""

    data: str | None = None
    data_dir: Path | None = None

    @property
    def dataset(self) -> str | None:
        """Name of the dataset in reports; None for the one it was trained on."""
        return Path(self.data).name if self.data else None


def splits_of_model(contract: Contract, file: Path, options: DataOptions) -> Splits:
    """Return the splits of a model's training dataset, from its contract or from the run's config beside `file`.

    Raises:
        DataNotFound: the dataset is unknown or missing.
        DataError: the dataset cannot be used.
    """
    name, data_dir = options.data, options.data_dir
    run = RunFolder(file.parent)
    # Any project may have a config.json; only a run has a checkpoint beside it.
    if name is None and run.config.is_file() and run.checkpoint.is_file():
        config = run.read_config()
        name, data_dir = config.data, data_dir or (Path(config.data_dir) if config.data_dir else None)
    if name is None and contract.training is not None:
        name = contract.training.name
    if name is None:
        raise DataNotFound(f"{file} does not name its training dataset; name it with --data")
    try:
        dataset = load_dataset(name, data_dir=data_dir)
    except UnknownName as error:
        if options.data is not None:
            raise
        # The folder was moved, or the model was copied to another machine.
        raise DataNotFound(f"{file} was trained on {name!r}, which is not here; name it with --data") from error
    if dataset.labels != contract.labels:
        raise DatasetInvalid(
            f"{name} has the classes {', '.join(dataset.labels)}, {file} has {', '.join(contract.labels)};"
            " name the right dataset with --data"
        )
    plan = get_recipe(contract.recipe).split if contract.recipe in RECIPES else SplitPlan()
    return split(dataset, plan)
