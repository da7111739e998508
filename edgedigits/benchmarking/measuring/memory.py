"""Memory of a process that reads pictures and does nothing else, and the bytes that are installed for it."""

from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from edgedigits.benchmarking.measuring.fresh_process import Setup, first_reading

SIZES = ("before_bytes", "imported_bytes", "loaded_bytes", "after_bytes", "peak_bytes")
"""Resident: of Python alone, with the libraries, with the model loaded, after the last picture; and the highest."""

LIBRARIES_OF_ENGINE = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "keras": ("keras", "tensorflow", "tensorflow-cpu"),
}
"""Distributions that an engine needs beside the light install; those of them that are installed count."""


def measure_memory(setup: Setup, pictures: tuple[Path, ...]) -> dict[str, int | None]:
    """Return the bytes of SIZES, in a fresh process; None where the system does not tell.

    Raises:
        EngineDied: the process failed.
    """
    found = first_reading(setup, pictures)
    return {size: found.get(size) for size in SIZES}


def installed_bytes(engine: str) -> dict[str, int]:
    """Return the size of each installed distribution that reading with an engine needs, the light install's included.

    What pip recorded as its files, as they lie on disk now; compiled bytecode, which pip may write, counts too.
    """
    names = [
        *needed_by("edgedigits"),
        *(more for name in LIBRARIES_OF_ENGINE.get(engine, ()) for more in needed_by(name)),
    ]
    sizes = {name: _size(name) for name in dict.fromkeys(names)}
    # An editable install records none of its own files.
    sizes["edgedigits"] = max(sizes.get("edgedigits", 0), _own_size())
    return sizes


def needed_by(name: str) -> list[str]:
    """Return the installed distributions that one needs, without extras and each once, itself first."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: list[str] = []
    waiting = [canonicalize_name(name)]
    while waiting:
        next_one = waiting.pop()
        try:
            requires = metadata.requires(next_one) or []
        except metadata.PackageNotFoundError:
            continue
        if next_one in found:
            continue
        found.append(next_one)
        waiting += [
            canonicalize_name(requirement.name)
            for requirement in map(Requirement, requires)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ]
    return found


def _size(name: str) -> int:
    paths = (Path(str(file.locate())) for file in metadata.files(name) or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


def _own_size() -> int:
    packages = map(find_spec, ("edgedigits", "edgedigits_exporters", "edgedigits_runtime"))
    folders = (Path(place) for package in packages if package for place in package.submodule_search_locations or ())
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
