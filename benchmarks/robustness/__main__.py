"""Measure the accuracy drop of a model on corrupted images, float and int8 side by side.

    python -m benchmarks.robustness base nano runs/my-run
    python -m benchmarks.robustness base --images 1000      # quick; prints the table only

A MODEL is a shipped name, or a folder or `.keras` file with a `.keras` and an int8 `.tflite` side by side. The figures
go to benchmarks/results/robustness.json, which keeps those of other models.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.publishing import RESULTS, table, write_results
from benchmarks.robustness.corruption_accuracy import Robustness, measure_robustness
from benchmarks.robustness.corruptions import CORRUPTIONS
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED, find_keras, open_model
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ArtifactNotFound

RESULT = RESULTS / "robustness.json"
SEED = 0


def measure(model: str, images: int | None) -> dict[str, Robustness]:
    """Return the robustness of a MODEL's Keras and int8 files on the test split, or on some of its images."""
    keras = find_keras(model)
    engines = {"float": open_model(keras), "int8": open_model(find_int8(keras))}
    test = splits_of_model(engines["float"].contract, keras, DataOptions()).test
    if images is not None:
        chosen = np.sort(np.random.default_rng(SEED).choice(len(test), min(images, len(test)), replace=False))
        test = test.take(chosen)
    return {name: measure_robustness(engine, test, SEED) for name, engine in engines.items()}


def find_int8(keras: Path) -> Path:
    """Return the int8 file beside a `.keras` file. Raises ArtifactNotFound."""
    if keras.parent == SHIPPED:
        return keras.with_suffix(".tflite")
    for path in sorted(keras.parent.glob("*.tflite")):
        if read_contract(path).precision == "int8":
            return path
    raise ArtifactNotFound(f"no int8 .tflite beside {keras}; make one with edgedigits export {keras}")


def as_table(found: dict[str, dict[str, Robustness]]) -> str:
    """Return accuracies by corruption as Markdown, a column for each file."""
    files = {f"{model} {kind}": one for model, kinds in found.items() for kind, one in kinds.items()}
    rows = [["clean", *(f"{one.clean:.2%}" for one in files.values())]]
    rows += [[name, *(f"{one.corrupted[name]:.2%}" for one in files.values())] for name in CORRUPTIONS]
    rows.append(["mean accuracy drop, points", *(f"{one.mean_loss:.2f}" for one in files.values())])
    return table(["", *files], rows)


def main() -> None:
    """Measure and print; write the figures of the whole test split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--images", type=int, help="number of test images; nothing is written")
    arguments = parser.parse_args()
    found = {model: measure(model, arguments.images) for model in arguments.models}
    print(as_table(found))
    if arguments.images is None:
        write(found)


def write(found: dict[str, dict[str, Robustness]], path: Path = RESULT) -> None:
    """Add the figures of these models to the file, each with its machine."""
    models: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    for model, kinds in found.items():
        models[model] = {**{kind: one.to_dict() for kind, one in kinds.items()}, "machine": describe_machine()}
    write_results(path, models)


if __name__ == "__main__":
    main()
