"""From MODEL to an artifact: calibrate, convert, prove, embed the contract, record golden vectors."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgedigits.data.dataset import Samples
from edgedigits.data.splits import Splits
from edgedigits.model_files import (
    DEFAULT_MODEL,
    SHIPPED,
    check_shipped,
    find_keras,
    open_model,
    read_contract_file,
    shipped_names,
)
from edgedigits.training.confidence import with_confidence
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.training.run_folder import newest_run
from edgedigits.verification.verify import Verification, report_path, verify_artifact, write_report
from edgedigits_exporters import FOLDER_EXPORTERS, PRECISIONS, Exporter, ExportOptions, get_exporter
from edgedigits_exporters.calibration import COUNT, Calibration, choose_balanced
from edgedigits_exporters.census import Census, take_census
from edgedigits_exporters.embedding import embed_contract
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import DataNotFound, ExportError, GateMissed, UnknownName
from edgedigits_runtime.golden import golden_path, write_golden
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.samples import mnist_like
from edgedigits_runtime.whole_files import whole_file, write_whole

SYNTHETIC_SEED = 11

NOT_IN_NAMES = re.compile(r"[/\\:*?\"<>|\0\ud800-\udfff]+")
"""What no file's name may hold: separators, what Windows refuses besides, and halves of characters."""


@dataclass(frozen=True)
class ExportRequest:
    """What `edgedigits export` can be told.

    Args:
        model: MODEL; None is the newest finished run under `runs/`, else `base`.
        format: a name of edgedigits_exporters.FORMATS.
        precision: one of PRECISIONS; None is the format's usual one.
        out: the file or folder to write; None chooses a name in the run folder, or in the working folder.
        verify: whether to compare with Keras on the test split before the file gets its name.
        data: where the dataset for calibration and verification is.
        contract: for a model file without one.
        kernels, project: of C; see edgedigits_exporters.options.FolderOptions.
        force: replace a folder that stands there.
        engine, npm_package: of web; None is the usual one. See edgedigits_exporters.options.FolderOptions.
    """

    model: str | Path | None = None
    format: str = "tflite"
    precision: str | None = None
    out: Path | None = None
    verify: bool = True
    data: DataOptions = DataOptions()
    contract: Path | None = None
    kernels: Literal["xnnpack", "reference"] = "xnnpack"
    project: str = "plain"
    force: bool = False
    engine: str | None = None
    npm_package: Path | None = None


@dataclass(frozen=True)
class Exported:
    """What an export made.

    Attributes:
        path: the artifact, a file or a folder.
        contract: as embedded in it; None in a C array of a foreign model.
        verification: None where it was not compared.
        census: which operators compute in which type; None where a shipped file was handed out.
        notes: what the user should know, a line each.
    """

    path: Path
    contract: Contract | None
    verification: Verification | None = None
    census: Census | None = None
    notes: tuple[str, ...] = ()


def export_model(request: ExportRequest) -> Exported:
    """Make an artifact, a file or a folder; see export_file and folder_exporting.export_folder.

    Raises:
        ExportError: an option belongs to another format.
    """
    if request.engine is not None and request.format != "web":
        raise ExportError(f"--engine says what runs a page; --format {request.format} has no choice")
    if request.project != "plain" and request.format != "c":
        raise ExportError(f"--project says how C is laid out; --format {request.format} has no choice")
    if request.kernels != "xnnpack" and request.format not in ("c", "web"):
        raise ExportError(f"--kernels says whose rounding C has; --format {request.format} has no choice")
    if request.npm_package is not None and request.engine != "onnxruntime-web":
        raise ExportError("--npm-package is for --format web --engine onnxruntime-web")
    if request.format in FOLDER_EXPORTERS:
        # Imports this module.
        from edgedigits.folder_exporting import export_folder

        return export_folder(request)
    return export_file(request)


def export_file(request: ExportRequest) -> Exported:
    """Make an artifact that is a file; it gets its name only once it is proven.

    Raises:
        UnknownName, ExportError: about the request.
        ArtifactError: MODEL cannot be used.
        MissingExtra: the [train] extra is needed and not installed.
        ConversionFailed, GraphUnsupported: the converter failed.
        GateMissed: the export does not decide as Keras did; the report stands beside where it would have been.
        OutputNotWritable: the file could not be written.
    """
    exporter = get_exporter(request.format)
    precision = request.precision or exporter.DEFAULT_PRECISION
    if precision not in PRECISIONS:
        raise UnknownName("precision", precision, PRECISIONS)
    model = default_model() if request.model is None else request.model
    if request.out is not None and request.out.suffix != exporter.SUFFIX and not request.out.is_dir():
        raise ExportError(f"expected --out to end in {exporter.SUFFIX}, or to be a folder; got {request.out}")
    if request.contract is None and str(model) in shipped_names() and _is_shipped(str(model), exporter, precision):
        return _copy_shipped(str(model), exporter, request.out)
    return _convert(find_keras(model), exporter, precision, request)


def default_model() -> str | Path:
    """Return what is exported where no MODEL is named: the newest run's, or the usual shipped one."""
    run = newest_run()
    return run.path if run else DEFAULT_MODEL


