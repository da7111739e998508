"""Export a MODEL: find the source, convert, compare, embed the contract, write golden vectors."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgedigits.exporting.source import SourceData, default_model, default_path, find_shipped, find_source
from edgedigits.model_files import open_model, read_contract_file
from edgedigits.training.data_of_model import DataOptions
from edgedigits.training.temperature import with_temperature
from edgedigits.verification.verify import Verification, report_path, verify_artifact, write_report
from edgedigits_exporters import Format, FormatOptions, get_format, make_options
from edgedigits_exporters.census import Census, take_census
from edgedigits_exporters.conversion import ConversionOptions
from edgedigits_exporters.whole_folders import refuse_existing, whole_folder
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ContractMissing, DataNotFound, DeviceUnavailable, ExportError, GateMissed
from edgedigits_runtime.golden import golden_path, write_golden
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.whole_files import whole_file, write_whole


@dataclass(frozen=True)
class ExportRequest:
    """Arguments of an export.

    Args:
        model: MODEL; None is the newest finished run under `runs/`, else `base`.
        format: a name of edgedigits_exporters.FORMATS.
        precision: one of conversion.PRECISIONS; None is the format's default.
        out: the file or folder to write; None chooses a name in the run folder, or in the working folder.
        verify: whether to compare with the source before the artifact gets its name.
        data: dataset for calibration and verification.
        contract: JSON file, for a model file without a contract.
        force: replace an existing folder.
        options: the format's own options by name; those that are None keep their default.
    """

    model: str | Path | None = None
    format: str = "tflite"
    precision: str | None = None
    out: Path | None = None
    verify: bool = True
    data: DataOptions = DataOptions()
    contract: Path | None = None
    force: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """The result of an export.

    Attributes:
        path: the artifact, a file or a folder.
        contract: as embedded in it; None in a C array of a foreign model.
        verification: None if it was not compared.
        census: operators by data type; None for folders and shipped files.
        notes: facts for the user, a line each.
    """

    path: Path
    contract: Contract | None
    verification: Verification | None = None
    census: Census | None = None
    notes: tuple[str, ...] = ()


def export(
    model: str | Path | None = None,
    *,
    format: str = "tflite",
    precision: str | None = None,
    out: Path | None = None,
    verify: bool = True,
    data: str | None = None,
    data_dir: Path | None = None,
    kernels: Literal["xnnpack", "reference"] = "xnnpack",
    project: str = "plain",
    engine: str | None = None,
    npm_package: Path | None = None,
    force: bool = False,
) -> Exported:
    """Export a model and prove the export; mirrors `edgedigits export`.

    Args:
        model: MODEL; None is the newest run under `runs/`, else "base".
        format: "onnx", "tflite", "c", "c-array" or "web".
        precision: "float32", "float16", "int8" or "dynamic"; None is int8 for tflite, float32 for onnx.
        out: the file or folder to write; None chooses a name.
        verify: compare with Keras on the test split before the file gets its name; C with LiteRT, value by value.
        data, data_dir: dataset, and the folder to look in first; None for the one that the model was trained on.
        kernels, project: of C, kernels also of web; see microcontroller.c.COptions.
        engine, npm_package: of web; see web.WebOptions.
        force: replace an existing folder.

    Raises:
        EdgedigitsError: see export_model.
    """
    options = {
        "kernels": None if kernels == "xnnpack" else kernels,
        "project": None if project == "plain" else project,
        "engine": engine,
        "npm_package": npm_package,
    }
    return export_model(
        ExportRequest(model, format, precision, out, verify, DataOptions(data, data_dir), force=force, options=options)
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
    notes: list[str] = []
    model = default_model() if request.model is None else request.model
    given = read_contract_file(request.contract) if request.contract else None
    chosen = {**request.options, "precision": request.precision, "contract": given}
    format, options = get_format(request.format), make_options(request.format, chosen)
    shipped = None if given else find_shipped(model, format.SUFFIX, options.precision)
    source = shipped or find_source(model, options.made_of, options.precision)
    contract = given or _own_contract(source)
    path = _path(request, source, contract.name if contract else source.stem, format, options)
    if shipped:
        return _copy_shipped(shipped, path)
    options.require_tools(source)
    data = SourceData(contract, source, request.data)
    steps = [_Step(format, options, path)]
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as between:
        if source.suffix != options.made_of:
            name = options.made_of[1:]
            conversion = make_options(name, {"precision": options.precision, "contract": given})
            conversion.require_tools(source)
            # The converted file has a contract of its own, with other tensors than those of the given one.
            last = _Step(format, dataclasses.replace(options, contract=None), path)
            steps = [_Step(get_format(name), conversion, Path(between) / f"model{options.made_of}"), last]
        for step in steps:
            made = _make(step, source, request, data, notes)
            source = made.path
    return made


@dataclass(frozen=True)
class _Step:
    """One artifact on the way from the source to the requested format."""

    format: Format
    options: FormatOptions
    path: Path


def _make(step: _Step, source: Path, request: ExportRequest, data: SourceData, notes: list[str]) -> Exported:
    """Export, compare, embed the contract and write golden vectors; a folder brings its own of these two."""
    options, path = step.options, step.path
    converted = isinstance(options, ConversionOptions)
    if isinstance(options, ConversionOptions) and options.precision == "int8":
        options = dataclasses.replace(options, calibration_set=data.calibration_set(notes))
    with whole_file(path) if converted else whole_folder(path, replace=request.force) as temporary:
        step.format.export(source, temporary, options)
        verification = _compare(step, source, temporary, request, data, notes) if request.verify else None
        contract = _own_contract(temporary) or options.contract or _own_contract(source)
        if contract and converted:
            contract = _measured(contract, temporary, verification, data)
            step.format.embed(temporary, contract)
            # Before the file gets its name, so that a model that the reader cannot feed is not exported.
            write_golden(Reader(Classifier(open_model(temporary))), path)
    if converted and verification is None:
        # A report of an earlier file.
        report_path(path).unlink(missing_ok=True)
        notes.append("not verified: its contract has verified: null")
    return Exported(path, contract, verification, take_census(path) if converted else None, tuple(notes))


def _compare(
    step: _Step, source: Path, artifact: Path, request: ExportRequest, data: SourceData, notes: list[str]
) -> Verification | None:
    """Compare an artifact with its source on the test split; add a note if that is not possible.

    Raises:
        GateMissed: the artifact differs too much.
    """
    converted = isinstance(step.options, ConversionOptions)

    def verify(candidate: Path, reference: Path) -> Verification:
        contract = step.options.contract if converted else None
        return verify_artifact(
            candidate, reference, data.splits.test, "test", dataset=request.data.dataset, contract=contract
        )

    try:
        verification = step.format.compare(source, artifact, step.options, verify)
    except (DataNotFound, DeviceUnavailable) as error:
        notes.append(f"not compared with {'Keras' if converted else 'LiteRT'}: {error}")
        return None
    if verification is None:
        return None
    verification = dataclasses.replace(verification, artifact=step.path.name, against=source.name)
    advice = "please report it"
    if converted:
        report = write_report(verification, step.path)
        advice = f"{report} lists the flipped images; --no-verify writes the file anyway"
    if not verification.passed:
        raise GateMissed(f"{step.path.name} was refused: {'; '.join(verification.missed)}; {advice}")
    return verification


def _measured(contract: Contract, artifact: Path, verification: Verification | None, data: SourceData) -> Contract:
    """Return the contract with temperature, threshold and accuracy of this very file."""
    # Quantized probabilities are coarser than those of Keras, so its temperature does not fit them.
    with contextlib.suppress(DataNotFound):
        validation = data.splits.validation
        contract = with_temperature(contract, open_model(artifact).run(validation.images), validation.labels)
    if verification is None:
        return contract
    return dataclasses.replace(contract, accuracy=verification.accuracy(), verified=verification.summary())


def _own_contract(source: Path) -> Contract | None:
    """Return a file's contract; None for a foreign model, which only the C array accepts."""
    try:
        return read_contract(source)
    except ContractMissing:
        if source.suffix == ".keras":
            raise
        return None


