"""Names of a model's classes, as a person gives them."""

import json
import re
from pathlib import Path

from edgedigits_runtime.errors import ContractInvalid

NUMBERED = re.compile(r"(\d+)\s+(.*)")
"""A line of Teachable Machine's labels.txt: "0 Cat"."""


def parse_labels(text: str) -> tuple[str, ...]:
    """Return labels from a list with commas, the path of a file, or a string with a character for each class.

    A file has a label on each line, possibly behind its number, or is a JSON list.

    Raises:
        ContractInvalid: no labels, or a file that cannot be read as text.
    """
    path = Path(text)
    if "," in text:
        labels = [part.strip() for part in text.split(",")]
    elif path.suffix and path.is_file():
        labels = _of_file(path)
    elif path.suffix in (".txt", ".json", ".csv"):
        raise ContractInvalid(f"no file of labels at {path}")
    else:
        labels = list(text)
    if not labels or not all(labels):
        raise ContractInvalid(f"expected a name for each class, such as 0123456789 or cat,dog; got {text[:80]!r}")
    return tuple(labels)


def _of_file(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            return [str(label) for label in json.loads(text)]
    except (OSError, ValueError, TypeError) as error:
        raise ContractInvalid(f"expected a label on each line of {path}: {error}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [NUMBERED.fullmatch(line) for line in lines]
    if all(match and int(match[1]) == number for number, match in enumerate(numbered)):
        return [match[2] for match in numbered if match]
    return lines
