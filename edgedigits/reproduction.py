"""Reproduce published recipes: train several seeds, evaluate, export and verify."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from edgedigits.exporting.export import export_model
from edgedigits.exporting.plan import ExportRequest
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import open_model
from edgedigits.recipes import get_recipe
from edgedigits.reports.evaluation import evaluate
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.training.run_folder import RunFolder
from edgedigits.training.several import plan
from edgedigits.training.train import train_or_resume
from edgedigits.training.train_options import TrainOptions
from edgedigits.verification.reference import file_digest
from edgedigits.verification.verify import report_path
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import GateMissed
from edgedigits_runtime.whole_files import write_whole

FORMATS = (("onnx", "float32"), ("tflite", "float32"), ("tflite", "float16"), ("tflite", "int8"))


@dataclass(frozen=True)
class Outcome:
    """The test results of one seed: final weights, and those with the best validation accuracy.

    `loss` is the mean cross-entropy; `exports` has the figures of each file by "<format>-<precision>".
    """

    accuracy: float
    loss: float
    best_accuracy: float
    validation_accuracy: float
    parameters: int
    exports: dict[str, dict[str, Any]]


def reproduce(recipe: str, seeds: int, runs: Path, data_dir: Path | None, console: Console) -> dict[str, Any]:
    """Train, export and verify `seeds` runs of a recipe, and return its row of the result.

    Unfinished runs below `runs` are resumed; finished runs and exports are reused.

    Raises:
        EdgedigitsError: a step failed; the files of earlier steps are kept. A missed gate is not an error; it is in
            the row.
    """
    outcomes = []
    for options in plan(TrainOptions(data_dir=data_dir), [recipe], range(seeds), runs):
        console.rule(f"{recipe}, seed {options.seed}")
        run = train_or_resume(options, console)
        outcomes.append(_outcome(run, data_dir))
        console.print(f"test accuracy {outcomes[-1].accuracy:.2%}", highlight=False)
    return row(recipe, outcomes)


def row(recipe: str, outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the row of a recipe, as JSON objects: means, sample standard deviations and every seed."""
    return {
        "recipe": recipe,
        "parameters": outcomes[0].parameters,
        "published": get_recipe(recipe).published,
        "test_accuracy": _spread([outcome.accuracy for outcome in outcomes]),
        "test_loss": _spread([outcome.loss for outcome in outcomes]),
        "best_by_validation": _spread([outcome.best_accuracy for outcome in outcomes]),
        "validation_accuracy": _spread([outcome.validation_accuracy for outcome in outcomes]),
        "exports": {name: _over_seeds([outcome.exports[name] for outcome in outcomes]) for name in outcomes[0].exports},
    }


def write_rows(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the rows and the machine to `path`; existing rows of other recipes are kept."""
    kept = json.loads(path.read_text())["rows"] if path.is_file() else []
    made = {one["recipe"] for one in rows}
    result = {"machine": describe_machine(), "rows": [one for one in kept if one["recipe"] not in made] + rows}
    write_whole(path, json.dumps(result, indent=1) + "\n")


def _spread(values: list[float]) -> dict[str, Any]:
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": deviation, "seeds": values}


def _over_seeds(exports: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean accuracy, the lowest agreement and the largest size."""
    return {
        "accuracy": statistics.fmean(one["accuracy"] for one in exports),
        "agreement": min(one["agreement"] for one in exports),
        "bytes": max(one["bytes"] for one in exports),
        "passed": all(one["passed"] for one in exports),
    }


def _outcome(run: RunFolder, data_dir: Path | None) -> Outcome:
    import keras

    contract = read_contract(run.final)
    options = DataOptions(data_dir=data_dir)
    test = splits_of_model(contract, run.final, options).test
    final, best = (evaluate(open_model(model), test) for model in (run.final, run.best))
    return Outcome(
        accuracy=final.accuracy.value,
        loss=final.loss,
        best_accuracy=best.accuracy.value,
        validation_accuracy=run.read_history()[-1]["val_accuracy"],
        parameters=keras.saving.load_model(run.final, compile=False).count_params(),
        exports={f"{name}-{precision}": _export(run, name, precision, options) for name, precision in FORMATS},
    )


def _export(run: RunFolder, name: str, precision: str, options: DataOptions) -> dict[str, Any]:
    path = run.path / f"{read_contract(run.model).name}.{precision}.{name}"
    # An export of another model of this run is made again.
    verified = read_contract(path).verified if path.is_file() else None
    if verified is None or verified["against"] != file_digest(run.model):
        try:
            export_model(ExportRequest(run.path, name, precision, path, data=options))
        except GateMissed:
            # The missed figure is in the report, and belongs in the table.
            path.unlink(missing_ok=True)
    report = json.loads(report_path(path).read_text())
    return {
        "accuracy": report["comparison"]["artifact_accuracy"]["value"],
        "agreement": report["comparison"]["agreement"],
        "bytes": path.stat().st_size if path.is_file() else 0,
        "passed": report["passed"],
    }