def default_path(source: Path, name: str, ending: str) -> Path:
    """Return where an artifact goes that no path is named for.

    Args:
        source: what it is made of: it goes beside that, and into the working folder if that is a shipped file.
        name: what the model calls itself. Models of strangers may call themselves "../..", so that a plain file name
            is made of it.
        ending: of the file's or folder's name.
    """
    plain = NOT_IN_NAMES.sub("-", name).lstrip(" .-") or "model"
    return (Path() if source.parent == SHIPPED else source.parent) / f"{plain}{ending}"


def _is_shipped(name: str, exporter: Exporter, precision: str) -> bool:
    """Whether that very file is ready."""
    shipped = SHIPPED / f"{name}{exporter.SUFFIX}"
    return shipped.is_file() and read_contract(shipped).precision == precision


def _copy_shipped(name: str, exporter: Exporter, out: Path | None) -> Exported:
    """Hand out a shipped file as it is; it was verified when it was made."""
    shipped = check_shipped(SHIPPED / f"{name}{exporter.SUFFIX}")
    path = _path(out, Path(shipped.name))
    write_whole(path, shipped.read_bytes())
    report_path(path).unlink(missing_ok=True)  # It would be of what stood there before.
    if golden_path(shipped).is_file():
        write_whole(golden_path(path), check_shipped(golden_path(shipped)).read_bytes())
    return Exported(path, read_contract(shipped), notes=(f"the shipped {name}, as it is",))


def _convert(source: Path, exporter: Exporter, precision: str, request: ExportRequest) -> Exported:
    contract = read_contract_file(request.contract) if request.contract else read_contract(source)
    load_keras()  # Say that the extra is missing before any work, and not from within the child process.
    notes: list[str] = []
    splits = _splits(contract, source, request.data, notes)
    calibration = _calibration(contract, splits, request.data, notes) if precision == "int8" else None
    path = _path(request.out, default_path(source, contract.name, f".{precision}{exporter.SUFFIX}"))
    with whole_file(path) as temporary:
        exporter.export(source, temporary, ExportOptions(precision, calibration, contract))
        engine = open_model(temporary)
        final, verification = engine.contract, None
        if splits is not None:
            # Quantized probabilities are coarser, so that Keras's temperature does not fit them.
            final = with_confidence(final, engine.run(splits.validation.images), splits.validation.labels)
        if splits is not None and request.verify:
            verification = _prove(temporary, path, source, splits.test, request.data)
            final = dataclasses.replace(final, accuracy=verification.accuracy(), verified=verification.summary())
        embed_contract(temporary, final)
        # Within, so that a model the reader cannot feed gets no file either.
        write_golden(Reader(Classifier(open_model(temporary))), path)
    if verification is None:
        report_path(path).unlink(missing_ok=True)
        notes.append("not verified: its contract says verified: null")
    return Exported(path, final, verification, take_census(path), tuple(notes))


def _splits(contract: Contract, source: Path, options: DataOptions, notes: list[str]) -> Splits | None:
    """Return the splits it was trained with; None, and a note, where they cannot be had."""
    try:
        return splits_of_model(contract, source, options)
    except DataNotFound as error:
        notes.append(f"no data to calibrate and verify with: {error}")
        return None


def _calibration(contract: Contract, splits: Splits | None, options: DataOptions, notes: list[str]) -> Calibration:
    """Choose from the training split where it is at hand, else draw digits."""
    if splits is not None:
        name = options.data or (contract.training.name if contract.training else "given data")
        return choose_balanced(splits.train.images, splits.train.labels, f"{name}/train")
    if contract.reader != "digits":
        raise ExportError(f"int8 needs calibration images, and {contract.name} reads no digits: {notes[-1]}")
    notes.append("calibrated on drawn digits: the training split is not at hand")
    images, labels = mnist_like(COUNT, SYNTHETIC_SEED)
    return choose_balanced(images[..., None], labels, f"drawn digits, seed {SYNTHETIC_SEED}")


def _prove(temporary: Path, path: Path, source: Path, test: Samples, options: DataOptions) -> Verification:
    """Compare with Keras on the test split; the report is written whatever it says."""
    dataset = Path(options.data).name if options.data else None
    verification = verify_artifact(temporary, source, test, "test", dataset=dataset)
    verification = dataclasses.replace(verification, artifact=path.name)
    report = write_report(verification, path)
    if not verification.passed:
        raise GateMissed(
            f"{path.name} was refused: {'; '.join(verification.missed)}; the flipped images are listed in {report};"
            " --no-verify writes the file all the same"
        )
    return verification


def _path(out: Path | None, default: Path) -> Path:
    """Return where an artifact goes: what `out` says, with the usual name in a folder."""
    if out is None:
        return default
    return out / default.name if out.is_dir() else out


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
        data, data_dir: where the dataset is; None for the one that the model was trained on, in the usual places.
        kernels, project, engine, npm_package, force: of the formats that are folders; see
            edgedigits.exporting.ExportRequest.

    Raises:
        EdgedigitsError: see edgedigits.exporting.export_file and edgedigits.folder_exporting.export_folder.
    """
    return export_model(
        ExportRequest(
            model, format, precision, out, verify, DataOptions(data, data_dir),
            kernels=kernels, project=project, force=force, engine=engine, npm_package=npm_package,
        )
    )  # fmt: skip
