"""Draw the pictures of docs/reading.md and update its table: `python -m benchmarks.reading_pictures docs`."""

import argparse
from pathlib import Path

from benchmarks.publishing import read_section, write_section
from benchmarks.reading_pictures.causes import CAUSES, UNREAD
from benchmarks.reading_pictures.sheets import FOLDER, PAGE, SECTION, draw_sheet, read_cause, table
from edgedigits_runtime.whole_files import write_whole


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/reading.md and update its table.")
    parser.add_argument("docs", type=Path, help="folder of the page, docs/")
    docs: Path = parser.parse_args().docs
    # Fails on a page without markers before anything is drawn.
    read_section(docs / PAGE, SECTION)
    causes = (*CAUSES, *UNREAD)
    for cause in causes:
        write_whole(docs / FOLDER / f"{cause.name}.png", draw_sheet(cause))
    write_section(docs / PAGE, SECTION, table([read_cause(cause) for cause in causes]))


if __name__ == "__main__":
    main()
