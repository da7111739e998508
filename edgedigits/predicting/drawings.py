"""Drawings of the pictures that are read, and the names of their files."""

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.sources.files import STANDARD_INPUT
from edgedigits_runtime.whole_files import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from edgedigits_runtime.reading.decode import PictureSource
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.results import Reading

JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
QUALITY = 90
MAX_STEM = 200
"""Bytes. Most systems allow names of 255 bytes, and suffixes of drawings and temporary files are added."""


@dataclass(frozen=True)
class Drawings:
    """The files to draw for one picture; None for drawings that were not requested.

    Attributes:
        annotated: the picture with boxes, values and confidences.
        network_input: the crops as the network receives them.
        explained: every stage on one sheet.
        dumped: the bytes of what was read, as the network receives them; a second file has them as a C array.
    """

    annotated: Path | None = None
    network_input: Path | None = None
    explained: Path | None = None
    dumped: Path | None = None

    def read_and_draw(self, reader: "Reader", content: "PictureSource", name: str) -> "Reading":
        """Read a picture, write the files, and return the reading.

        Raises:
            PictureError, ArrayError: see Reader.read.
            OutputNotWritable: a file could not be written.
        """
        labels = reader.classifier.contract.labels
        trace = reader.trace(content, name=name)
        if self.annotated:
            from edgedigits_runtime.drawing.annotate import annotate

            kept = [box for box, is_kept in zip(trace.candidates, trace.kept, strict=True) if is_kept]
            _save(annotate(trace.picture, trace.reading, kept), self.annotated)
        if self.network_input:
            from edgedigits_runtime.drawing.network_input import network_input_sheet

            _save(network_input_sheet(trace, labels), self.network_input)
        if self.explained:
            from edgedigits_runtime.drawing.explain import explain

            _save(explain(trace, labels), self.explained)
        if self.dumped:
            framed = trace.framed[trace.kept]
            write_whole(self.dumped, framed.tobytes())
            write_whole(self.dumped.with_suffix(".h"), c_arrays(framed).encode())
        return trace.reading


class DrawingFolders:
    """Names the drawings: no two pictures share a file, and no input picture is overwritten."""

    def __init__(
        self, annotate: Path | None, show_input: Path | None, explain: Path | None, dump: Path | None = None
    ) -> None:
        """Make the folder of each requested drawing if it is missing.

        Raises:
            OutputNotWritable: a folder cannot be made.
        """
        self._folders = (annotate, show_input, explain, dump)
        self._stems: dict[str, int] = {}
        for folder in filter(None, self._folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputNotWritable(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def drawings_of(self, name: str) -> Drawings | None:
        """Return the files to draw for the picture called `name`, or None if no drawing is requested."""
        annotate, show_input, explain, dump = self._folders
        if not any(self._folders):
            return None
        stem = self._unique_stem(name)
        suffix = ".jpg" if PurePath(name).suffix.lower() in JPEG else ".png"
        return Drawings(
            annotate and annotate / f"{stem}.annotated{suffix}",
            show_input and show_input / f"{stem}.input.png",
            explain and explain / f"{stem}.explained.png",
            dump and dump / f"{stem}.input.bin",
        )

    def _unique_stem(self, name: str) -> str:
        stem = "standard-input" if name == STANDARD_INPUT else _truncate(PurePath(name).stem)
        # casefold: on file systems that ignore case, A.png and a.png would share a file.
        while (count := self._stems.get(stem.casefold(), 0)) > 0:
            self._stems[stem.casefold()] = count + 1
            stem = f"{stem}-{count + 1}"
        self._stems[stem.casefold()] = 1
        return stem


def _truncate(stem: str) -> str:
    stem = stem[:MAX_STEM]
    while len(stem.encode("utf-8", "surrogatepass")) > MAX_STEM:
        stem = stem[:-1]
    return stem


def c_arrays(framed: "NDArray[np.uint8]") -> str:
    """Return framed digits, uint8 [N, H, W, C], as a C array, row by row as digits_predict takes them."""
    count, size = len(framed), int(framed[:1].size)
    text = f"/* Inputs of the network, in reading order. */\n#include <stdint.h>\n\nenum {{ INPUTS = {count} }};\n"
    if not count:
        return text
    rows = ["    {" + ", ".join(map(str, digit.ravel().tolist())) + "}" for digit in framed]
    return text + f"\nstatic const uint8_t inputs[INPUTS][{size}] = {{\n" + ",\n".join(rows) + ",\n};\n"


def _save(image: "Image", path: Path) -> None:
    from edgedigits_runtime.whole_files import whole_file

    with whole_file(path) as temporary:
        if path.suffix == ".jpg":
            image.save(temporary, "JPEG", quality=QUALITY)
        else:
            image.save(temporary, "PNG", compress_level=4)
