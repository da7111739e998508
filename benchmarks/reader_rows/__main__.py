"""Measure a reader on every row that the finder is to reach: `python -m benchmarks.reader_rows --finder FILE`.

Without `--finder` it is the reader of rules. The rows go to a JSON file with `--out`, and are printed as a table.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.publishing import table, with_machine, write_results
from benchmarks.reader_rows import collected, drawn, speed
from benchmarks.reader_rows.row import Row
from edgedigits.loading import load
from edgedigits_runtime.reading.reader import Reader

GROUPS: dict[str, Callable[[Reader], Iterator[Row]]] = {
    "collected": collected.collected_rows,
    "scenes": collected.scene_rows,
    "characters": collected.character_rows,
    "text": drawn.text_rows,
    "touching": drawn.touching_rows,
    "mnist": drawn.mnist_row,
    "clips": drawn.clip_row,
    "speed": speed.speed_rows,
}


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description="Measure a reader on every row that the finder is to reach.")
    parser.add_argument("--model", default="base", help="the classifier")
    parser.add_argument("--finder", type=Path, help="file of a finder; the reader of rules if left out")
    parser.add_argument("--rows", nargs="+", choices=GROUPS, default=list(GROUPS), help="groups of rows")
    parser.add_argument("--out", type=Path, help="JSON file")
    chosen = parser.parse_args()
    rows: list[Row] = []
    with load(chosen.model, finder=chosen.finder) as reader:
        for name in chosen.rows:
            for row in GROUPS[name](reader):
                print(" | ".join(row.cells()), *row.wrong[:12], flush=True)
                rows.append(row)
    print(table(["", "measured", "to reach", "reached"], [row.cells() for row in rows]))
    if chosen.out is not None:
        found = with_machine(model=chosen.model, finder=str(chosen.finder or ""), rows=[asdict(row) for row in rows])
        write_results(chosen.out, found)


if __name__ == "__main__":
    main()
