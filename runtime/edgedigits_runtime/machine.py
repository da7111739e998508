"""The machine that a result was made on, as far as one result needs it to be read beside another."""

import os
import platform
from pathlib import Path

LIBRARIES = ("numpy", "ai-edge-litert", "onnxruntime", "keras", "tensorflow-cpu", "tensorflow", "tf2onnx")


def describe_machine() -> dict[str, object]:
    """Return processor, cores, system, Python and library versions."""
    return {
        "processor": _processor(),
        "cores": core_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: version for name in LIBRARIES if (version := installed_version(name))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def core_count() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def installed_version(name: str) -> str | None:
    """Return the version of an installed distribution, by its name in pip; None where it is not installed."""
    # Its import takes as long as reading a picture does.
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
