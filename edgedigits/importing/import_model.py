"""Import a foreign model: one file with its contract inside, so that every other command needs no more options."""

import dataclasses
import json
import tempfile
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from edgedigits.data import dataset_labels
from edgedigits.importing.evaluation_data import EvaluationData, load_for
from edgedigits.importing.labels import parse_labels
from edgedigits.importing.onnx_source import with_one_output
from edgedigits.model_files import as_path, facts_of, open_as
from edgedigits.training.temperature import with_temperature
from edgedigits.verification.inaccuracy import describe_inaccuracy
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract, check_stated
from edgedigits_runtime.embedded_contract import ONNX_PROPERTY, append_zipped
from edgedigits_runtime.errors import (
    ArtifactNotFound,
    ArtifactUnsupported,
    ContractInvalid,
    ContractMissing,
    DataError,
    EdgedigitsError,
    ModelInaccurate,
    OutputNotWritable,
)
from edgedigits_runtime.foreign.deduction import Deduced, deduce, shape_of
from edgedigits_runtime.foreign.facts import Facts
from edgedigits_runtime.foreign.trial import Tried
from edgedigits_runtime.golden import write_golden
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.untrusted import checked_content
from edgedigits_runtime.whole_files import whole_file, write_whole

AS_THEY_ARE = (".onnx", ".tflite")
KERAS = (".keras", ".h5", ".hdf5")
ORDER_IMAGES = 2_000
"""Images that choose between two orders of labels where nothing else had to be tried."""


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes:
        path: the file with the contract inside.
        contract: as embedded.
        tried: the normalisations that were tried on labelled images, the best first; empty if none had to be.
        accuracy: on the test part of the data; None without data.
        notes: facts for the user, a line each.
    """

    path: Path
    contract: Contract
    tried: tuple[Tried, ...]
    accuracy: Share | None
    notes: tuple[str, ...]


def import_model(
    source: str | PathLike[str],
    *,
    labels: str | tuple[str, ...] | None = None,
    data: str | PathLike[str] | None = None,
    data_dir: str | PathLike[str] | None = None,
    out: str | PathLike[str] | None = None,
    expect_accuracy: float | None = None,
    contract: str | PathLike[str] | None = None,
    force: bool = False,
) -> Imported:
    """Write a foreign model as one file with its contract; mirrors `edgedigits import`.

    Args:
        source: a `.keras`, `.h5`, `.onnx` or `.tflite` file, or the folder of a SavedModel.
        labels: names of the classes in the output's order: a tuple, or text as labels.parse_labels takes it; None for
            those in the file, else the names of the data's classes, else numbers.
        data: a dataset's name or a folder of labelled pictures; the normalisation is tried and the accuracy measured on
            it.
        data_dir: folder to look for a dataset in first.
        out: file to write; None is a name beside the source.
        expect_accuracy: fraction 0..1 that the model must reach on the data, and each export later.
        contract: JSON file with any fields of a contract, for what no file states; or the JSON itself.
        force: replace an existing file.

    Raises:
        ArtifactError: the source cannot be used.
        ContractMissing: something is not certain; the message names what to state.
        ContractInvalid: labels or contract do not fit the model.
        DataError: the data cannot be used.
        ModelInaccurate: no better than chance, or below `expect_accuracy`.
        MissingExtra: a package is not installed.
        OutputNotWritable: the file exists, or could not be written.
    """
    path = as_path(source, "a model file or a SavedModel folder")
    if not path.exists():
        raise ArtifactNotFound(f"no model at {path}")
    if expect_accuracy is not None and data is None:
        raise DataError("expected --data with --expect-accuracy, since accuracy is measured on it")
    given = _given(contract)
    named = parse_labels(labels) if isinstance(labels, str) else labels
    dataset = str(data) if data else None
    names = dataset_labels(dataset) if dataset else None
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as between:
        suffix = _suffix_of(path)
        target = _target(path, suffix, Path(out) if out else None, force)
        file, notes = _as_model_file(path, Path(between), suffix)
        facts = dataclasses.replace(facts_of(file), path=path)
        opened = partial(open_as, file)
        deduced, found = _deduce(facts, opened, given, named, names, dataset, Path(data_dir) if data_dir else None)
        fitting = dataclasses.replace(deduced.contract, name=given.get("name", path.stem))
        if expect_accuracy is not None:
            fitting = dataclasses.replace(fitting, expected_accuracy=expect_accuracy)
        share = None
        if found is not None:
            fitting, share = _measured(fitting, file, found, dataset or "", target, expect_accuracy)
            notes = [*notes, *found.notes]
        with whole_file(target) as temporary:
            write_whole(temporary, _with_contract(file, fitting))
            if target.suffix != ".keras":
                # Before the file gets its name, so that a model that the reader cannot feed is not imported.
                write_golden(Reader(Classifier(open_as(temporary, fitting))), target)
    return Imported(target, fitting, deduced.tried, share, (*notes, *deduced.notes))


def _suffix_of(source: Path) -> str:
    """Return the suffix of the file that is made of a source.

    Raises:
        ArtifactError: it is no model.
        MissingExtra: Keras or TensorFlow, which it needs, is not installed.
    """
    if source.is_file() and source.suffix in AS_THEY_ARE:
        return source.suffix
    is_folder = (source / "saved_model.pb").is_file()
    if not is_folder and not (source.is_file() and source.suffix in KERAS):
        known = ", ".join((*KERAS, *AS_THEY_ARE))
        raise ArtifactUnsupported(f"{source}: expected a {known} file, or the folder of a SavedModel")
    from edgedigits.importing.saved_model import states_layers
    from edgedigits_exporters.keras_backend import require_keras

    require_keras()
    return ".onnx" if is_folder and not states_layers(source) else ".keras"


def _as_model_file(source: Path, between: Path, suffix: str) -> tuple[Path, list[str]]:
    """Return a source as a file with a suffix, and notes; a changed file is made in `between`.

    Raises:
        ArtifactError, ConversionFailed, GateMissed: the source cannot be used; see to_keras and saved_model_to_onnx.
        MissingExtra: a package is not installed.
    """
    file = between / f"{source.stem}{suffix}"
    if source.is_file() and source.suffix in AS_THEY_ARE:
        output = with_one_output(source, file) if suffix == ".onnx" else None
        return (source, []) if output is None else (file, [f"of its outputs, {output!r} is used"])
    from edgedigits.importing.keras_source import is_keras_3, to_keras
    from edgedigits.importing.saved_model import saved_model_to_onnx
    from edgedigits_exporters.keras_backend import load_keras

    if source.suffix == ".keras" and is_keras_3(source):
        return source, []
    # The new file is opened here: importing TensorFlow takes as long here as in the child.
    made = saved_model_to_onnx(source, file) if suffix == ".onnx" else to_keras(source, file, load_keras)
    compared = f"converted to {file.suffix}: equals {made.loaded_with} on {made.inputs} inputs ({made.difference:.1g})"
    return file, [compared, *made.notes]


def _given(contract: str | PathLike[str] | None) -> dict[str, Any]:
    """Return the fields that a person states in a JSON file, or as JSON itself."""
    if contract is None:
        return {}
    try:
        fields = json.loads(str(contract) if str(contract).startswith("{") else Path(contract).read_bytes())
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"no contract at {contract}") from error
    except (OSError, ValueError) as error:
        raise ContractInvalid(f"expected JSON in {contract}: {error}") from error
    if not isinstance(fields, dict):
        raise ContractInvalid(f"expected a JSON object with fields of a contract in {contract}")
    check_stated(fields, "--contract")
    return fields


def _target(source: Path, suffix: str, out: Path | None, force: bool) -> Path:
    """Return the path of the file to write; a source is never replaced."""
    path = out or source.with_suffix(suffix)
    if out is None and path == source:
        path = source.with_name(f"{source.stem}-imported{suffix}")
    if path.is_dir():
        path = path / f"{source.stem}{suffix}"
    if path.suffix != suffix:
        raise OutputNotWritable(f"expected --out to end in {suffix}; got {path}")
    if not path.parent.is_dir():
        raise OutputNotWritable(f"no folder at {path.parent} for {path.name}; make it, or give another --out")
    if path.exists() and (path.samefile(source) or not force):
        raise OutputNotWritable(f"{path} exists; give another --out, or --force to replace it")
    return path


def _deduce(
    facts: Facts, opened: Any, given: dict[str, Any], named: tuple[str, ...] | None, names: tuple[str, ...] | None,
    data: str | None, data_dir: Path | None,
) -> tuple[Deduced, EvaluationData | None]:  # fmt: skip
    """Return the contract, and the data in the size and order that it asks for."""
    results: list[tuple[Deduced, EvaluationData | None]] = []
    problem: EdgedigitsError | None = None
    for labels, note in _orders(facts, given, named, names):
        try:
            contract, notes = shape_of(facts, given, labels)
            found = load_for(contract, data, data_dir) if data else None
            deduced = deduce(facts, contract, opened, given, found.labelled() if found else None)
        except ContractMissing as error:
            problem = problem or error
            continue
        results.append((dataclasses.replace(deduced, notes=(*note, *notes, *deduced.notes)), found))
    if not results:
        assert problem is not None
        raise problem
    return (
        max(results, key=lambda result: _share_read(result[0], result[1], opened)) if len(results) > 1 else results[0]
    )


def _share_read(deduced: Deduced, found: EvaluationData | None, opened: Any) -> float:
    """Return the share of images outside the test part that a model reads with a contract."""
    if deduced.tried or found is None:
        return deduced.tried[0].accuracy if deduced.tried else 0.0
    images = found.labelled()
    with opened(deduced.contract) as engine:
        read = engine.run(images.images[:ORDER_IMAGES]).argmax(axis=1)
    return float((read == images.labels[:ORDER_IMAGES]).mean())


def _orders(
    facts: Facts, given: dict[str, Any], named: tuple[str, ...] | None, names: tuple[str, ...] | None
) -> list[tuple[tuple[str, ...] | None, tuple[str, ...]]]:
    """Return the labels to try, each with notes: those given, or the data's names in their usual orders."""
    if named is not None or "labels" in given or facts.labels is not None or names is None:
        return [(named or (tuple(map(str, given["labels"])) if "labels" in given else None), ())]
    classes = max(2, facts.values) - (given.get("non_digit") is True)
    if len(names) != classes:
        return [(None, (f"the data's {len(names)} classes are not the model's {classes}",))]
    orders = dict.fromkeys((names, tuple(sorted(names))))
    return [(order, (f"labels: {', '.join(order)}, the data's classes",)) for order in orders]


