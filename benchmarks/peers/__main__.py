"""Compare edgedigits with other ways to read digits, as far as they are installed: `python -m benchmarks.peers`.

python -m benchmarks.peers --only litert,onnxruntime --processes 10 --out peers.json
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.peers.engines import PEERS
from benchmarks.peers.peer_run import PeersRequest, run_peers
from edgedigits.benchmarking.results.result_text import duration
from edgedigits.benchmarking.results.terminal_page import latency_cells, rows_page
from edgedigits.benchmarking.side_by_side.interleaving import Plan
from edgedigits.model_files import DEFAULT_MODEL
from edgedigits.progress import ProgressBar
from edgedigits_runtime.errors import EdgedigitsError


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a shipped name")
    parser.add_argument("--only", default="", metavar="NAMES", help=f"separated by commas: {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=Plan.rounds, help="blocks of each row, in random order")
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="measured time of each row over all rounds")
    parser.add_argument("--processes", type=int, default=3, help="whole processes of each")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="seed of the orders")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result here as it grows")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args(arguments)
    only = tuple(word.strip() for word in given.only.split(",") if word.strip())
    request = PeersRequest(given.model, only, Plan(given.rounds, given.seconds, given.seed), given.processes)
    try:
        with ProgressBar("starting", style="text", automatic=False) as bar:
            found = run_peers(request, given.out, bar.update)
    except EdgedigitsError as error:
        sys.exit(f"error: {error}")
    if given.json:
        print(json.dumps(found))
        return
    console = Console(highlight=False)
    for part in rows_page(found, ["", "p50", "p99", "times", "process", "same answers"], _cells):
        console.print(part)


def _cells(row: dict[str, Any]) -> list[str]:
    whole = duration(row["process"]["p50"]) if row["process"] else "-"
    agreement = "-" if row["agreement"] is None else f"{row['agreement']:.0%}"
    return [row["name"], *latency_cells(row, "times_ours"), whole, agreement]


if __name__ == "__main__":
    main()
