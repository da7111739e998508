"""Rebuild the shipped models from scratch: `python -m benchmarks.shipped_models.build`, or `make models`.

    python -m benchmarks.shipped_models.build                       # all, three seeds each: hours
    python -m benchmarks.shipped_models.build nano --seeds 0        # one model, one seed
    python -m benchmarks.shipped_models.build nano --runs DIR       # from runs that are in DIR
    python -m benchmarks.shipped_models.build nano --seeds 1 2 --beside  # two more, beside those that its card has
    python -m benchmarks.shipped_models.build nano --card-only      # measure the shipped files again
    python -m benchmarks.shipped_models.build nano --wasm-only      # compile the shipped .tflite for pages again

Each seed is trained into RUNS/<name>-<seed>; a run that is there is taken as it is if it was finished, and resumed
if it was not. Every seed is exported to int8 and read on the test split once; the one with the best validation
accuracy is shipped. plan.py says what is built, and what learns from what.
"""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.shipped_models.card import describe_file, describe_others, describe_seeds, make_card, measure_behaviour
from benchmarks.shipped_models.plan import INT8, SEEDS, SHIPPED_MODELS, build_order, run_path
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
    """Where models are built, and of what.

    Args:
        seeds: that are trained.
        runs: where the run folders are.
        out: where the shipped files go.
        results: the file with the figures of every seed.
        again: export finished runs anew, as is needed after a change to what makes exports.
        beside: keep what the card has of other seeds; one of them stays shipped if none of these is better.
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
        EdgedigitsError: a step failed; what the earlier ones made is kept. GateMissed: an export of the chosen seed
            does not decide as Keras did, so that nothing is shipped. ToolMissing: clang or wasm-ld is not installed.
    """
    require_tools()  # Say so before hours of training.
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
    console.print(f"{name}: seed {seed} is shipped", highlight=False)
    return card


def measure_again(name: str, folder: Path) -> Card:
    """Measure the files of a shipped model, write the new card and return it; nothing is trained or exported.

    Raises:
        EdgedigitsError: it has no card yet, or a file cannot be read.
    """
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
    """Compile a shipped model for pages, say so in its card if there is one, and return its `.wasm` file.

    Raises:
        EdgedigitsError: the file cannot be compiled, or there is no compiler.
    """
    model = folder / f"{name}.tflite"
    made = write_whole(model.with_suffix(".wasm"), build_wasm(model, COptions()))
    if card := read_card(name, folder):
        write_card({**card, "other_files": describe_others(name, folder)}, folder)
    return made


def write_result(card: Card, path: Path) -> None:
    """Put the figures of every seed into the family's results; other models' rows stay, each with its machine."""
    rows: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    keys = ("parameters", "multiply_accumulates", "seeds", "int8_accuracy_of_seeds", "seed", "chosen_by", "machine")
    rows[card["name"]] = {key: card[key] for key in keys}
    ordered = {name: rows[name] for name in [*SHIPPED_MODELS, *rows] if name in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(ordered, indent=1) + "\n")


def _ship(run: RunFolder, name: str, folder: Path) -> None:
    """Copy the network of a run and its exports, all of them or none."""
    files = {folder / f"{name}.keras": run.model}
    for file_format, precision in SHIPPED_MODELS[name].formats:
        report = exported(run, name, file_format, precision)
        if not report["passed"]:
            raise GateMissed(f"{name}, {file_format} {precision} was refused: {'; '.join(report['missed'])}")
        made = artifact_path(run, name, file_format, precision)
        files[folder / f"{name}.{file_format}"] = made
        files[golden_path(folder / f"{name}.{file_format}")] = golden_path(made)
    # All that can go wrong before the first file is replaced.
    contents = {target: source.read_bytes() for target, source in files.items()}
    contents[folder / f"{name}.wasm"] = build_wasm(artifact_path(run, name, *INT8), COptions())
    folder.mkdir(parents=True, exist_ok=True)
    for target, content in contents.items():
        write_whole(target, content)


def _earlier(name: str, options: BuildOptions) -> list[SeedResult]:
    """Return what the card has of seeds that are not trained now."""
    rows = (SeedResult(**row) for row in _card(name, options.out)["seeds"])
    return [row for row in rows if row.seed not in options.seeds]


def _card(name: str, folder: Path) -> Card:
    card = read_card(name, folder)
    if card is None:
        raise EdgedigitsError(f"{card_path(name, folder)} is not there; build {name} first")
    return card


def _line(result: SeedResult) -> str:
    return (
        f"seed {result.seed}: validation {result.validation_accuracy:.2%}, test {result.keras_accuracy:.2%},"
        f" int8 {result.int8_accuracy:.2%}, {result.agreement:.2%} equal{'' if result.passed else ', gates missed'}"
    )


def main() -> None:
    """Build the named models, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SHIPPED_MODELS)} (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="which seeds (default: 0 1 2)")
    parser.add_argument("--runs", type=Path, default=RUNS, help=f"where they are trained (default: {RUNS})")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the files go (default: the package)")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"figures of every seed (default: {RESULTS})")
    parser.add_argument("--again", action="store_true", help="export finished runs anew")
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
