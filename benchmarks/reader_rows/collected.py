"""Rows of the collected pictures: wild-dev, wild-dev-2, hands and scenes-dev of EDGEDIGITS_DATA."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.reader_rows.row import Row, share_row
from edgedigits.data import hands
from edgedigits.data.characters import MAY_BE_DIGITS
from edgedigits.data.description import ENVIRONMENT
from edgedigits.data.labelled_pictures import LabelledPicture, read_labelled
from edgedigits.verification.alignment import align
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import Reading

EXCLUDED = ("hard to read", "operator")
PHOTO, SHEET = "photo", 100
"""Kind of a photo; a label with at least this many digits is a sheet of its own."""


def collected_rows(reader: Reader) -> Iterator[Row]:
    """Yield the rows of wild-dev and wild-dev-2."""
    first, second = pictures_of("wild-dev"), pictures_of("wild-dev-2")
    yield _exact("wild-dev, single digits", 99.5, reader, first, lambda label: len(label) == 1)
    yield _exact("wild-dev-2, single digits", 99.0, reader, second, lambda label: len(label) == 1)
    photos = [picture for picture in first if picture.kind == PHOTO]
    yield _exact("photos of one digit", 99.5, reader, photos, lambda label: len(label) == 1)
    both = first + second
    yield _exact("several digits, exact", 95.0, reader, both, lambda label: 1 < len(label) < SHEET)
    yield _exact("without a digit, read as nothing", 95.0, reader, both, lambda label: not label)
    for picture in (picture for picture in both if len(_label(picture)) >= SHEET):
        pairs = align(tuple(_label(picture)), tuple(_text(reader.read(picture.path))))
        true = [pair for pair in pairs if pair[0] is not None]
        right = sum(pair[0] == pair[1] for pair in true)
        yield Row("a sheet of 12 rows of 10 digits, digits", 100 * right / len(true), 98.33, right=right, of=len(true))


def scene_rows(reader: Reader) -> Iterator[Row]:
    """Yield the rows of scenes-dev."""
    pictures = pictures_of("scenes-dev")
    sheets = [picture for picture in pictures if picture.kind != "form"]
    yield _exact("sheets on desks, single digits", 98.0, reader, sheets, lambda label: len(label) == 1)
    yield _exact("sheets on desks, numbers exact", 90.0, reader, sheets, lambda label: len(label) > 1)
    forms = [picture for picture in pictures if picture.kind == "form"]
    grounds = _grounds("scenes-dev")
    for ground in sorted({grounds[form.name] for form in forms}):
        alike = [form for form in forms if grounds[form.name] == ground]
        yield _exact(f"forms, {ground}, exact", 90.0, reader, alike, bool)


def character_rows(reader: Reader) -> Iterator[Row]:
    """Yield the rows of hands: photographed digits and letters."""
    pictures = hands.load_pictures()
    read = [(name, *name.split("-")[:2], _text(reader.read(pixels))) for name, pixels in pictures.items()]
    yield share_row("hands, digits", 95.9, [(name, text == true) for name, kind, true, text in read if kind == "digit"])
    letters = [(name, true, not text) for name, kind, true, text in read if kind != "digit"]
    clear = [(name, nothing) for name, true, nothing in letters if true not in MAY_BE_DIGITS]
    yield share_row("hands, clear letters, read as nothing", 74.0, clear)


def without_digit() -> list[Path]:
    """Return the pictures of wild-dev and wild-dev-2 without a digit."""
    return [picture.path for name in ("wild-dev", "wild-dev-2") for picture in pictures_of(name) if not picture.label]


def _exact(
    name: str, target: float, reader: Reader, pictures: Sequence[LabelledPicture], chosen: Callable[[str], bool]
) -> Row:
    of = [picture for picture in pictures if chosen(_label(picture))]
    return share_row(name, target, [(each.name, _text(reader.read(each.path)) == _label(each)) for each in of])


def _folder(name: str) -> Path:
    return Path(os.environ.get(ENVIRONMENT, "")) / name


def pictures_of(name: str) -> list[LabelledPicture]:
    pictures = read_labelled(_folder(name))
    return [picture for picture in pictures if not any(word in picture.note.casefold() for word in EXCLUDED)]


def _grounds(name: str) -> dict[str, str]:
    with (_folder(name) / "labels.csv").open(newline="", encoding="utf-8-sig") as file:
        return {row["file"]: row["ground"] for row in csv.DictReader(file)}


def _label(picture: LabelledPicture) -> str:
    return "".join(picture.label.split())


def _text(reading: Reading) -> str:
    return "".join(digit.label for digit in reading.digits)
