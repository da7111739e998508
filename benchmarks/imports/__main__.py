"""Take models of many kinds through edgedigits, and write the table of benchmarks/results/imports.md.

    python -m benchmarks.imports             # the kinds without a result; half an hour in all
    python -m benchmarks.imports --again     # all of them
    python -m benchmarks.imports "Lambda"    # the kinds whose name has this text, again
    python -m benchmarks.imports --table     # only the table, of the results that are there

Files and results, one JSON a kind, are in build/imports. Exits with 1 if an outcome is wrong.
"""

import argparse
import contextlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks.imports import keras_kinds, legacy_kinds, one_process, onnx_kinds, small_mnist, tflite_kinds
from benchmarks.imports.kind import Kind
from benchmarks.imports.page import counts, render
from benchmarks.imports.steps import take
from benchmarks.publishing import REPOSITORY, RESULTS, read_results, with_machine, write_results, write_section
from edgedigits.benchmarking.results.result_file import plain

PLACE = REPOSITORY / "build" / "imports"
KINDS = [*keras_kinds.KINDS, *legacy_kinds.KINDS, *onnx_kinds.KINDS, *tflite_kinds.KINDS]


def folder_of(kind: Kind, place: Path = PLACE) -> Path:
    """Return the folder of a kind's files, which stands beside those of the others."""
    return place / re.sub(r"\W+", "-", f"{kind.group} {kind.name}").strip("-").lower()


def run(kind: Kind, place: Path) -> dict[str, Any]:
    """Take one kind through all steps, store the result, and print it."""
    # Keras prints the signatures of what it saves.
    with contextlib.redirect_stdout(io.StringIO()):
        row = take(kind, folder_of(kind, place))
    result: dict[str, Any] = {**plain(row), "right": row.right}
    write_results(folder_of(kind, place) / "result.json", result)
    print(f"{'right' if row.right else 'WRONG'}  {kind.group}: {kind.name}  {row.seconds} s", flush=True)
    for column, cell in row.cells.items():
        if cell.text and (not row.right or cell.state != "proven"):
            print(f"    {column:16} {cell.state:8} {cell.text}", flush=True)
    return result


def main() -> int:
    """Run, and write the table; 0 if every outcome is right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="TEXT", help="part of the name of kinds to run again")
    parser.add_argument("--again", action="store_true", help="run all kinds, not only those without a result")
    parser.add_argument("--table", action="store_true", help="run none")
    given = parser.parse_args()
    small_mnist.register()
    one_process.use()
    for kind in KINDS:
        stored = (folder_of(kind) / "result.json").is_file()
        named = any(name in f"{kind.group}: {kind.name}" for name in given.names)
        if not given.table and (named if given.names else given.again or not stored):
            run(kind, PLACE)
    results = [read_results(folder_of(kind) / "result.json") for kind in KINDS]
    rows = [result for result in results if result]
    found = with_machine(rows=rows)
    write_results(RESULTS / "imports.json", found)
    write_section(RESULTS / "imports.md", "kinds", render(json.loads((RESULTS / "imports.json").read_text())))
    wrong = [f"{row['group']}: {row['name']}" for row in rows if not row["right"]]
    print(f"{counts(rows)}; wrong: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
