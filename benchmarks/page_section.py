"""Figures in the pages: each command replaces the text between its two markers."""

import re
from pathlib import Path

from edgedigits_runtime.whole_files import write_whole


def read_section(page: Path, name: str) -> str:
    """Return the text between a page's `<!-- NAME: made by COMMAND -->` and `<!-- end of NAME -->`."""
    found = re.findall(
        rf"<!-- {name}: made by [^>\n]+ -->\n(.*?)\n?<!-- end of {name} -->", page.read_text(), re.DOTALL
    )
    if len(found) != 1:
        raise SystemExit(f"{page} has {len(found)} sections named {name}; expected one, between its two markers")
    return str(found[0])


def write_section(page: Path, name: str, text: str) -> None:
    """Replace the text of a section of a page, and print it."""
    read_section(page, name)
    markers = re.compile(rf"(<!-- {name}: made by [^>\n]+ -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    write_whole(page, markers.sub(lambda match: f"{match[1]}{text}\n{match[2]}", page.read_text()))
    print(text)
