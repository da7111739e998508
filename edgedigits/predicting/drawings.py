"""What is drawn of each picture that is read: where the files go, and who draws them."""

from dataclasses import astuple, dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.sources.files import STANDARD_INPUT

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgedigits_runtime.reading.decode import PictureSource
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.results import Reading

JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
QUALITY = 90
LONGEST_STEM = 200
"""Bytes: most systems take names of 255, and what tells drawings and temporary files apart comes to them."""


@dataclass(frozen=True)
class Drawings:
    """The files to draw of one picture; None for those not asked for.

    Attributes:
        annotated: the picture with boxes, values and confidences.
        shown_input: the crops as the network took them.
        explained: every stage on one sheet.
    """

    annotated: Path | None = None
    shown_input: Path | None = None
    explained: Path | None = None

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

            kept = [astuple(box) for box, is_kept in zip(trace.candidates, trace.kept, strict=True) if is_kept]
            _save(annotate(trace.picture, trace.reading, kept), self.annotated)
        if self.shown_input:
            from edgedigits_runtime.drawing.network_input import show_input

            _save(show_input(trace, labels), self.shown_input)
        if self.explained:
            from edgedigits_runtime.drawing.explain import explain

            _save(explain(trace, labels), self.explained)
        return trace.reading


class DrawingFolders:
    """Gives the files of each picture their names: no two pictures share one, and none is a picture that is read."""

    def __init__(self, annotate: Path | None, show_input: Path | None, explain: Path | None) -> None:
        """Take the folders of each kind of drawing, None for those not asked for; they are made if missing.

        Raises:
            OutputNotWritable: a folder cannot be made.
        """
        self._folders = (annotate, show_input, explain)
        self._stems: dict[str, int] = {}
        for folder in filter(None, self._folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputNotWritable(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def drawings_of(self, name: str) -> Drawings | None:
        """Return the files to draw of the picture called `name`, or None where nothing is asked for."""
        annotate, show_input, explain = self._folders
        if not any(self._folders):
            return None
        stem = self._own_stem(name)
        suffix = ".jpg" if PurePath(name).suffix.lower() in JPEG else ".png"
        return Drawings(
            annotate and annotate / f"{stem}.annotated{suffix}",
            show_input and show_input / f"{stem}.input.png",
            explain and explain / f"{stem}.explained.png",
        )

    def _own_stem(self, name: str) -> str:
        stem = "standard-input" if name == STANDARD_INPUT else _cut(PurePath(name).stem)
        # Where the case of names is ignored, A.png and a.png would share a file.
        while (count := self._stems.get(stem.casefold(), 0)) > 0:
            self._stems[stem.casefold()] = count + 1
            stem = f"{stem}-{count + 1}"
        self._stems[stem.casefold()] = 1
        return stem


def _cut(stem: str) -> str:
    """Return the beginning of a name that fits LONGEST_STEM."""
    stem = stem[:LONGEST_STEM]
    while len(stem.encode("utf-8", "surrogatepass")) > LONGEST_STEM:
        stem = stem[:-1]
    return stem


def _save(image: "Image", path: Path) -> None:
    from edgedigits_runtime.whole_files import whole_file

    with whole_file(path) as temporary:
        if path.suffix == ".jpg":
            image.save(temporary, "JPEG", quality=QUALITY)
        else:
            image.save(temporary, "PNG", compress_level=4)
