"""The work of a fresh process until it has read its first picture; called by fresh_process.py in a child.

Nothing is imported at the top that Python has not loaded already, because it would count as the library's import.
"""

import sys
import time
from pathlib import Path
from typing import Any

LIBRARIES = {"litert": "ai_edge_litert.interpreter", "onnxruntime": "onnxruntime"}
"""The library of each engine, which is imported ahead of loading."""


def main(
    engine: str,
    model: str,
    asked: str | None,
    device: str,
    options: dict[str, Any],
    finder: str | None,
    pictures: list[str],
) -> dict[str, int]:
    """Read the first picture, then the others, and return each moment and each size.

    Moments are nanoseconds of the monotonic clock, which all processes share. Sizes are bytes, without unknown ones.
    """
    import __main__

    found: dict[str, int | None] = {"started": __main__.started, "before_bytes": resident("VmRSS", __main__.before)}
    import importlib

    importlib.import_module("edgedigits_runtime.reading.reader")
    importlib.import_module("edgedigits.model_files")
    if engine in LIBRARIES:
        importlib.import_module(LIBRARIES[engine])
    elif engine == "keras":
        # The backend has to be chosen before Keras is imported.
        importlib.import_module("edgedigits_exporters.keras_backend").load_keras()
    found |= {"imported": time.perf_counter_ns(), "imported_bytes": resident("VmRSS")}
    from edgedigits.loading import load
    from edgedigits_runtime.engine_options import EngineOptions

    settings = EngineOptions(**{**options, "cores": tuple(options["cores"])})
    reader = load(model, engine=asked, device=device, options=settings, finder=finder)
    found |= {"loaded": time.perf_counter_ns(), "loaded_bytes": resident("VmRSS")}
    reader.read(pictures[0])
    found["read"] = time.perf_counter_ns()
    for picture in pictures[1:]:
        reader.read(picture)
    found |= {"after_bytes": resident("VmRSS"), "peak_bytes": resident("VmHWM")}
    return {name: value for name, value in found.items() if value is not None}


def resident(field: str, status: str | None = None) -> int | None:
    """Return this process's resident memory in bytes, now ("VmRSS") or at its peak ("VmHWM"); None if unknown.

    Not by psutil, whose import would add to it. `status` is an earlier content of /proc/self/status.
    """
    if status is None:
        path = Path("/proc/self/status")
        status = path.read_text() if path.exists() else ""
    if not status:
        # Its peak includes the parent's memory, so it comes second.
        return _peak_by_rusage() if field == "VmHWM" else None
    # proc_pid_status(5): in kB, which are 1024 bytes.
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(f"{field}:")), None)


def _peak_by_rusage() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    # getrusage(2): bytes on macOS, kB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
