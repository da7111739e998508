"""From MODEL to a folder, for a microcontroller or a browser: a model file first, then the folder, compared with it."""

import dataclasses
import tempfile
from pathlib import Path

from edgedigits.exporting import Exported, ExportRequest, default_model, default_path, export_file
from edgedigits.model_files import SHIPPED, check_shipped, find_keras, read_contract_file, shipped_names
from edgedigits.training.data_of_model import splits_of_model
from edgedigits.verification.verify import Verification, verify_artifact
from edgedigits_exporters import FolderExporter, FolderOptions, get_folder_exporter
from edgedigits_exporters.folder import refuse_existing
from edgedigits_exporters.web import WEB_ENGINES
from edgedigits_exporters.web.onnxruntime_engine import package_files
from edgedigits_exporters.web.webassembly import prebuilt_wasm, require_tools
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import MEMBER, read_contract
from edgedigits_runtime.engines import is_c_export
from edgedigits_runtime.engines.compiled_c import find_compiler
from edgedigits_runtime.errors import (
    ArtifactNotFound,
    ContractMissing,
    DataNotFound,
    ExportError,
    GateMissed,
    UnknownName,
)

COMPARES_ITSELF = {
    "c": "the folder's self-test compares ten pictures",
    "web": "the page compares five drawn digits when it opens",
}
"""What there is beside the comparison that could not be made."""


def export_folder(request: ExportRequest) -> Exported:
    """Make a folder; it gets its name only once every value is LiteRT's, where a C compiler is at hand.

    Raises:
        UnknownName, ExportError: about the request.
        ArtifactError: MODEL cannot be used, or holds what is not compiled.
        GateMissed: the model file does not decide as Keras does, or C does not answer as the `.tflite` does.
        OutputNotWritable: the folder exists, or could not be written.
    """
    made_of = _made_of(request)
    exporter = get_folder_exporter(request.format)
    source = _source(request, f".{made_of}")
    given = read_contract_file(request.contract) if request.contract else None
    named = given or _own_contract(source)
    path = request.out or default_path(source, named.name if named else source.stem, exporter.SUFFIX)
    refuse_existing(path, replace=request.force)
    options = FolderOptions(
        request.force,
        # What comes of a conversion has other tensors than the contract that is given for it, and one of its own.
        None if source.suffix == ".keras" else given,
        request.kernels,
        request.project,
        request.engine or "wasm",
        request.npm_package,
    )
    compiled = _is_compiled(request.format, source, options)
    if request.format == "web":
        _require(compiled, options)
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as beside:
        model, notes = _model(request, source, Path(beside) / f"model.{made_of}")
        verification = None
        if compiled and request.verify:
            verification = _compare(exporter, model, source, options, request, notes)
        exporter.export(model, path, options)
        contract = read_contract(path) if (path / MEMBER).is_file() else options.contract or _own_contract(model)
    return Exported(path, contract, verification, notes=tuple(notes))


def _made_of(request: ExportRequest) -> str:
    """Return the format of the model file that is needed.

    Raises:
        UnknownName, ExportError: the options do not go together.
    """
    if request.engine not in (None, *WEB_ENGINES):
        raise UnknownName("engine of a page", str(request.engine), WEB_ENGINES)
    if request.engine == "onnxruntime-web":
        return "onnx"
    if request.precision not in (None, "int8"):
        raise ExportError(f"{request.format} is made of an int8 model; got --precision {request.precision}")
    return "tflite"


def _source(request: ExportRequest, suffix: str) -> Path:
    """Return what a folder is made of: MODEL's own or the shipped file of that type, or a `.keras` file to convert."""
    model = default_model() if request.model is None else request.model
    if str(model) in shipped_names():
        ready = request.precision is None or suffix == ".tflite"
        return check_shipped(SHIPPED / f"{model}{suffix}") if ready else find_keras(model)
    path = Path(model)
    if is_c_export(path):
        raise ExportError(f"{model} is a C export already; export the digits.tflite in it, or what that was made of")
    # The name of a run folder may have a dot in it.
    if path.is_dir() or path.suffix in ("", ".keras"):
        return find_keras(model)
    if path.suffix != suffix:
        raise UnknownName(f"model file type to make {request.format} of", path.suffix, [suffix, ".keras"])
    if not path.is_file():
        raise ArtifactNotFound(f"no model file at {path}")
    return path


def _is_compiled(format: str, source: Path, options: FolderOptions) -> bool:
    """Whether the model becomes C; WebAssembly that is shipped was compared when it was made."""
    if format != "web" or options.engine != "wasm":
        return format == "c"
    if source.parent == SHIPPED:
        check_shipped(source.with_suffix(".wasm"))
    return source.suffix == ".keras" or prebuilt_wasm(source, options) is None


def _require(compiled: bool, options: FolderOptions) -> None:
    """Refuse a page whose tools are missing, before any work.

    Raises:
        ToolMissing, ExportError: clang, or onnxruntime-web.
    """
    if compiled:
        require_tools()
    if options.engine == "onnxruntime-web":
        package_files(options.npm_package)


def _model(request: ExportRequest, source: Path, made: Path) -> tuple[Path, list[str]]:
    """Return the model file, and what is to be said of it: the source itself, or `made` of Keras."""
    if source.suffix != ".keras":
        return source, []
    exported = export_file(dataclasses.replace(request, model=source, format=made.suffix[1:], out=made))
    return exported.path, list(exported.notes)


def _compare(
    exporter: FolderExporter,
    model: Path,
    source: Path,
    options: FolderOptions,
    request: ExportRequest,
    notes: list[str],
) -> Verification | None:
    """Compare every value of the C code with LiteRT's on the test split, in a folder that is thrown away.

    The source may stand in a run folder, which knows its data.
    """
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as trial:
        # First, so that a model that is not compiled is refused before data is looked for. The comparison is of the
        # plain layout; the others hold the same two files.
        folder = get_folder_exporter("c").export(
            model, Path(trial) / "c", dataclasses.replace(options, project="plain")
        )
        if find_compiler() is None:
            notes.append(f"not compared with LiteRT: no C compiler here; {COMPARES_ITSELF[request.format]}")
            return None
        contract = read_contract(folder)
        try:
            samples = splits_of_model(contract, source, request.data).test
        except DataNotFound as error:
            notes.append(f"not compared with LiteRT: {error}; {COMPARES_ITSELF[request.format]}")
            return None
        verification = verify_artifact(folder, folder / "digits.tflite", samples, "test")
    if not verification.passed:
        raise GateMissed(f"the C code of {source} was refused: {'; '.join(verification.missed)}; please report it")
    return dataclasses.replace(verification, artifact=f"{contract.name}{exporter.SUFFIX}", against=model.name)


def _own_contract(model: Path) -> Contract | None:
    try:
        return read_contract(model)
    except ContractMissing:
        return None
