"""Gather README, docs and all that they link to for a site: `python -m tests.support.docs_tree FOLDER`.

Files keep their places in the repository, so that their links stay as they are.
"""

import shutil
import sys
from pathlib import Path

from tests.support.markdown import links

REPOSITORY = Path(__file__).parents[2]
START = "README.md"


def linked_files(start: Path) -> set[Path]:
    """Return a page and every file that it links to, directly or through other pages."""
    found, waiting = set(), [start]
    while waiting:
        page = waiting.pop()
        if page in found or not page.is_file():
            continue
        found.add(page)
        if page.suffix == ".md":
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text())]
    return found


def main() -> None:
    """Copy into an empty folder."""
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    for file in linked_files(REPOSITORY / START):
        copy = folder / file.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


if __name__ == "__main__":
    main()
