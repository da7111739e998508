"""The splits a model was trained with, found again from its contract or its run folder."""

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
    """Where a model's dataset is to be found.

    Args:
        data: a dataset's name or a folder; None for the one it was trained on.
        data_dir: looked in first; None for the usual places.
    """

    data: str | None = None
    data_dir: Path | None = None

    @property
    def dataset(self) -> str | None:
        """Name of the dataset in reports; None for the one it was trained on."""
        return Path(self.data).name if self.data else None


def splits_of_model(contract: Contract, file: Path, options: DataOptions) -> Splits:
    """Return the splits of the dataset that a model was trained on.

    Args:
        contract: of the model; names the dataset and the recipe, whose split plan is used.
        file: the model's file; beside it may stand the run's config, which knows where a folder dataset lies.
        options: what the user said.

    Raises:
        DataNotFound: nothing says which dataset, or it is not to be had.
        DataError: it cannot be used.
    """
    name, data_dir = options.data, options.data_dir
    run = RunFolder(file.parent)
    # A checkpoint too: a config.json alone may be anybody's.
    if name is None and run.config.is_file() and run.checkpoint.is_file():
        config = run.read_config()
        name, data_dir = config.data, data_dir or (Path(config.data_dir) if config.data_dir else None)
    if name is None and contract.training is not None:
        name = contract.training.name
    if name is None:
        raise DataNotFound(f"{file} does not say what it was trained on; name the dataset with --data")
    try:
        dataset = load_dataset(name, data_dir=data_dir)
    except UnknownName as error:
        if options.data is not None:
            raise
        # A folder of pictures that is no longer where it was, or a model that was carried to another machine.
        raise DataNotFound(f"{file} was trained on {name!r}, which is not here; name it with --data") from error
    if dataset.labels != contract.labels:
        raise DatasetInvalid(
            f"{name} has the classes {', '.join(dataset.labels)}, {file} has {', '.join(contract.labels)};"
            " name the right dataset with --data"
        )
    plan = get_recipe(contract.recipe).split if contract.recipe in RECIPES else SplitPlan()
    return split(dataset, plan)
