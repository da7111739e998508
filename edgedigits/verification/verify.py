"""Verify an artifact: every image of a split through it and through Keras, judged by the gates."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgedigits.data.dataset import Samples
from edgedigits.model_files import SHIPPED, find_keras, find_model, open_model
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.recipes.gates import EXACT, Gate, default_gate, missed, with_demands
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.verification.comparison import Comparison, compare
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions, Isolation, Kernels
from edgedigits_runtime.engines import is_c_export
from edgedigits_runtime.errors import ArrayError, ArtifactNotFound
from edgedigits_runtime.whole_files import write_whole


@dataclass(frozen=True)
class Verification:
    """The result of comparing an artifact with its Keras model.

    Attributes:
        artifact, against: the two files' names.
        against_fingerprint: SHA-256 of the Keras file.
        dataset, split: what was compared on.
        precision: of the artifact.
        gate: what was demanded.
        missed: a line for each demand that was not met; empty where the artifact passed.
        comparison: the figures.
    """

    artifact: str
    against: str
    against_fingerprint: str
    dataset: str
    split: str
    precision: str
    gate: Gate
    missed: tuple[str, ...]
    comparison: Comparison

    @property
    def passed(self) -> bool:
        return not self.missed

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON objects; docs/verification.md describes them."""
        figures = dataclasses.asdict(self.comparison)
        report = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            **report,
            "gate": dataclasses.asdict(self.gate),
            "missed": list(self.missed),
            "passed": self.passed,
            "comparison": {**figures, "agreement": self.comparison.agreement},
        }

    def summary(self) -> dict[str, Any]:
        """Return what the contract keeps of it."""
        return {
            "against": self.against_fingerprint,
            "split": self.split,
            "images": self.comparison.images,
            "flips": len(self.comparison.flips),
            "agreement": round(self.comparison.agreement, 6),
            "passed": self.passed,
        }

    def accuracy(self) -> dict[str, Any]:
        """Return the artifact's accuracy as the contract keeps it."""
        return {
            "top1": round(self.comparison.artifact_accuracy.value, 6),
            "dataset": self.dataset,
            "split": self.split,
            "images": self.comparison.images,
        }


def verify_artifact(
    artifact: Path,
    against: Path,
    samples: Samples,
    split: str,
    *,
    demands: Gate = Gate(),
    dataset: str | None = None,
    isolation: Isolation | None = None,
    contract: Contract | None = None,
) -> Verification:
    """Run every image of `samples` through both files and judge the difference.

    Args:
        artifact: a `.onnx` or `.tflite` file, or a folder of C.
        against: the `.keras` file it was made of; of C the `.tflite` file.
        samples: uint8 [N, H, W, C] with labels, of the split that `split` names.
        demands: replace those of the gate of the artifact's recipe and precision, each one that is stated.
        dataset: what the samples are of; None is what the artifact's network was trained on.
        isolation: limits of processes that the engines run in; None runs them in this one.
        contract: used in place of the reference's own.

    Raises:
        ArtifactError: a file cannot be used.
        ArrayError: the images are not what the models take.
    """
    candidate = open_model(artifact, options=EngineOptions(isolation=isolation))
    options = EngineOptions(kernels=_kernels(candidate.contract), isolation=isolation)
    reference = open_model(against, options=options, contract=contract)
    contract = candidate.contract
    if reference.contract.labels != contract.labels:
        raise ArrayError(
            f"{artifact} and {against} have different classes: {', '.join(contract.labels)} and"
            f" {', '.join(reference.contract.labels)}; give the right file with --against"
        )
    comparison = compare(reference.run(samples.images), candidate.run(samples.images), samples.labels, contract.labels)
    gate = with_demands(gate_of(contract), demands)
    return Verification(
        artifact=artifact.name,
        against=against.name,
        against_fingerprint=file_digest(against),
        dataset=dataset or (contract.training.name if contract.training else "unknown"),
        split=split,
        precision=contract.precision,
        gate=gate,
        missed=missed(
            gate,
            images=comparison.images,
            flips=len(comparison.flips),
            probability_error=comparison.max_probability_error,
            accuracy_drop=comparison.accuracy_drop,
        ),
        comparison=comparison,
    )


def _kernels(contract: Contract) -> Kernels:
    """Return the kernels of LiteRT that a file is compared with: those whose rounding C has."""
    if contract.kernels == "reference":
        return "reference"
    return "xnnpack" if contract.kernels == "xnnpack" else "auto"


def gate_of(contract: Contract) -> Gate:
    """Return the gate for a contract's precision: its recipe's own, or the default one; C has to be exact."""
    if contract.format == "c":
        return EXACT
    own = get_recipe(contract.recipe).gates if contract.recipe in RECIPES else {}
    return default_gate(contract.precision, own)


def find_reference(artifact: Path) -> Path:
    """Return what an artifact was made of: the `.tflite` within a C export, else a `.keras` file.

    That one stands in its folder, as its own name or as `model.keras`.

    Raises:
        ArtifactNotFound: there is none; the message says how to give it.
    """
    if is_c_export(artifact):
        return artifact / "digits.tflite"
    if artifact.parent == SHIPPED:
        return find_keras(artifact.stem)
    for candidate in (artifact.with_suffix(".keras"), artifact.parent / "model.keras"):
        if candidate.is_file():
            return candidate
    raise ArtifactNotFound(f"no .keras file beside {artifact} to compare it with; give it with --against FILE")


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def report_path(artifact: Path) -> Path:
    """Return where the verification report of an artifact stands."""
    return artifact.with_name(f"{artifact.name}.verify.json")


def write_report(verification: Verification, artifact: Path) -> Path:
    """Write the report beside the artifact and return its path."""
    return write_whole(report_path(artifact), json.dumps(verification.to_dict(), indent=1) + "\n")


def verify(
    artifact: Path,
    *,
    against: str | Path | None = None,
    split: str = "test",
    data: str | None = None,
    data_dir: Path | None = None,
    demands: Gate | None = None,
    isolate: bool = False,
) -> Verification:
    """Compare an artifact with its Keras model on every image of a split; mirrors `edgedigits verify`.

    A missed gate is in the result's `missed`, and is no error here.

    Args:
        artifact: a `.onnx` or `.tflite` file, or a folder of C.
        against: the Keras model; None looks beside the artifact. C is compared with the `.tflite` inside it.
        split: "train", "validation" or "test".
        data, data_dir: where the dataset is; None for the one that the model was trained on, in the usual places.
        demands: replace those of the artifact's recipe and precision, each one that is stated.
        isolate: run both in processes of their own with limits, for files of strangers.

    Raises:
        EdgedigitsError: see edgedigits.verification.verify.
    """

    artifact = find_model(artifact)
    reference = find_keras(against) if against else find_reference(artifact)
    if reference.suffix == ".keras":
        load_keras()
    splits = splits_of_model(read_contract(reference), reference, DataOptions(data, data_dir))
    dataset = Path(data).name if data else None
    return verify_artifact(
        artifact,
        reference,
        splits.named(split),
        split,
        demands=demands or Gate(),
        dataset=dataset,
        isolation=Isolation() if isolate else None,
    )
