"""The table of benchmarks/results/imports.md."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.imports.steps import COLUMNS, FOLDER
from benchmarks.publishing import place_of, table

HEAD = ("kind", "import", "ONNX", "float32", "float16", "dynamic", "int8", "C", "verify", "predict")
LONGEST_REASON = 200


def short(reason: str) -> str:
    """Return a reason for a note: without the error's class and folders, of LONGEST_REASON characters at most."""
    text = " ".join(FOLDER.sub("", reason.partition(": ")[2]).split()).replace("|", "\\|")
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1].rstrip()}…"


def render(found: Mapping[str, Any]) -> str:
    """Return the table with its notes as Markdown."""
    notes: dict[str, int] = {}
    rows = [
        [f"{row['group']}: {row['name']}", *(_cell(row["cells"][column], notes) for column in COLUMNS)]
        for row in found["rows"]
    ]
    proven = sum(row["cells"]["import"]["state"] == "proven" for row in found["rows"])
    numbered = "\n".join(f"{number}. {reason}" for reason, number in notes.items())
    return (
        f"{table(HEAD, rows)}\n\n"
        f"{len(rows)} kinds, of which {proven} were imported. A percentage under import is the accuracy, under a format"
        " the agreement with the imported model; float32 to int8 are TFLite. C is compared with LiteRT. Measured on"
        f" {place_of(found['machine'])}.\n\n"
        f"Refused or not compared because:\n\n{numbered}"
    )


def _cell(cell: Mapping[str, str], notes: dict[str, int]) -> str:
    if cell["state"] == "proven":
        return cell["text"]
    if cell["state"] == "skipped":
        return ""
    number = notes.setdefault(short(cell["text"]), len(notes) + 1)
    return f"{cell['state']} ({number})"


def counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many cells have each state."""
    found: dict[str, int] = {}
    for row in rows:
        for cell in row["cells"].values():
            found[cell["state"]] = found.get(cell["state"], 0) + 1
    return found
