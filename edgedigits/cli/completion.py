"""What the shell offers for a word: models, recipes, run folders. Nothing here imports NumPy or opens a file.

A function returns all words; Typer keeps those that begin as typed. Where there is none, the shell offers files.
"""

from collections.abc import Callable
from pathlib import Path

# The names in the registers; to import those takes longer than a user waits for a completion.
ENGINES = ("litert", "onnxruntime", "c", "keras")
FORMATS = ("onnx", "tflite", "c", "c-array", "web")
PRECISIONS = ("float32", "float16", "int8", "dynamic")
SUFFIXES = (".keras", ".onnx", ".tflite")


def one_of(*words: str) -> Callable[[], list[str]]:
    """Return a completion with these words."""
    return lambda: list(words)


def some_of(words: Callable[[], list[str]]) -> Callable[[str], list[str]]:
    """Return a completion of words that are separated by commas."""

    def offer(incomplete: str) -> list[str]:
        before = incomplete.rpartition(",")[0]
        return [f"{before},{word}" if before else word for word in words()]

    return offer


def shipped() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.stem for path in (Path(__file__).parents[1] / "models").glob("*.tflite"))


def runs() -> list[str]:
    """Return the run folders below `runs/`, the newest first, and sub-folders here that are runs."""
    found = {path.parent for pattern in ("runs/*", "*") for path in Path().glob(f"{pattern}/config.json")}
    return [str(path) for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]


def models() -> list[str]:
    """Return what a MODEL may be: shipped names, run folders, and model files here and in the runs."""
    files = [path for pattern in ("*", "runs/*/*") for path in Path().glob(pattern) if path.suffix in SUFFIXES]
    return [*shipped(), *runs(), *sorted(map(str, files))]


def artifacts() -> list[str]:
    """Return the model files here and in the runs."""
    return [name for name in models() if name.endswith(SUFFIXES)]


def recipes() -> list[str]:
    """Return the recipes."""
    from edgedigits.recipes import FINDER, RECIPES

    return [*RECIPES, FINDER]


def datasets() -> list[str]:
    """Return the datasets."""
    from edgedigits.data import DATASETS

    return list(DATASETS)
