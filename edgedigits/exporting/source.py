"""The file that an artifact is made of, its data, and the default path of the artifact."""

import re
from functools import cached_property
from pathlib import Path

from edgedigits.data.splits import Splits
from edgedigits.model_files import (
    DEFAULT_MODEL,
    SHIPPED,
    AnyPath,
    as_path,
    check_shipped,
    contract_of,
    find_keras,
    refuse_unimported,
    shipped_names,
)
from edgedigits.recipes.gates import Gate
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.training.run_folder import newest_run
from edgedigits.verification.verify import Verification, verify_artifact
from edgedigits_exporters.conversion import CALIBRATION_IMAGES, CalibrationSet, choose_balanced
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines import is_c_export
from edgedigits_runtime.errors import ArtifactNotFound, ContractMissing, DataNotFound, ExportError, UnknownName
from edgedigits_runtime.golden import golden_path
from edgedigits_runtime.preprocessing import as_batch
from edgedigits_runtime.synthetic.samples import mnist_like

SYNTHETIC_SEED = 11

NOT_IN_NAMES = re.compile(r"[/\\:*?\"<>|\0\ud800-\udfff]+")
"""Characters that a file name must not contain: separators, those that Windows refuses, and surrogates."""


def default_model() -> AnyPath:
    """Return the MODEL that is exported if none is named: the newest run, else the default shipped model."""
    run = newest_run()
    return run.path if run else DEFAULT_MODEL


def find_source(model: AnyPath, suffixes: tuple[str, ...], precision: str | None) -> Path:
    """Return a MODEL's file: of a shipped name with the first suffix and a precision (None for any), else `.keras`.

    Raises:
        ExportError: MODEL is a C export.
        ArtifactUnsupported: it has to be imported first.
        UnknownName: it is a file of another type, or neither a shipped name nor a path.
        ArtifactNotFound: no such file.
    """
    if str(model) in shipped_names():
        return find_shipped(model, suffixes[0], precision) or find_keras(model)
    path = as_path(model, "a shipped name, a run folder or a model file")
    if is_c_export(path):
        raise ExportError(f"{model} is a C export; export its digits.tflite, or the model that it was made of")
    # The name of a run folder may have a dot in it.
    if path.is_dir() or path.suffix in ("", ".keras"):
        return find_keras(model)
    refuse_unimported(path)
    known = dict.fromkeys((*suffixes, ".keras", ".onnx"))
    if path.suffix == ".tflite" and path.suffix not in suffixes:
        raise ExportError(
            f"{model} is a .tflite file, which is not converted any more; export it with --format c, c-array or web"
            " (--engine wasm); for another precision or for onnx, export the model that it was made of"
        )
    if path.suffix not in known:
        raise UnknownName("model file type for this format and engine", path.suffix, known)
    if not path.is_file():
        raise ArtifactNotFound(f"no model file at {path}")
    return check_shipped(path)


def find_shipped(model: AnyPath, suffix: str, precision: str | None) -> Path | None:
    """Return the file of a shipped model with a suffix and a precision, or None; see check_shipped for errors."""
    path = SHIPPED / f"{model}{suffix}"
    if suffix == ".keras" or str(model) not in shipped_names() or not path.is_file():
        return None
    for file in (path, path.with_suffix(".wasm"), golden_path(path)):
        if file.is_file():
            check_shipped(file)
    return path if precision in (None, read_contract(path).precision) else None


def default_path(source: Path, name: str, ending: str) -> Path:
    """Return the default path of an artifact: beside its source, or in the working folder if that is shipped.

    The model's name becomes a plain file name, since an untrusted model may have the name "../..".
    """
    plain = NOT_IN_NAMES.sub("-", name).lstrip(" .-") or "model"
    return (Path() if source.parent == SHIPPED else source.parent) / f"{plain}{ending}"


def own_contract(path: Path) -> Contract | None:
    """Return the contract inside a file; None for a foreign model."""
    try:
        return read_contract(path)
    except ContractMissing:
        return None


def contracts_of(source: Path, needed: bool) -> tuple[Contract | None, Contract | None]:
    """Return a source's contract, and the same again if it was deduced: then the exporter has to be given it.

    Raises:
        ContractMissing: it is `needed`, the file has none, and what it states is not enough.
        ArtifactError: the file cannot be used.
    """
    own = own_contract(source)
    if own is not None or not needed:
        return own, None
    deduced = contract_of(source)
    return deduced, deduced


class SourceData:
    """The dataset that a source was trained on, loaded on first use; notes for the user, and why nothing is proven."""

    def __init__(
        self, contract: Contract | None, source: Path, options: DataOptions, expect_accuracy: float | None = None
    ) -> None:
        self.notes: list[str] = []
        self.unproven = ""
        self.expect_accuracy = expect_accuracy
        self._contract, self._source, self._options = contract, source, options

    @cached_property
    def _found(self) -> Splits | DataNotFound:
        if self._contract is None:
            return DataNotFound(f"{self._source} has no contract, which names the dataset")
        try:
            splits = splits_of_model(self._contract, self._source, self._options)
        except DataNotFound as error:
            return error
        self.notes.extend(splits.notes)
        return splits

    def load(self) -> None:
        """Load the dataset before a conversion, which takes longer; one that is not found is an error later.

        Raises:
            DataError: it cannot be used, or has other sizes than the model.
        """
        if isinstance(self._found, Splits) and self._contract is not None:
            as_batch(self._found.test.images[:1], self._contract.image_shape)

    @property
    def splits(self) -> Splits:
        """The splits; raises DataNotFound if the dataset is unknown or missing."""
        if isinstance(self._found, DataNotFound):
            raise self._found
        return self._found

    def verify(self, artifact: Path, reference: Path, contract: Contract | None) -> Verification:
        """Compare two models on the test split; see verify_artifact and `splits`."""
        test, demands = self.splits.test, Gate(min_accuracy=self.expect_accuracy)
        return verify_artifact(
            artifact, reference, test, "test", demands=demands, dataset=self._options.dataset, contract=contract
        )

    def calibration_set(self) -> CalibrationSet:
        """Choose images of the training split; draw digits, and add a note, if it is missing."""
        try:
            train = self.splits.train
            if len(train) == 0:
                raise DataNotFound("the data have too few pictures to set some apart for calibration")
        except DataNotFound as error:
            if self._contract is None or self._contract.reader != "digits":
                raise ExportError(f"int8 needs calibration images of the training split: {error}") from error
            self.notes.append(f"calibrated on synthetic digits, without training images: {error.brief or error}")
            images, labels = mnist_like(CALIBRATION_IMAGES, SYNTHETIC_SEED)
            return choose_balanced(images[..., None], labels, f"drawn digits, seed {SYNTHETIC_SEED}")
        name = self._options.data or (self._contract.dataset if self._contract else "given data")
        return choose_balanced(train.images, train.labels, f"{name}/train")
