"""Labelled pictures: a folder with `labels.csv`, or with one sub-folder for each label."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.errors import DataNotFound, DatasetInvalid, PictureNotFound
from edgedigits_runtime.sources.files import expand, natural_key

LABELS_FILE = "labels.csv"
PICTURES = "images"
NO_DIGIT_FOLDERS = ("none", "no digit", "no-digit", "nodigit")
LISTED = 3
"""Names in an error message; the rest are counted."""


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and its label.

    Attributes:
        path: of the file.
        name: its path in the folder.
        label: the digits in reading order, or the name of one class; empty if the picture has no digit.
        kind: group with figures of its own; may be empty.
        note: free text, by which pictures can be excluded; may be empty.
    """

    path: Path
    name: str
    label: str
    kind: str = ""
    note: str = ""


def read_labelled(folder: Path) -> list[LabelledPicture]:
    """Return the pictures of a folder with their labels, in the order of `labels.csv`, else of the sub-folders.

    `labels.csv` has the columns file and label, and optionally kind and note; the files are in `images/` or beside
    it. Without it, the name of each sub-folder is the label of its pictures; `none` holds pictures without a digit.

    Raises:
        DataNotFound: no such folder, no labels, or missing files.
        DatasetInvalid: labels.csv lacks a column or a value, is not UTF-8, or lists no picture.
    """
    if not folder.is_dir():
        raise DataNotFound(f"no folder at {folder}; expected labels.csv in it, or a sub-folder for each label")
    if (folder / LABELS_FILE).is_file():
        return _of_file(folder)
    pictures = list(_of_folders(folder))
    if not pictures:
        raise DataNotFound(
            f"no labels in {folder}; expected labels.csv with the columns file and label,"
            " or a sub-folder for each label, such as 0, 1, 42 and none"
        )
    return pictures


def _of_file(folder: Path) -> list[LabelledPicture]:
    file = folder / LABELS_FILE
    try:
        # Spreadsheets write a byte order mark before the first column's name.
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            columns = rows.fieldnames or ()
            if not {"file", "label"} <= set(columns):
                got = ", ".join(columns) or "none"
                raise DatasetInvalid(f"expected the columns file,label separated by commas in {file}; got {got}")
            pictures = [_of_row(folder, row, f"{file} line {rows.line_num}") for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetInvalid(f"expected {file} to be CSV in UTF-8: {error}") from error
    if not pictures:
        raise DatasetInvalid(f"expected a row for each picture in {file}; it has none")
    missing = [picture.name for picture in pictures if not picture.path.is_file()]
    if missing:
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        raise DataNotFound(
            f"pictures of {file} are missing in {folder / PICTURES} and beside it: {', '.join(missing[:LISTED])}{more}"
        )
    return pictures


def _of_row(folder: Path, row: dict[str, str | None], where: str) -> LabelledPicture:
    name, label = row["file"], row["label"]
    if not name or label is None:
        raise DatasetInvalid(
            f"expected a file and a label in {where}; got {name or 'no file'} and {label or 'no label'}"
        )
    inside = folder / PICTURES / name
    path = inside if inside.is_file() else folder / name
    return LabelledPicture(path, name, label.strip(), (row.get("kind") or "").strip(), (row.get("note") or "").strip())


def _of_folders(folder: Path) -> Iterator[LabelledPicture]:
    for child in sorted((child for child in folder.iterdir() if child.is_dir()), key=natural_key):
        if child.name.startswith("."):
            continue
        label = "" if child.name.lower() in NO_DIGIT_FOLDERS else child.name
        for source in expand([child]):
            if isinstance(source.content, Path):
                yield LabelledPicture(source.content, str(source.content.relative_to(folder)), label)
            elif not isinstance(source.error, PictureNotFound):
                raise DatasetInvalid(f"cannot read {source.name}: {source.error}")
