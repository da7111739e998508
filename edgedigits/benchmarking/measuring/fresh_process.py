"""Cold start and memory of fresh processes that read pictures, and the size of what is installed for that.

Files come from the system's cache, except for the first process, which counts like the others.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgedigits.benchmarking.measuring.latency_summary import milliseconds, summarise
from edgedigits.benchmarking.measuring.sampling import check_forward
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.errors import EdgedigitsError, EngineDied

FIRST_READING = "edgedigits.benchmarking.measuring.first_reading:main"

PRELUDE = (
    "import os, time; started = time.perf_counter_ns(); path = '/proc/self/status';"
    " before = open(path).read() if os.path.exists(path) else ''"
)
"""Record the child's first moment and its memory before any import."""

TIMEOUT = 300.0  # Seconds; importing TensorFlow from a slow card takes long.

MOMENTS = ("spawned", "started", "imported", "loaded", "read")
PARTS = ("process", "import", "load", "first")
"""The times between two moments: Python's own start, imports, loading the model, the first reading."""

FEWEST, MOST = 3, 10  # Processes of a cold start.

SIZES = ("before_bytes", "imported_bytes", "loaded_bytes", "after_bytes", "peak_bytes")
"""Resident memory: Python alone, with libraries, with the model, after the last picture, and the peak."""

LIBRARIES_OF_ENGINE = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "keras": ("keras", "tensorflow", "tensorflow-cpu"),
}
"""Distributions that an engine needs in addition to the light install, as far as they are installed."""


@dataclass(frozen=True)
class ProcessOptions:
    """Options of a fresh process that reads."""

    engine: str  # The one that runs the model, whose library is imported ahead of loading.
    model: Path
    asked: str | None = None  # The engine that the user named; None for the default.
    device: str = "auto"  # device, options: see edgedigits.load.
    options: EngineOptions = EngineOptions()
    finder: str | None = None


def run_fresh_process(given: ProcessOptions, pictures: Sequence[Path]) -> dict[str, int]:
    """Return first_reading's result of a fresh process, and "spawned", the moment of its start. Raises EngineDied."""
    options = {"threads": given.options.threads, "kernels": given.options.kernels, "cores": given.options.cores}
    arguments = (given.engine, str(given.model), given.asked, given.device, options, given.finder)
    child = Child(f"a fresh process with {given.engine}", EngineDied, prelude=PRELUDE, keep_output=True)
    spawned = time.perf_counter_ns()
    try:
        with child:
            found: dict[str, int] = child.call(FIRST_READING, *arguments, list(map(str, pictures)), seconds=TIMEOUT)
    except EngineDied:
        raise
    except EdgedigitsError as error:
        raise EngineDied(f"a fresh process with {given.engine} failed: {error}") from error
    return {"spawned": spawned, **found}


@dataclass
class ColdStart:
    """Cold starts so far: the nanoseconds of each part, by start."""

    starts: list[tuple[int, ...]]

    def to_dict(self) -> dict[str, object]:
        """Return "repeats" and each part's Summary in milliseconds, "total" last."""
        if not self.starts:
            return {"repeats": 0}
        parts = np.array(self.starts)
        by_part = {name: summarise(milliseconds(parts[:, k])) for k, name in enumerate(PARTS)}
        return {"repeats": len(self.starts), **by_part, "total": summarise(milliseconds(parts.sum(axis=1)))}


def measure_cold_start(given: ProcessOptions, picture: Path, into: ColdStart, seconds: float) -> None:
    """Start processes for `seconds`, at least FEWEST and at most MOST. Raises EngineDied or ClockError."""
    begun = time.perf_counter()
    while len(into.starts) < FEWEST or (len(into.starts) < MOST and time.perf_counter() - begun < seconds):
        found = run_fresh_process(given, [picture])
        parts = tuple(found[later] - found[sooner] for sooner, later in pairwise(MOMENTS))
        check_forward(min(parts))
        into.starts.append(parts)


def measure_memory(given: ProcessOptions, pictures: Sequence[Path]) -> dict[str, int | None]:
    """Return the bytes of SIZES in a fresh process; None if unknown. Raises EngineDied."""
    found = run_fresh_process(given, pictures)
    return {size: found.get(size) for size in SIZES}


def installed_bytes(engine: str) -> dict[str, int]:
    """Return the size on disk of each installed distribution that an engine needs, compiled bytecode included."""
    names = [*needed_by("edgedigits"), *(x for name in LIBRARIES_OF_ENGINE.get(engine, ()) for x in needed_by(name))]
    sizes = {name: _size(name) for name in dict.fromkeys(names)}
    # An editable install lists none of its own files.
    sizes["edgedigits"] = max(sizes.get("edgedigits", 0), _own_size())
    return sizes


def needed_by(name: str) -> list[str]:
    """Return the installed distributions that one needs without extras, each once, itself first."""
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
        needed = [one for one in map(Requirement, requires) if not one.marker or one.marker.evaluate({"extra": ""})]
        waiting += [canonicalize_name(one.name) for one in needed]
    return found


def _size(name: str) -> int:
    paths = (Path(str(file.locate())) for file in metadata.files(name) or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


def _own_size() -> int:
    packages = map(find_spec, ("edgedigits", "edgedigits_exporters", "edgedigits_runtime"))
    folders = (Path(place) for package in packages if package for place in package.submodule_search_locations or ())
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
