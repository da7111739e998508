"""Figures in the pages: each table stands between two markers, and is written anew by the command that measures it."""

import re
from pathlib import Path

from edgedigits_runtime.whole_files import write_whole


def write_section(page: Path, name: str, text: str) -> None:
    """Put `text` between a page's `<!-- NAME: made by COMMAND -->` and `<!-- end of NAME -->`, and print it."""
    markers = re.compile(rf"(<!-- {name}: made by [^>\n]+ -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    written, found = markers.subn(lambda match: f"{match[1]}{text}\n{match[2]}", page.read_text())
    if found != 1:
        raise SystemExit(f"{page} has {found} sections named {name}; expected one, between its two markers")
    write_whole(page, written)
    print(text)
