"""Rebuild the shipped models from scratch: `python -m benchmarks.shipped_models.build`, or `make models`.

    python -m benchmarks.shipped_models.build                       # all, three seeds each: hours
    python -m benchmarks.shipped_models.build nano --seeds 0        # one model, one seed
    python -m benchmarks.shipped_models.build nano --runs DIR       # from the runs in DIR
    python -m benchmarks.shipped_models.build nano --seeds 1 2 --beside  # two more seeds; the card keeps the others
    python -m benchmarks.shipped_models.build nano --card-only      # measure the shipped files again
    python -m benchmarks.shipped_models.build nano --wasm-only      # compile the shipped .tflite for pages again

Each seed is trained into RUNS/<name>-<seed>; a finished run is used as it is, an unfinished one is resumed. Every seed
is exported to int8 and measured once on the test split; the one with the best validation accuracy is shipped.
catalogue.py lists the models and their teachers.
"""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.publishing import write_results
from benchmarks.shipped_models.card import describe_file, describe_others, describe_seeds, make_card, measure_behaviour
from benchmarks.shipped_models.catalogue import INT8, SEEDS, SHIPPED_MODELS, build_order, run_path
from benchmarks.shipped_models.seeds import (
    SeedResult,
    artifact_path,
    chosen,
    exported,
    forget_exports,
    measure_seed,
    train_seed,
)
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED
from edgedigits.reports.model_card import Card, card_path, read_card, write_card
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters.microcontroller.c import COptions
from edgedigits_exporters.web.webassembly import build_wasm, require_tools
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import EdgedigitsError, GateMissed
from edgedigits_runtime.golden import golden_path
from edgedigits_runtime.whole_files import write_whole

RUNS = Path("runs/models")
RESULTS = Path("benchmarks/results/family.json")


@dataclasses.dataclass(frozen=True)
class BuildOptions:
    """Models to build, and their folders.

    Args:
        seeds: to train.
        runs: folder of the runs.
        out: folder of the shipped files.
        results: the file with the figures of every seed.
        again: export finished runs again, as needed after a change of the exporters.
        beside: keep the card's other seeds; one of them stays shipped if none of these is better.
    """

    seeds: Sequence[int] = SEEDS
    runs: Path = RUNS
    out: Path = SHIPPED
    results: Path = RESULTS
    again: bool = False
    beside: bool = False


def build(name: str, options: BuildOptions, console: Console) -> Card:
    """Train, choose, export, measure and write one shipped model; return its card.

    Raises:
        EdgedigitsError: a step failed; earlier steps' files are kept.
        GateMissed: an export of the chosen seed does not agree with Keras, so nothing is shipped.
        ToolMissing: clang or wasm-ld is not installed.
    """
    # Before hours of training.
    require_tools()
    earlier = _earlier(name, options) if options.beside else []
    results = []
    for seed in options.seeds:
        console.rule(f"{name}, seed {seed}")
        run = train_seed(name, seed, options.runs, console)
        if options.again:
            forget_exports(run)
        results.append(measure_seed(run, name))
        console.print(_line(results[-1]), highlight=False)
    results = sorted([*earlier, *results], key=lambda result: result.seed)
    seed = chosen(results).seed
    if seed in options.seeds:
        run = RunFolder(run_path(options.runs, name, seed))
        _ship(run, name, options.out)
        test = splits_of_model(read_contract(run.model), run.model, DataOptions()).test
        card = make_card(name, options.out, run, results, seed, test)
    else:
        card = {**_card(name, options.out), **describe_seeds(results, seed)}
    write_card(card, options.out)
    write_result(card, options.results)
    console.print(f"{name}: shipped seed {seed}", highlight=False)
    return card


def measure_again(name: str, folder: Path) -> Card:
    """Measure the shipped files again, write the card and return it. Raises EdgedigitsError."""
    card = _card(name, folder)
    keras = folder / f"{name}.keras"
    test = splits_of_model(read_contract(keras), keras, DataOptions()).test
    card["files"] = {file: describe_file(folder / file, test) for file in card["files"]}
    card["other_files"] = describe_others(name, folder)
    card |= measure_behaviour(keras, folder / f"{name}.tflite", test)
    card["machine"] = describe_machine()
    write_card(card, folder)
    return card


