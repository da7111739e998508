"""Save and load a checkpoint: weights, optimiser state and history in one file.

One file stays consistent when the process is killed; the run's other files are derived from it.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

from edgedigits_exporters.keras_backend import load_keras
from edgedigits_exporters.keras_file import check_clock
from edgedigits_runtime.errors import RunError
from edgedigits_runtime.whole_files import whole_file

HISTORY = "edgedigits-history.json"


def save_checkpoint(model: Any, history: list[dict[str, float]], path: Path) -> None:
    """Write a compiled model and its history, one row per epoch."""
    check_clock(path)
    with whole_file(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(HISTORY, json.dumps(history))


def load_checkpoint(path: Path) -> tuple[Any, list[dict[str, float]]]:
    """Return the compiled model and the history of a checkpoint; raise RunError if it is missing or damaged."""
    if not path.is_file():
        raise RunError(f"{path.parent} cannot be resumed: it has no {path.name}")
    try:
        with zipfile.ZipFile(path) as archive:
            history = json.loads(archive.read(HISTORY))
        return load_keras().saving.load_model(path), history
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise RunError(f"{path} is damaged and cannot be resumed: {error}") from error
