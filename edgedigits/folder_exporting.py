"""From MODEL to a folder, for a microcontroller or a browser: a model file first, then the folder, compared with it."""

import dataclasses
import tempfile
from pathlib import Path

from edgedigits.data.of_model import splits_of_model
from edgedigits.exporting import Exported, ExportRequest, default_model, export_file
from edgedigits.model_files import SHIPPED, check_shipped, find_keras, read_contract_file, shipped_names
from edgedigits.verification.verify import Verification, verify_artifact
from edgedigits_exporters import FolderExporter, FolderOptions, get_folder_exporter
from edgedigits_exporters.folder import refuse_existing
from edgedigits_exporters.web import WEB_ENGINES
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
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as beside:
        model, notes = _model(request, made_of, Path(beside))
        path = request.out or _default_path(request, model, exporter)
        refuse_existing(path, replace=request.force)
        given = read_contract_file(request.contract) if request.contract else None
        options = FolderOptions(
            request.force, given, request.kernels, request.project, request.engine or "wasm", request.npm_package
        )
        verification = None
        if _is_compiled(request, model, options):
            if request.format == "web":
                require_tools()  # Say so before any work.
            if request.verify:
                verification = _compare(exporter, model, options, request, notes)
        exporter.export(model, path, options)
    contract = read_contract(path) if (path / MEMBER).is_file() else given or _own_contract(model)
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
    if request.npm_package is not None:
        raise ExportError("--npm-package is for --format web --engine onnxruntime-web")
    if request.precision not in (None, "int8"):
        raise ExportError(f"{request.format} is made of an int8 model; got --precision {request.precision}")
    return "tflite"


def _model(request: ExportRequest, made_of: str, beside: Path) -> tuple[Path, list[str]]:
    """Return the model file of a MODEL: its own, the shipped one, or one made of Keras in the folder `beside`."""
    model = default_model() if request.model is None else request.model
    suffix = f".{made_of}"
    shipped = str(model) in shipped_names()
    if shipped and (request.precision is None or made_of == "tflite"):
        return check_shipped(SHIPPED / f"{model}{suffix}"), []
    if Path(model).suffix == suffix:
        if not Path(model).is_file():
            raise ArtifactNotFound(f"no model file at {model}")
        return Path(model), []
    if is_c_export(Path(model)):
        raise ExportError(f"{model} is a C export already; export the digits.tflite in it, or what that was made of")
    if not shipped and Path(model).suffix not in ("", ".keras"):
        raise UnknownName(f"model file type to make {request.format} of", Path(model).suffix, [suffix, ".keras"])
    made = export_file(
        dataclasses.replace(request, model=find_keras(model), format=made_of, out=beside / f"model{suffix}")
    )
    return made.path, list(made.notes)


def _is_compiled(request: ExportRequest, model: Path, options: FolderOptions) -> bool:
    """Whether the model becomes C; WebAssembly that is shipped was compared when it was made."""
    if request.format == "web":
        if model.parent == SHIPPED:
            check_shipped(model.with_suffix(".wasm"))
        return options.engine == "wasm" and prebuilt_wasm(model, options) is None
    return request.format == "c"


def _compare(
    exporter: FolderExporter, model: Path, options: FolderOptions, request: ExportRequest, notes: list[str]
) -> Verification | None:
    """Compare every value of the C code with LiteRT's on the test split, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as trial:
        # First, so that a model that is not compiled is refused before data is looked for. The comparison is of the
        # plain layout; the others hold the same two files.
        folder = get_folder_exporter("c").export(
            model, Path(trial) / "c", dataclasses.replace(options, project="plain")
        )
        if find_compiler() is None:
            notes.append("not compared with LiteRT: no C compiler here; the folder's self-test does it where one is")
            return None
        contract = read_contract(folder)
        try:
            samples = splits_of_model(contract, model, request.data).test
        except DataNotFound as error:
            notes.append(f"not compared with LiteRT: {error}; the folder's self-test compares ten pictures")
            return None
        verification = verify_artifact(folder, folder / "digits.tflite", samples, "test")
    if not verification.passed:
        raise GateMissed(f"the C code of {model} was refused: {'; '.join(verification.missed)}; please report it")
    return dataclasses.replace(verification, artifact=f"{contract.name}{exporter.SUFFIX}", against=model.name)


def _own_contract(model: Path) -> Contract | None:
    try:
        return read_contract(model)
    except ContractMissing:
        return None


def _default_path(request: ExportRequest, model: Path, exporter: FolderExporter) -> Path:
    """Beside the model of a run or a person's own file; in the working folder for a shipped one."""
    contract = _own_contract(model)
    name = contract.name if contract else model.stem
    given = Path(str(request.model)) if request.model else model
    place = given if given.is_dir() else given.parent
    return (Path() if model.parent == SHIPPED else place) / f"{name}{exporter.SUFFIX}"
