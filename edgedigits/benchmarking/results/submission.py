"""A result as it is sent in: all that was measured, and nothing of the person who measured it.

Nothing private is collected on purpose. But models and pictures have names, errors quote paths, and some boards are
named by their owners: what looks like a path, and the names of this host and user, are taken out of every text.
"""

import contextlib
import getpass
import re
import socket
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.results.result import Result, sealed
from edgedigits.model_files import shipped_names

REMOVED = "(removed)"

PATHS = re.compile(
    r"""(?<![\w.:/])(?!/(?:sys|proc)/)   # Where the machine tells of itself says nothing of its owner.
        (?:~|[A-Za-z]:)?[/\\]{1,2}(?:[^\s/\\'"]+[/\\])+[^\s/\\'",;:]*""",
    re.VERBOSE,
)
"""Absolute paths of at least two parts, and those from a home folder or a drive."""

KEPT = ("what", "kind", "engine", "device", "providers", "precision", "kernels", "sha256")
"""Keys whose values are words of edgedigits' own, also where a host is called like one of them."""

SHORTEST = 3
"""Shorter names are common words and abbreviations, and say nothing of anybody."""

NOBODY = ("root", "user", "admin", "pi", "ubuntu", "debian", "localhost", "raspberrypi", "jetson")
"""Names that systems give by themselves."""


def as_submission(result: Result, private: tuple[str, ...] | None = None) -> Result:
    """Return a result with nothing private in it, sealed anew.

    Args:
        result: as it was measured.
        private: words to take out; the names of this host and user, and the home folder, if None.
    """
    words = private_words() if private is None else private
    body = {key: _cleaned(value, key, words) for key, value in result.items()}
    return sealed(body)


def private_words() -> tuple[str, ...]:
    """Return what this machine calls itself and its user."""
    host = socket.gethostname()
    found = [host, host.split(".")[0], str(Path.home()), Path.home().name]
    # A container may run as a number that has no name.
    with contextlib.suppress(OSError, KeyError):
        found.append(getpass.getuser())
    common = {*NOBODY, *shipped_names()}
    return tuple(dict.fromkeys(word for word in found if len(word) >= SHORTEST and word.lower() not in common))


def _cleaned(value: Any, key: str, words: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        # Keys are words of edgedigits' own, but for what was found on the machine, which may be a path.
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
