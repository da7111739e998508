"""Shared by the scripts: results as JSON with their machine, sections of docs pages, and MNIST's test images."""

import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits.benchmarking.results.result_file import plain
from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results"
REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"


def write_results(path: Path, found: dict[str, Any]) -> None:
    """Write results as JSON; dataclasses become objects."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(plain(found), indent=1) + "\n")


def read_results(path: Path) -> dict[str, Any]:
    """Return the results in a JSON file; empty if there is none."""
    return json.loads(path.read_text()) if path.is_file() else {}


def with_machine(**found: Any) -> dict[str, Any]:
    """Return results after the description of this machine."""
    return {"machine": describe_machine(), **found}


def mnist_test() -> Samples:
    """Return MNIST's 10,000 test images."""
    test = load_dataset("mnist").test
    if test is None:
        raise SystemExit("MNIST has no test split")
    return test


def png(image: NDArray[np.uint8]) -> bytes:
    """Return a picture as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    names = list(head)
    lines = [f"| {' | '.join(cells)} |" for cells in (names, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(names)}", *lines[1:]])


def place_of(machine: dict[str, Any]) -> str:
    """Return a machine's processor and cores for a sentence."""
    return f"{machine['processor']}, {machine['cores']} cores"


def read_section(page: Path, name: str) -> str:
    """Return the text between a page's `<!-- NAME: made by COMMAND -->` and `<!-- end of NAME -->`."""
    found = re.findall(
        rf"<!-- {name}: made by [^>\n]+ -->\n(.*?)\n?<!-- end of {name} -->", page.read_text(), re.DOTALL
    )
    if len(found) != 1:
        raise SystemExit(f"{page}: expected one section named {name} between its two markers; found {len(found)}")
    return str(found[0])


def write_section(page: Path, name: str, text: str) -> None:
    """Replace the text of a section of a page, and print it."""
    read_section(page, name)
    markers = re.compile(rf"(<!-- {name}: made by [^>\n]+ -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    write_whole(page, markers.sub(lambda match: f"{match[1]}{text}\n{match[2]}", page.read_text()))
    print(text)
