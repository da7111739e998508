"""Sources of an import: which files are taken as they are, and which are converted first."""

from pathlib import Path

from edgedigits.importing.onnx_source import with_one_output
from edgedigits_runtime.errors import ArtifactUnsupported

AS_THEY_ARE = (".onnx", ".tflite")
KERAS = (".keras", ".h5", ".hdf5")


def as_model_file(source: Path, between: Path) -> tuple[Path, list[str]]:
    """Return a `.keras`, `.onnx` or `.tflite` file of a source, and notes; changed files go into `between`.

    Raises:
        ArtifactError, ConversionFailed, GateMissed: the source cannot be used; see to_keras and saved_model_to_onnx.
        MissingExtra: a package is not installed.
    """
    if source.is_file() and source.suffix in AS_THEY_ARE:
        file = between / source.name
        output = with_one_output(source, file) if source.suffix == ".onnx" else None
        return (source, []) if output is None else (file, [f"of its outputs, {output!r} is used"])
    is_folder = (source / "saved_model.pb").is_file()
    if not is_folder and not (source.is_file() and source.suffix in KERAS):
        known = ", ".join((*KERAS, *AS_THEY_ARE))
        raise ArtifactUnsupported(f"{source}: expected a {known} file, or the folder of a SavedModel")
    from edgedigits.importing.keras_source import is_keras_3, to_keras
    from edgedigits.importing.saved_model import saved_model_to_onnx, states_layers
    from edgedigits_exporters.keras_backend import require_keras

    require_keras()
    if source.suffix == ".keras" and is_keras_3(source):
        return source, []
    if is_folder and not states_layers(source):
        file = between / f"{source.name}.onnx"
        made = saved_model_to_onnx(source, file)
    else:
        file = between / f"{source.stem}.keras"
        made = to_keras(source, file)
    compared = f"converted to {file.suffix}: equals {made.loaded_with} on {made.inputs} inputs ({made.difference:.1g})"
    return file, [compared, *made.notes]
