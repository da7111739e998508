"""Verify an artifact: run every image of a split through it and through its reference, and apply the gates."""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgedigits.data import DATASETS
from edgedigits.data.dataset import Samples
from edgedigits.data.splits import check_split
from edgedigits.model_files import AnyPath, contract_of, find_model, open_model
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.recipes.gates import EXACT, Gate, default_gate, few_images, judge, scaled, with_demands
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.verification.comparison import Comparison, compare
from edgedigits.verification.inaccuracy import describe_inaccuracy
from edgedigits.verification.reference import (
    contract_of_reference,
    engine_title,
    file_digest,
    find_given_reference,
    find_reference,
)
from edgedigits_exporters.keras_backend import require_keras
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions, Isolation, Kernels
from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.foreign.output_kind import check_output_kind
from edgedigits_runtime.whole_files import write_whole


@dataclass(frozen=True)
class Verification:
    """The result of comparing an artifact with its reference; docs/verification.md describes the fields."""

    artifact: str
    against: str
    against_fingerprint: str
    dataset: str
    split: str
    precision: str
    gate: Gate
    missed: tuple[str, ...]
    comparison: Comparison
    data_notes: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.missed

    @property
    def verdict(self) -> str:
        """ "passed", "missed", or "not proven" where the images are too few to decide."""
        return "missed" if self.missed else "not proven" if self.undecided else "passed"

    @property
    def reference_engine(self) -> str:
        """Name of the engine that ran the reference, such as "Keras"."""
        return engine_title(Path(self.against))

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts for the user about the data, a line each."""
        return (*self.data_notes, *few_images(self.gate, self.comparison.images))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON objects."""
        report = dataclasses.asdict(self)
        report["comparison"]["agreement"] = self.comparison.agreement
        lines = {"missed": list(self.missed), "undecided": list(self.undecided)}
        return {**report, **lines, "passed": self.passed}

    def summary(self) -> dict[str, Any]:
        """Return the summary that the contract contains."""
        return {
            "against": self.against_fingerprint,
            "split": self.split,
            "images": self.comparison.images,
            "flips": len(self.comparison.flips),
            "agreement": round(self.comparison.agreement, 6),
            "passed": self.passed,
            **({"undecided": list(self.undecided)} if self.undecided else {}),
        }

    def accuracy(self) -> dict[str, Any]:
        """Return the artifact's accuracy as in the contract."""
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
    """Run every image through an artifact and its reference, and apply the gate.

    Args:
        artifact, against, demands: see verify.
        samples, split: uint8 [N, H, W, C] with labels, and the name of their split.
        dataset: name of the samples' dataset; None is the one that the artifact's contract names.
        isolation: limits of the processes that the engines run in; None runs them in this process.
        contract: of the reference; None is its own, else the artifact's, see contract_of_reference.

    Raises:
        ArtifactError: a file cannot be used.
        ContractInvalid: the outputs are not of the kind in a contract.
        ArrayError: the models have other classes or another image shape.
    """
    candidate = open_model(artifact, options=EngineOptions(isolation=isolation))
    options = EngineOptions(kernels=_kernels(candidate.contract), isolation=isolation)
    theirs = contract or (read_contract(against) if isolation else contract_of_reference(against, candidate.contract))
    contract = candidate.contract
    if theirs.labels != contract.labels:
        raise ArrayError(
            f"{artifact} and {against} have different classes: {', '.join(contract.labels)} and"
            f" {', '.join(theirs.labels)}; give the right file with --against"
        )
    # The artifact first: images that do not fit are refused before Keras is imported.
    check_output_kind(candidate, str(artifact))
    ours = candidate.run(samples.images)
    reference = open_model(against, options=options, contract=theirs)
    check_output_kind(reference, str(against))
    expected = reference.run(samples.images)
    figures = compare(expected, ours, samples.labels, contract.labels)
    gate = with_demands(gate_of(contract, 1 - figures.keras_accuracy.value), demands)
    name = dataset or contract.dataset
    published = contract.recipe in RECIPES and name in DATASETS
    judgement = judge(
        gate,
        images=figures.images,
        flips=len(figures.flips),
        probability_error=figures.max_probability_error,
        drop=figures.accuracy_drop,
        strict=(gate if published else demands).limits(),
    )
    exceeded = judgement.missed
    inaccurate = describe_inaccuracy(reference, samples, expected, gate.min_accuracy, figures.artifact_accuracy)
    if inaccurate:
        agrees = "" if exceeded else f"agrees with {engine_title(against)}, but "
        exceeded = (*exceeded, f"{agrees}neither is accurate: {inaccurate}")
    names = artifact.name, against.name, file_digest(against), name, split, contract.precision
    return Verification(*names, gate=gate, missed=exceeded, comparison=figures, undecided=judgement.undecided)


