"""Remove private data from a result before it is published.

Nothing private is collected on purpose. But models and pictures have names, errors quote paths, and some boards are
named by their owners. So paths, and the names of this host and user, are removed from every text.
"""

import contextlib
import getpass
import re
import socket
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.results.result_file import Result, sealed
from edgedigits.model_files import shipped_names

REMOVED = "(removed)"

PATHS = re.compile(
    r"""(?<![\w.:/])(?!/(?:sys|proc)/)   # The kernel's own files are not private.
        (?:~|[A-Za-z]:)?[/\\]{1,2}(?:[^\s/\\'"]+[/\\])+[^\s/\\'",;:]*""",
    re.VERBOSE,
)
"""Absolute paths of at least two parts, and paths from a home folder or a drive."""

KEPT = ("what", "kind", "engine", "device", "providers", "precision", "kernels", "sha256")
"""Keys whose values are edgedigits' own words, even if a host has the same name."""

SHORTEST = 3  # Shorter names are common words and abbreviations.

NOBODY = ("root", "user", "admin", "pi", "ubuntu", "debian", "localhost", "raspberrypi", "jetson")
"""Default names of systems."""


def as_submission(result: Result, private: tuple[str, ...] | None = None) -> Result:
    """Return a result without private data: the words `private`, by default those of private_words()."""
    words = private_words() if private is None else private
    return sealed({key: _cleaned(value, key, words) for key, value in result.items()})


def private_words() -> tuple[str, ...]:
    """Return the names of this machine and its user."""
    host = socket.gethostname()
    found = [host, host.split(".")[0], str(Path.home()), Path.home().name]
    # In a container the user may have a number, but no name.
    with contextlib.suppress(OSError, KeyError):
        found.append(getpass.getuser())
    common = {*NOBODY, *shipped_names()}
    return tuple(dict.fromkeys(word for word in found if len(word) >= SHORTEST and word.lower() not in common))


def _cleaned(value: Any, key: str, words: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        # Keys are edgedigits' own words, except those found on the machine, which may be paths.
        return {PATHS.sub(REMOVED, name): _cleaned(inner, name, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner, key, words) for inner in value]
    return cleaned_text(value, words) if isinstance(value, str) and key not in KEPT else value


def cleaned_text(text: str, words: tuple[str, ...]) -> str:
    """Return a text without paths and without the words."""
    text = PATHS.sub(REMOVED, text)
    for word in words:
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", REMOVED, text, flags=re.IGNORECASE)
    return text
