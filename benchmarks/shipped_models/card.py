"""The card of a shipped model, measured on the shipped files."""

import hashlib
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.robustness.corruption_accuracy import measure_robustness
from benchmarks.robustness.other_writers import measure_other_writers
from benchmarks.robustness.rejection import measure_rejection
from benchmarks.shipped_models.catalogue import run_name
from edgedigits.data.dataset import Samples
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SUFFIXES, open_model
from edgedigits.reports.evaluation import Evaluation, evaluate
from edgedigits.reports.model_card import Card
from edgedigits.verification.reliability import BINS, group_by_confidence
from edgedigits_runtime.contract import Contract

if TYPE_CHECKING:
    from benchmarks.shipped_models.seeds import SeedResult
    from edgedigits.training.run_folder import RunFolder

ROBUSTNESS_SEED = 0


def make_card(
    name: str, folder: Path, run: "RunFolder", results: Sequence["SeedResult"], seed: int, test: Samples
) -> Card:
    """Measure the files of a shipped model and return its card.

    Args:
        folder: of the files.
        run: the run of the files.
        results: of every trained seed.
        seed: the shipped one.
        test: the test split.
    """
    from edgedigits_exporters.keras_file import load_model

    network, contract = load_model(folder / f"{name}.keras")
    return {
        "name": name,
        "parameters": network.count_params(),
        "multiply_accumulates": multiply_accumulates(network),
        "recipe": contract.recipe,
        "training": _training(run),
        **describe_seeds(results, seed),
        "files": {path.name: describe_file(path, test) for path in _files(name, folder)},
        "other_files": describe_others(name, folder),
        **measure_behaviour(folder / f"{name}.keras", folder / f"{name}.tflite", test),
        "rebuild": f"python -m benchmarks.shipped_models.build {name}",
        "machine": describe_machine(),
    }


def describe_seeds(results: Sequence["SeedResult"], seed: int) -> dict[str, Any]:
    """Return the figures of every seed, and the shipped seed."""
    return {
        "seed": seed,
        "chosen_by": "the best validation accuracy after the last epoch",
        "seeds": [asdict(result) for result in results],
        "int8_accuracy_of_seeds": _spread([result.int8_accuracy for result in results]),
    }


def describe_file(path: Path, test: Samples) -> dict[str, Any]:
    """Return a file's size, digest, contract values, and accuracy on the test split."""
    engine = open_model(path)
    content = path.read_bytes()
    return {
        "format": engine.contract.format,
        "precision": engine.contract.precision,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "temperature": engine.contract.temperature,
        "rejection_threshold": engine.contract.rejection_threshold,
        "agreement": (engine.contract.verified or {}).get("agreement"),
        **_accuracy(evaluate(engine, test), engine.contract),
    }


def describe_others(name: str, folder: Path) -> dict[str, Any]:
    """Return size and digest of a model's golden vectors and `.wasm` file."""
    paths = [path for pattern in ("*.npz", "wasm") for path in sorted(folder.glob(f"{name}.{pattern}"))]
    contents = {path.name: path.read_bytes() for path in paths}
    return {
        file: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for file, content in contents.items()
    }


def measure_behaviour(keras: Path, int8: Path, test: Samples) -> dict[str, Any]:
    """Return robustness of both files, and the int8 file's accuracy on other writers, calibration and rejection."""
    engine = open_model(int8)
    robustness = {
        kind: measure_robustness(open_model(file), test, ROBUSTNESS_SEED).to_dict()
        for kind, file in (("float", keras), ("int8", int8))
    }
    bins = group_by_confidence(evaluate(engine, test).confidences, test.labels)
    return {
        "robustness": robustness,
        "other_hands": {"dataset": "optdigits", "images": 1_797, **asdict(measure_other_writers(engine))},
        "calibration": {"images": len(test), "bins": BINS, "expected_error": bins.expected_error},
        "rejection": measure_rejection(engine, test).to_dict(),
    }


def _files(name: str, folder: Path) -> list[Path]:
    files = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    return [path for path in files if path.is_file()]


def _accuracy(found: Evaluation, contract: Contract) -> dict[str, Any]:
    right = found.predicted == found.labels
    of_class = {label: right[found.labels == number] for number, label in enumerate(contract.labels)}
    return {
        "images": len(right),
        "right": int(right.sum()),
        "accuracy": asdict(found.accuracy),
        "per_class": {label: float(answers.mean()) for label, answers in of_class.items() if len(answers)},
    }


def _training(run: "RunFolder") -> dict[str, Any]:
    """Return the run's settings, without those of the machine that trained it."""
    config, history = asdict(run.read_config()), run.read_history()
    del config["data_dir"], config["recipe"], config["seed"]
    teachers = [run_name(Path(teacher)) for teacher in config["teachers"]]
    seconds = round(sum(row["seconds"] for row in history))
    return {**config, "teachers": teachers, "epochs_run": len(history), "seconds": seconds}


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return mean and sample standard deviation, which is None for one value."""
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": deviation}


def multiply_accumulates(model: Any) -> int:
    """Return a built Keras network's multiply-accumulates for one image.

    Every tap of a kernel counts at every output position, padding included; biases, activations and pooling do not.
    """
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: Any) -> int:
    kind = type(layer).__name__
    if kind == "Dense":
        return int(math.prod(layer.kernel.shape))
    if kind in ("Conv2D", "DepthwiseConv2D"):
        _, height, width, _ = layer.output.shape
        return int(height * width * math.prod(layer.kernel.shape))
    return 0
