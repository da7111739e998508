"""Check whether files are intact, and compare finished folders."""

import csv
import hashlib
import importlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from edgedigits.model_files import open_model
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import EdgedigitsError
from tests.torture.forking import OUTPUT, TEMPORARY

# A download that can be resumed.
UNFINISHED = ".part"


def visible(folder: Path) -> list[Path]:
    """Return the finished files of a folder, without hidden and temporary ones."""

    def finished(path: Path) -> bool:
        parts = path.relative_to(folder).parts
        return path.suffix != UNFINISHED and not any(part.startswith(".") for part in parts)

    return sorted(path for path in folder.rglob("*") if path.is_file() and finished(path))


def left_behind(folder: Path) -> list[str]:
    """Return the hidden files of a folder, which are temporary files of killed processes."""
    return sorted(path.name for path in folder.rglob(".*") if path.name not in (OUTPUT, TEMPORARY))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def damage(path: Path) -> str:
    """Return why a file is not intact; empty if it is."""
    check = CHECKS.get(path.suffix)
    if check is None:
        return "its bytes are neither the old ones nor the new ones"
    try:
        check(path)
    # A library may raise any error about a damaged file.
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    return ""


def comparable(path: Path) -> Any:
    """Return the contents of a file without times and dates, which differ between equal runs."""
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
        # Keras numbers the optimisers of a process.
        config.get("compile_config", {}).get("optimizer", {}).get("config", {}).pop("name", None)
        return config
    # Keras stores the date in its metadata.
    return None if name == "metadata.json" else hashlib.sha256(archive.read(name)).hexdigest()


def _arrays(content: bytes) -> dict[str, str]:
    import h5py

    found: dict[str, str] = {}

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = hashlib.sha256(item[()].tobytes()).hexdigest()

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(add)
    return found


def _keras(path: Path) -> None:
    _zip(path)
    comparable(path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    # A checkpoint has a history, a model has a contract.
    if "edgedigits-history.json" not in names:
        read_contract(path)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if (bad := archive.testzip()) is not None:
            raise ValueError(f"the member {bad} is damaged")


def _csv(path: Path) -> None:
    text = path.read_text()
    rows = list(csv.reader(text.splitlines()))
    if not text.endswith("\n") or len({len(row) for row in rows}) != 1:
        raise EdgedigitsError("it is truncated")


CHECKS: dict[str, Callable[[Path], Any]] = {
    ".keras": _keras,
    ".npz": _zip,
    ".tflite": lambda path: open_model(path).close(),
    ".json": lambda path: json.loads(path.read_text()),
    ".csv": _csv,
    ".png": lambda path: Image.open(path).load(),
    ".parquet": lambda path: importlib.import_module("pyarrow.parquet").read_table(path),
}
