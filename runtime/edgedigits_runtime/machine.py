"""The cores that this process may use, and the versions of installed distributions."""

import os


def core_count() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def installed_version(name: str) -> str | None:
    """Return the version of a distribution by its name in pip; None if it is not installed."""
    # This import takes as long as reading a picture.
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