def _kernels(contract: Contract) -> Kernels:
    """Return the LiteRT kernels to compare with: those whose rounding the C code has."""
    if contract.kernels == "reference":
        return "reference"
    return "xnnpack" if contract.kernels == "xnnpack" else "auto"


def gate_of(contract: Contract, errors: float = 0.0) -> Gate:
    """Return the gate of an artifact: of its recipe and precision, or the default one; C must be exact.

    That of a foreign model is scaled by the share of its reference's errors. The contract has the expected accuracy.
    """
    if contract.format == "c":
        gate = EXACT
    elif contract.recipe in RECIPES:
        gate = default_gate(contract.precision, get_recipe(contract.recipe).gates)
    else:
        gate = scaled(default_gate(contract.precision, {}), errors)
    return with_demands(gate, Gate(min_accuracy=contract.expected_accuracy))


def report_path(artifact: Path) -> Path:
    """Return the path of an artifact's verification report."""
    return artifact.with_name(f"{artifact.name}.verify.json")


def write_report(verification: Verification, artifact: Path) -> Path:
    """Write the report beside the artifact and return its path."""
    return write_whole(report_path(artifact), json.dumps(verification.to_dict(), indent=1) + "\n")


def verify(
    artifact: AnyPath,
    *,
    against: AnyPath | None = None,
    split: str = "test",
    data: AnyPath | None = None,
    data_dir: AnyPath | None = None,
    demands: Gate | None = None,
    isolate: bool = False,
) -> Verification:
    """Compare an artifact with its reference on every image of a split; mirrors `edgedigits verify`.

    A missed gate is not an error here; it is listed in the result's `missed`.

    Args:
        artifact: a `.onnx` or `.tflite` file, or a folder of C.
        against: the `.keras`, `.onnx` or float `.tflite` file that it was made of; None looks beside the artifact. C is
            compared with the `.tflite` inside it.
        split: "train", "validation" or "test".
        data, data_dir: dataset, and the folder to look in first; None for the one that the contract names.
        demands: limits that replace those of the artifact's recipe and precision, if they are not None.
        isolate: run both in separate processes with limits, for untrusted files.

    Raises:
        EdgedigitsError: see verify_artifact.
    """
    check_split(split)
    path = find_model(artifact)
    reference = find_reference(path) if against is None else find_given_reference(os.fspath(against))
    if reference.suffix == ".keras":
        require_keras()
    options = DataOptions.of(data, data_dir)
    if isolate:
        # To find out how a file without a contract is fed, it would be opened in this process.
        own, contract = read_contract(path), read_contract(reference)
    else:
        own = contract_of(path)
        contract = contract_of_reference(reference, own)
    # A foreign model's data are found from the artifact, since the .tflite in a folder of C may come from elsewhere.
    foreign = own.data is not None and own.training is None
    splits = splits_of_model(*((own, path) if foreign else (contract, reference)), options)
    demands, isolation = demands or Gate(), Isolation() if isolate else None
    found = verify_artifact(
        path, reference, splits.named(split), split, demands=demands, dataset=options.dataset,
        isolation=isolation, contract=contract,
    )  # fmt: skip
    return dataclasses.replace(found, data_notes=splits.notes)
