"""The finder as C, compared with LiteRT before its folder gets its name."""

from pathlib import Path

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.finder import compare_finder, finder_files
from edgedigits_exporters.whole_folders import whole_folder, write_folder
from edgedigits_runtime.errors import ExportError


def export_finder_code(
    model: Path, out: Path | None, size: str, kernels: Kernels = "xnnpack", *, force: bool = False, verify: bool = True
) -> Path:
    """Write a finder's int8 `.tflite` file as a folder of C; return it.

    Args:
        model: the file, or a run folder with it.
        out: the folder; None is beside the file.
        size: of the pictures, such as "320x256": width and height in pixels.
        kernels: see COptions.
        force: replace an existing folder.
        verify: compare every output value with LiteRT's over drawn pages and noise.

    Raises:
        ArtifactError, ExportError, OutputNotWritable, DeviceUnavailable: see finder_files, compare_finder.
    """
    sides = size.split("x")
    if len(sides) != 2 or not all(side.isdecimal() and len(side) <= 4 for side in sides):
        raise ExportError(f"expected a size such as 320x256, width and height in pixels; got {size!r}")
    width, height = map(int, sides)
    source = model / "finder.tflite" if model.is_dir() else model
    path = out or source.with_name("finder-c")
    files = finder_files(source, (height, width), kernels)
    with whole_folder(path, replace=force) as made:
        write_folder(made, files)
        if verify and (different := compare_finder(made, kernels)):
            raise ExportError(f"{path} was refused: {different:,} values differ from LiteRT's; please report it")
    return path