def _path(request: ExportRequest, source: Path, name: str, format: Format, options: FormatOptions) -> Path:
    """Return the path of the artifact.

    Raises:
        ExportError: --out has another suffix than the format.
        OutputNotWritable: a folder exists there.
    """
    if not isinstance(options, ConversionOptions):
        path = request.out or default_path(source, name, format.SUFFIX)
        refuse_existing(path, replace=request.force)
        return path
    ready = source.suffix == format.SUFFIX
    default = Path(source.name) if ready else default_path(source, name, f".{options.precision}{format.SUFFIX}")
    if request.out is None:
        return default
    if request.out.is_dir():
        return request.out / default.name
    if request.out.suffix != format.SUFFIX:
        raise ExportError(f"expected --out to end in {format.SUFFIX}, or to be a folder; got {request.out}")
    return request.out


def _copy_shipped(shipped: Path, path: Path) -> Exported:
    """Copy a shipped file, which was verified when it was made, with its golden vectors."""
    write_whole(path, shipped.read_bytes())
    # A report of an earlier file.
    report_path(path).unlink(missing_ok=True)
    if golden_path(shipped).is_file():
        write_whole(golden_path(path), golden_path(shipped).read_bytes())
    return Exported(path, read_contract(shipped), notes=(f"copied the shipped {shipped.name}",))
