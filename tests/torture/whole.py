"""Is a file whole, and do two finished folders hold the same?"""

import csv
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import EdgedigitsError

# A download that may be gone on with; its name says that it is not whole.
UNFINISHED = ".part"

# Where a bulk reading writes its parts before they get their names.
BEING_WRITTEN = "_temporary"


def visible(folder: Path) -> list[Path]:
    """Return the files that a user sees: not what is being written, which says so in its name or its folder's."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not _is_temporary(path, folder))


def left_behind(folder: Path) -> list[str]:
    """Return what begins with a dot: temporary files of a process that was killed."""
    return sorted(path.name for path in folder.rglob(".*") if path.name not in (".said", ".tmp"))


def _is_temporary(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return path.suffix == UNFINISHED or any(part.startswith(".") or part == BEING_WRITTEN for part in parts)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def torn(path: Path) -> str:
    """Return what is wrong with a file of a kind that can be checked by itself; empty where it is whole."""
    check = CHECKS.get(path.suffix)
    if check is None:
        return "its bytes are neither the old ones nor the new ones"
    try:
        check(path)
    # Whatever a reader raises, the file is not whole.
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    return ""


def same(path: Path) -> Any:
    """Return what has to be the same in two finished files: all but times and the days that a zip notes."""
    if path.suffix in (".keras", ".npz"):
        with zipfile.ZipFile(path) as archive:
            return {name: _member(archive, name) for name in sorted(archive.namelist())}
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return [_timeless(row) for row in csv.DictReader(file)]
    return digest(path)


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "seconds"}


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    if name.endswith(".h5"):
        return _arrays(archive.read(name))
    if name.endswith("history.json"):
        return [_timeless(row) for row in json.loads(archive.read(name))]
    if name == "config.json":
        config = json.loads(archive.read(name))
        # Keras counts the optimisers that a process made, and names them so.
        config.get("compile_config", {}).get("optimizer", {}).get("config", {}).pop("name", None)
        return config
    # Keras notes when it wrote the file.
    return None if name == "metadata.json" else hashlib.sha256(archive.read(name)).hexdigest()


def _arrays(content: bytes) -> dict[str, str]:
    import io

    import h5py

    found: dict[str, str] = {}
    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: hashlib.sha256(item[()].tobytes()).hexdigest()})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found


def _keras(path: Path) -> None:
    _zip(path)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            _member(archive, name)
    # A checkpoint has a history where a model has a contract.
    if "edgedigits-history.json" not in archive.namelist():
        read_contract(path)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if (bad := archive.testzip()) is not None:
            raise ValueError(f"the member {bad} is damaged")


def _tflite(path: Path) -> None:
    from edgedigits.model_files import open_model

    open_model(path).close()


def _csv(path: Path) -> None:
    text = path.read_text()
    rows = list(csv.reader(text.splitlines()))
    if not text.endswith("\n") or len({len(row) for row in rows}) != 1:
        raise EdgedigitsError("it ends in the middle")


def _png(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.load()


def _parquet(path: Path) -> None:
    import pyarrow.parquet

    pyarrow.parquet.read_table(path)


CHECKS = {
    ".keras": _keras,
    ".npz": _zip,
    ".tflite": _tflite,
    ".json": lambda path: json.loads(path.read_text()),
    ".csv": _csv,
    ".png": _png,
    ".parquet": _parquet,
}
