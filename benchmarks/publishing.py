"""Write what a benchmark measured: a JSON file with its machine, and tables between the markers of a docs page."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.results.result_file import plain
from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results"
REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"


def write_results(path: Path, found: dict[str, Any]) -> None:
    """Write results as JSON; dataclasses become objects."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(plain(found), indent=1) + "\n")


def with_machine(**found: Any) -> dict[str, Any]:
    """Return results after the description of this machine."""
    return {"machine": describe_machine(), **found}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; columns after the first are aligned right."""
    names = list(head)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


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
