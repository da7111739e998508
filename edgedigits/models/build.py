"""Rebuild the shipped models from scratch: `python -m edgedigits.models.build`, or `make models`.

Each is trained from the settings below into `runs/models/<name>`; a run that is already there is resumed, or
taken as it is if it was finished.
"""

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path

from rich.console import Console

from edgedigits.exporting import ExportRequest, export_model
from edgedigits.model_files import SHIPPED
from edgedigits.reproduction import trained
from edgedigits.training.fit import TrainOptions
from edgedigits.verification.verify import report_path
from edgedigits_exporters.keras_file import load_model, save_model
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.golden import golden_path
from edgedigits_runtime.whole_files import write_whole

SHIPPED_MODELS = {
    "base": TrainOptions(recipe="plain-3conv", seed=0, augment=True),
}

FORMATS = (("tflite", "int8"), ("onnx", "float32"))


def build(name: str, runs: Path, console: Console) -> None:
    """Train one shipped model and write its files and card into edgedigits/models/."""
    run = trained(dataclasses.replace(SHIPPED_MODELS[name], out=runs / name), console)
    model, contract = load_model(run.model)
    keras = save_model(model, dataclasses.replace(contract, name=name), SHIPPED / f"{name}.keras")
    files = {keras.name: {**_describe(keras), **_confidence(contract)}}
    accuracy = {}
    for file_format, precision in FORMATS:
        made = export_model(ExportRequest(keras, file_format, precision, SHIPPED / f"{name}.{file_format}"))
        if made.verification is None:
            raise SystemExit(f"{made.path.name} was not verified: {'; '.join(made.notes)}")
        figures = made.verification.comparison
        files[made.path.name] = {
            **_describe(made.path),
            **_confidence(made.contract),
            "accuracy": dataclasses.asdict(figures.artifact_accuracy),
            "agreement": figures.agreement,
            "per_class_change": figures.per_class_change,
        }
        accuracy = dataclasses.asdict(figures.keras_accuracy)
        report_path(made.path).unlink()
        console.print(f"{made.path.name}: {figures.artifact_accuracy.value:.2%}", highlight=False)
    # The .tflite is what selftests replay; the others can be recorded by whoever exports them.
    golden_path(SHIPPED / f"{name}.onnx").unlink(missing_ok=True)
    files[keras.name]["accuracy"] = accuracy
    card = {
        "name": name,
        "parameters": model.count_params(),
        "recipe": contract.recipe,
        "training": dataclasses.asdict(run.read_config()) | {"data_dir": None},
        "validation_accuracy": run.read_history()[-1]["val_accuracy"],
        "files": files,
        "rebuild": f"python -m edgedigits.models.build {name}",
    }
    write_whole(SHIPPED / f"{name}.card.json", json.dumps(card, indent=1) + "\n")


def _describe(file: Path) -> dict[str, object]:
    content = file.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _confidence(contract: Contract) -> dict[str, object]:
    """Return what was fitted for this very file."""
    return {"temperature": contract.temperature, "rejection_threshold": contract.rejection_threshold}


def main() -> None:
    """Build the named models, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*SHIPPED_MODELS, []], help="which models (default: all)")
    parser.add_argument("--runs", type=Path, default=Path("runs/models"), help="where they are trained")
    arguments = parser.parse_args()
    for name in arguments.names or SHIPPED_MODELS:
        build(name, arguments.runs, Console())


if __name__ == "__main__":
    main()
