"""Build the shipped finder: `python -m benchmarks.shipped_models.finder`, a part of `make models`.

    python -m benchmarks.shipped_models.finder               # train RUNS/finder, or go on with it, export and ship
    python -m benchmarks.shipped_models.finder --run FOLDER  # a run elsewhere
    python -m benchmarks.shipped_models.finder --card-only   # measure the shipped files again

The card has what each file finds over drawn validation scenes, in all and by kind of scene. Neither MNIST's test part
nor an open set decides anything here.
"""

import argparse
import hashlib
import math
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.finder import Row, milliseconds, scene_rows
from benchmarks.shipped_models.card import multiply_accumulates
from edgedigits.finding.exporting import SIDE, export_finder
from edgedigits.finding.network import build_network
from edgedigits.finding.training import FinderOptions, resume_finder, train_finder
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED_FINDER
from edgedigits.reports.model_card import Card, read_card, write_card
from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters.web.webassembly import build_finder_wasm, require_tools
from edgedigits_runtime.engines.finder_network import open_finder_network
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.whole_files import write_whole

RUN = Path("runs/models/finder")
SCENES = 300
SCENES_OF_A_KIND = 100


def build(run: Path, folder: Path, console: Console) -> Card:
    """Train, export and ship the finder; return its card.

    Raises:
        EdgedigitsError: a step failed; earlier steps' files are kept.
        ExportError: an export finds less than the trained network, so nothing is shipped.
        ToolMissing: clang or wasm-ld is not installed.
    """
    # Before hours of training.
    require_tools()
    trained = RunFolder(run)
    if not (run / "config.json").is_file():
        train_finder(FinderOptions(out=run), console)
    elif len(trained.read_history()) < trained.read_config().epochs:
        resume_finder(run, console)
    made = export_finder(run / "finder.keras", run, SCENES)
    wasm = build_finder_wasm(made["tflite"])
    folder.mkdir(parents=True, exist_ok=True)
    for path in made.values():
        write_whole(folder / path.name, path.read_bytes())
    write_whole(folder / "finder.wasm", wasm)
    return _written({**_training(trained), **_network(), "rebuild": f"python -m {__spec__.name}"}, folder)


def measure_again(folder: Path) -> Card:
    """Measure the shipped files again, write the card and return it. Raises EdgedigitsError."""
    card = read_card("finder", folder)
    if card is None:
        raise EdgedigitsError(f"{folder} has no finder.card.json; build the finder first")
    return _written(card, folder)


def _written(card: Card, folder: Path) -> Card:
    files = {path.name: _described(path) for path in (folder / "finder.tflite", folder / "finder.onnx")}
    network = open_finder_network(folder / "finder.tflite", "cpu")
    scenes = {kind: _rounded(row) for kind, row in scene_rows(network, SCENES_OF_A_KIND, by_kind=True).items()}
    card = {
        "name": "finder",
        **card,
        "files": files,
        "other_files": {"finder.wasm": _digest(folder / "finder.wasm")},
        "scenes_of_a_kind": SCENES_OF_A_KIND,
        "scenes": scenes,
        "ms": {f"{SIDE}x{SIDE}": round(milliseconds(network, SIDE, SIDE), 2)},
        "machine": describe_machine(),
    }
    write_card(card, folder)
    return card


def _described(path: Path) -> dict[str, Any]:
    """Return a file's size, digest, precision, and what it finds over the validation scenes it was accepted on."""
    contract = open_finder_network(path, "cpu").contract
    return {**_digest(path), "format": contract.format, "precision": contract.precision, "finds": contract.measures}


def _digest(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _network() -> dict[str, int]:
    network = build_network(shape=(1, SIDE, SIDE))
    return {"parameters": network.count_params(), "multiply_accumulates": multiply_accumulates(network)}


def _training(run: RunFolder) -> dict[str, Any]:
    config, history = run.read_config(), run.read_history()
    steps = config.split["steps"]
    return {
        "training": {
            "data": config.data,
            "seed": config.seed,
            "epochs": len(history),
            "scenes": len(history) * steps * config.batch_size,
            "hours": round(sum(row["seconds"] for row in history) / 3600, 1),
            "versions": config.versions,
        }
    }


def _rounded(row: Row) -> Row:
    """Return a row without shares of nothing: JSON has no NaN."""
    return {name: round(value, 4) for name, value in row.items() if not math.isnan(value)}


def main() -> None:
    """Build the finder, or measure it again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=RUN, help=f"run folder (default: {RUN})")
    parser.add_argument("--out", type=Path, default=SHIPPED_FINDER, help="folder of the shipped files")
    parser.add_argument("--card-only", action="store_true", help="only measure the shipped files again")
    given = parser.parse_args()
    console = Console()
    try:
        card = measure_again(given.out) if given.card_only else build(given.run, given.out, console)
    except EdgedigitsError as error:
        raise SystemExit(f"error: {error}") from error
    console.print(f"finder: {card['files']['finder.tflite']['bytes']:,} bytes in {given.out}", highlight=False)


if __name__ == "__main__":
    main()
