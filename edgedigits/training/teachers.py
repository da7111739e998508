"""Load the teachers of a distillation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgedigits.data.dataset import Dataset
from edgedigits_exporters.keras_file import load_model
from edgedigits_runtime.contract import Contract, Normalisation
from edgedigits_runtime.errors import RunError


def load_teachers(paths: Sequence[str], dataset: Dataset, normalisation: Normalisation) -> list[Any]:
    """Return the networks of `.keras` files that take the student's images.

    Args:
        paths: of the `.keras` files.
        dataset: of the student.
        normalisation: of the student's input.

    Raises:
        ArtifactError: a file is missing or damaged.
        RunError: a teacher takes other images or has other labels.
    """
    teachers = []
    for path in paths:
        network, contract = load_model(Path(path))
        if differing := _differing(contract, dataset, normalisation):
            raise RunError(f"{path} cannot teach: {differing}")
        teachers.append(network)
    return teachers


def _differing(contract: Contract, dataset: Dataset, normalisation: Normalisation) -> str:
    """Return how a teacher differs from the student, or an empty string."""
    if contract.image_shape != dataset.image_shape:
        return f"it takes images of {list(contract.image_shape)}, the data have {list(dataset.image_shape)}"
    if len(contract.labels) != len(dataset.labels):
        return f"it has {len(contract.labels)} labels, the data have {len(dataset.labels)}"
    for its, ours in zip(contract.labels, dataset.labels, strict=True):
        if its != ours:
            return f"it has the label {its!r}, the data have {ours!r}"
    if contract.normalisation != normalisation:
        return f"it takes images normalised by {contract.normalisation!r}, the student by {normalisation!r}"
    return ""