def write_wasm(name: str, folder: Path) -> Path:
    """Compile a shipped model for pages, update its card, and return the `.wasm` file. Raises EdgedigitsError."""
    model = folder / f"{name}.tflite"
    made = write_whole(model.with_suffix(".wasm"), build_wasm(model, COptions()))
    if card := read_card(name, folder):
        write_card({**card, "other_files": describe_others(name, folder)}, folder)
    return made


def write_result(card: Card, path: Path) -> None:
    """Add the figures of every seed to the family's results, which keep other models' rows."""
    rows: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    keys = ("parameters", "multiply_accumulates", "seeds", "int8_accuracy_of_seeds", "seed", "chosen_by", "machine")
    rows[card["name"]] = {key: card[key] for key in keys}
    ordered = {name: rows[name] for name in [*SHIPPED_MODELS, *rows] if name in rows}
    write_results(path, ordered)


def _ship(run: RunFolder, name: str, folder: Path) -> None:
    """Copy a run's network and exports, all of them or none."""
    files = {folder / f"{name}.keras": run.model}
    for file_format, precision in SHIPPED_MODELS[name].formats:
        report = exported(run, name, file_format, precision)
        if not report["passed"]:
            raise GateMissed(f"{name}, {file_format} {precision} missed its gates: {'; '.join(report['missed'])}")
        made = artifact_path(run, name, file_format, precision)
        files[folder / f"{name}.{file_format}"] = made
        files[golden_path(folder / f"{name}.{file_format}")] = golden_path(made)
    # Everything that can fail comes before the first file is replaced.
    contents = {target: source.read_bytes() for target, source in files.items()}
    contents[folder / f"{name}.wasm"] = build_wasm(artifact_path(run, name, *INT8), COptions())
    folder.mkdir(parents=True, exist_ok=True)
    for target, content in contents.items():
        write_whole(target, content)


def _earlier(name: str, options: BuildOptions) -> list[SeedResult]:
    """Return the card's figures of seeds that are not trained now."""
    rows = (SeedResult(**row) for row in _card(name, options.out)["seeds"])
    return [row for row in rows if row.seed not in options.seeds]


def _card(name: str, folder: Path) -> Card:
    card = read_card(name, folder)
    if card is None:
        raise EdgedigitsError(f"{card_path(name, folder)} is missing; build {name} first")
    return card


def _line(result: SeedResult) -> str:
    return (
        f"seed {result.seed}: validation {result.validation_accuracy:.2%}, test {result.keras_accuracy:.2%},"
        f" int8 {result.int8_accuracy:.2%}, {result.agreement:.2%} agreement{'' if result.passed else ', gates missed'}"
    )


def main() -> None:
    """Build the named models, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SHIPPED_MODELS)} (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="seeds to train (default: 0 1 2)")
    parser.add_argument("--runs", type=Path, default=RUNS, help=f"folder of the runs (default: {RUNS})")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the shipped files (default: the package)")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"figures of every seed (default: {RESULTS})")
    parser.add_argument("--again", action="store_true", help="export finished runs again")
    parser.add_argument("--beside", action="store_true", help="keep the figures of the other seeds in the card")
    parser.add_argument("--card-only", action="store_true", help="only measure the shipped files again")
    parser.add_argument("--wasm-only", action="store_true", help="only compile the shipped files for pages again")
    given = parser.parse_args()
    options = BuildOptions(given.seeds, given.runs, given.out, given.results, given.again, given.beside)
    console = Console()
    try:
        for name in build_order(given.names or SHIPPED_MODELS):
            if given.card_only:
                measure_again(name, given.out)
            elif given.wasm_only:
                console.print(write_wasm(name, given.out), highlight=False)
            else:
                build(name, options, console)
    except EdgedigitsError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
