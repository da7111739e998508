"""Sources of an import: which files are taken as they are, and which are converted first."""

from pathlib import Path

from edgedigits_runtime.errors import ArtifactUnsupported

AS_THEY_ARE = (".keras", ".onnx", ".tflite")
HDF5 = (".h5", ".hdf5")


def as_model_file(source: Path, between: Path) -> tuple[Path, list[str]]:
    """Return a `.keras`, `.onnx` or `.tflite` file of a source, and notes; converted files go into `between`.

    Raises:
        ArtifactError: the source cannot be used.
        MissingExtra: a package is not installed.
    """
    is_saved_model = (source / "saved_model.pb").is_file()
    if source.is_file() and source.suffix in AS_THEY_ARE:
        return source, []
    if not is_saved_model and source.suffix not in HDF5:
        raise ArtifactUnsupported(
            f"{source}: expected a {', '.join((*AS_THEY_ARE, *HDF5))} file, or the folder of a SavedModel"
        )
    raise NotImplementedError(between)
