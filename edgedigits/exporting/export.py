"""Export a MODEL: find the source, convert, compare, embed the contract, write golden vectors."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from edgedigits.exporting.plan import ExportRequest, Step, describe_existing, plan
from edgedigits.exporting.source import SourceData, own_contract
from edgedigits.model_files import AnyPath, find_model, open_model, optional_path
from edgedigits.training.data_of_model import DataOptions, moved
from edgedigits.training.temperature import with_temperature
from edgedigits.verification.reference import engine_title
from edgedigits.verification.verify import Verification, report_path, write_report
from edgedigits_exporters.census import Census, take_census
from edgedigits_exporters.conversion import ConversionOptions
from edgedigits_exporters.whole_folders import whole_folder
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactUnsupported,
    DataNotFound,
    DeviceUnavailable,
    GateMissed,
)
from edgedigits_runtime.golden import golden_path, write_golden
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.untrusted.tflite_metadata import read_stated
from edgedigits_runtime.whole_files import whole_file, write_whole


@dataclass(frozen=True)
class Exported:
    """The result of an export.

    Attributes:
        path: the artifact, a file or a folder.
        contract: as embedded in it; None in a C array of a foreign model.
        precision: of the network in it.
        verification: None if it was not compared.
        census: operators by data type; None for folders and shipped files.
        notes: facts for the user, a line each.
        unproven: why it is not proven to decide as the model; empty if it is.
        replaced: the file or folder that was there before; empty if there was none.
    """

    path: Path
    contract: Contract | None
    precision: str
    verification: Verification | None = None
    census: Census | None = None
    notes: tuple[str, ...] = ()
    unproven: str = ""
    replaced: str = ""


def export(
    model: AnyPath | None = None,
    *,
    format: str = "tflite",
    precision: str | None = None,
    out: AnyPath | None = None,
    verify: bool = True,
    data: AnyPath | None = None,
    data_dir: AnyPath | None = None,
    expect_accuracy: float | None = None,
    kernels: Literal["xnnpack", "reference"] = "xnnpack",
    project: str = "plain",
    engine: str | None = None,
    npm_package: AnyPath | None = None,
    finder: AnyPath | None = None,
    beside: Sequence[AnyPath] = (),
    force: bool = False,
) -> Exported:
    """Export a model and prove the export; mirrors `edgedigits export`.

    Args:
        model: MODEL; None is the newest run under `runs/`, else "base".
        format: "onnx", "tflite", "c", "c-array" or "web".
        precision: "float32", "float16", "int8" or "dynamic"; None is int8 for tflite, float32 for onnx.
        out: the file or folder to write; None chooses a name.
        verify: compare with the model on the test split before the file gets its name; C with LiteRT, value by value.
        data, data_dir: dataset, and the folder to look in first; None for the one that the model was trained on.
        expect_accuracy: fraction 0..1 that the model and the artifact must reach; None for what the contract says.
        kernels, project: of C, kernels also of web; see microcontroller.c.COptions.
        engine, npm_package, finder: of web; see web.WebOptions.
        beside: of web: models in int8 with which a visitor can compare.
        force: replace an existing folder.

    Raises:
        EdgedigitsError: see export_model.
    """
    options = {
        "kernels": None if kernels == "xnnpack" else kernels,
        "project": None if project == "plain" else project,
        "engine": engine,
        "npm_package": optional_path(npm_package, "the file of npm pack"),
        "finder": optional_path(finder, "a finder's file"),
        "beside": tuple(find_model(other, engine="litert") for other in beside) or None,
    }
    places, target = DataOptions.of(data, data_dir), optional_path(out, "a file or folder to write")
    return export_model(
        ExportRequest(model, format, precision, target, verify, places, expect_accuracy, force, options)
    )


def export_model(request: ExportRequest) -> Exported:
    """Make an artifact; it gets its name only after it has passed the comparison with its source.

    Raises:
        UnknownName, ExportError: the request is not valid.
        ArtifactError: MODEL cannot be used.
        MissingExtra, ToolMissing: a package or a program is not installed.
        ConversionFailed, GraphUnsupported: the converter failed.
        GateMissed: the artifact differs too much from its source.
        OutputNotWritable: the artifact could not be written.
    """
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as between:
        steps, data = plan(request, Path(between))
        replaced, unproven = describe_existing(steps[-1].path), list[str]()
        for step in steps:
            made = (
                _copy_shipped(step, request.expect_accuracy)
                if step.copy
                else _make(step, data, request.verify, steps[-1].path)
            )
            # C that is exact against a file on the way says nothing about that file's source.
            unproven += [made.unproven] if made.unproven not in ("", *unproven) else []
    return dataclasses.replace(made, replaced=replaced, unproven="; ".join(unproven))


def _make(step: Step, data: SourceData, verify: bool, last: Path) -> Exported:
    """Export, compare, embed the contract and write golden vectors; a folder brings its own of these two.

    The report of a file that is refused on the way to the artifact `last` stays beside that one.
    """
    source, path, options = step.source, step.path, step.options
    converted, own = isinstance(options, ConversionOptions), options.contract or own_contract(source)
    if own and own.data and not converted:
        options = dataclasses.replace(options, contract=moved(own, source, path))
    if verify or converted:
        data.load()
    if isinstance(options, ConversionOptions) and options.precision == "int8":
        options = dataclasses.replace(options, calibration_set=data.calibration_set())
    whole = whole_file(path) if converted else whole_folder(path, replace=step.replace)
    with whole as temporary, _naming(path, temporary):
        step.format.export(source, temporary, options)
        verification = _compare(step, temporary, data, last) if verify else None
        contract = own_contract(temporary) or own
        if contract and converted:
            contract = _measured(moved(contract, source, path), temporary, verification, data)
            write_whole(temporary, step.format.with_contract(temporary.read_bytes(), contract))
            # Before the file gets its name, so that a model that the reader cannot feed is not exported.
            write_golden(Reader(Classifier(open_model(temporary))), path)
    if converted and verification is None:
        # A report of an earlier file.
        report_path(path).unlink(missing_ok=True)
    if converted and source.suffix == ".keras":
        data.notes.extend(step.format.notes(path))
    precision = contract.precision if contract and converted else _stored_precision(source, contract)
    unproven = data.unproven if verify else "--no-verify"
    if verification is not None:
        unproven = "; ".join(verification.undecided)
    elif verify and not unproven:
        unproven = "there is nothing that it can be compared with"
    census = take_census(path) if converted else None
    return Exported(path, contract, precision, verification, census, tuple(data.notes), unproven)


@contextlib.contextmanager
def _naming(path: Path, temporary: Path) -> Iterator[None]:
    """Name the artifact in errors about its temporary file, which is gone when they are read."""
    try:
        yield
    except (ArtifactCorrupt, ArtifactUnsupported) as error:
        raise type(error)(str(error).replace(str(temporary), str(path))) from error


def _stored_precision(source: Path, contract: Contract | None) -> str:
    """Return the precision of the model in a folder: a contract that was given may not state it."""
    if source.suffix == ".tflite":
        return read_stated(source.read_bytes(), str(source)).precision
    return contract.precision if contract else ""


def _compare(step: Step, artifact: Path, data: SourceData, last: Path) -> Verification | None:
    """Compare an artifact with its source on the test split; add a note if that is not possible.

    Raises:
        GateMissed: the artifact differs too much.
    """
    converted = isinstance(step.options, ConversionOptions)
    try:
        verify = partial(data.verify, contract=step.options.contract)
        verification = step.format.compare(step.source, artifact, step.options, verify)
    except (DataNotFound, DeviceUnavailable) as error:
        if data.expect_accuracy is not None:
            raise
        why = (getattr(error, "brief", "") or str(error)).replace(str(artifact), str(step.path))
        data.unproven = f"not compared with {engine_title(step.source)}: {why}"
        return None
    if verification is None:
        return None
    verification = dataclasses.replace(verification, artifact=step.path.name, against=step.source.name)
    advice = "--no-verify writes the folder anyway; if C differs from LiteRT, please report it"
    if converted:
        report = write_report(verification, step.path if verification.passed else last)
        advice = f"{report} lists the flipped images; --no-verify writes the file anyway"
    if not verification.passed:
        raise GateMissed(f"{step.path.name} was refused: {'; '.join(verification.missed)}; {advice}")
    data.notes.extend(verification.notes)
    return verification


def _measured(contract: Contract, artifact: Path, verification: Verification | None, data: SourceData) -> Contract:
    """Return the contract with temperature, threshold and accuracy of this very file."""
    # Quantized probabilities are coarser than those of the source, so its temperature does not fit them.
    with contextlib.suppress(DataNotFound):
        validation = data.splits.validation
        contract = with_temperature(contract, open_model(artifact).run_all(validation.images), validation.labels)
    if verification is None:
        return contract
    return dataclasses.replace(contract, accuracy=verification.accuracy(), verified=verification.summary())


def _copy_shipped(step: Step, expected: float | None) -> Exported:
    """Copy a shipped file, which was verified when it was made, with its golden vectors.

    Raises:
        GateMissed: it does not reach the expected accuracy.
    """
    shipped, path = step.source, step.path
    contract = read_contract(shipped)
    reached = (contract.accuracy or {}).get("top1", 0.0)
    if expected is not None and reached < expected:
        raise GateMissed(f"{shipped.name} was refused: its accuracy is {reached:.2%}, at least {expected:.2%} expected")
    write_whole(path, shipped.read_bytes())
    # A report of an earlier file.
    report_path(path).unlink(missing_ok=True)
    if golden_path(shipped).is_file():
        write_whole(golden_path(path), golden_path(shipped).read_bytes())
    return Exported(path, contract, contract.precision, notes=(f"copied the shipped {shipped.name}",))