def _measured(
    contract: Contract, file: Path, found: EvaluationData, data: str, target: Path, expected: float | None
) -> tuple[Contract, Share]:
    """Return the contract with temperature, threshold, accuracy and the data used; refuse a model at chance."""
    with open_as(file, contract) as engine:
        contract = with_temperature(contract, engine.run_all(found.validation.images), found.validation.labels)
        read = engine.run(found.test.images)
        if problem := describe_inaccuracy(engine, found.test, read, expected):
            raise ModelInaccurate(f"{contract.name} is not accurate on {data}: {problem}")
    count = len(found.test)
    share = wilson(int((read.argmax(axis=1) == found.test.labels).sum()), count)
    accuracy = {"top1": round(share.value, 6), "dataset": Path(data).name, "split": "test", "images": count}
    return dataclasses.replace(contract, accuracy=accuracy, data=found.used(target)), share


def _with_contract(file: Path, contract: Contract) -> bytes:
    if file.suffix == ".keras":
        from edgedigits_exporters.keras_file import with_contract

        return with_contract(file.read_bytes(), contract)
    content = checked_content(file)
    if file.suffix == ".tflite":
        return append_zipped(content, contract)
    from edgedigits_runtime.untrusted.onnx_model import with_data_inside, with_metadata

    return with_metadata(with_data_inside(content, file.parent), ONNX_PROPERTY, contract.to_json())
