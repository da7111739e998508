"""The pictures in examples/ match their names and the generator."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks.example_pictures import draw_examples, main
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
PICTURES = sorted(path.name for path in EXAMPLES.iterdir() if path.suffix in (".png", ".jpg"))


def labels() -> dict[str, str]:
    with (EXAMPLES / "labels.csv").open(newline="") as file:
        return {row["file"]: row["label"] for row in csv.DictReader(file)}


def test_labels_name_every_picture_and_cover_every_digit() -> None:
    assert sorted(labels()) == PICTURES
    assert set(labels().values()) == set("0123456789")
    assert all(name.startswith(f"{label}-") for name, label in labels().items())


def test_pictures_are_many_and_small_in_both_formats() -> None:
    assert len(PICTURES) >= 12
    assert {Path(name).suffix for name in PICTURES} == {".png", ".jpg"}
    assert sum((EXAMPLES / name).stat().st_size for name in PICTURES) < 600_000


@pytest.mark.parametrize(
    ("name", "mode", "size"),
    [
        ("2-print-cmyk.jpg", "CMYK", (260, 300)),
        ("2-transparent-sketch.png", "RGBA", (200, 240)),
        ("5-white-on-black-28x28.png", "L", (28, 28)),
        ("6-small-in-a-big-photo.jpg", "RGB", (1200, 900)),
        ("7-tiny-20x20.png", "L", (20, 20)),
        ("8-fax-1-bit.png", "1", (200, 200)),
        ("8-scan-16-bit.png", "I;16", (180, 220)),
        ("9-poster-palette.png", "P", (240, 240)),
    ],
)
def test_mode_and_size_match_name(name: str, mode: str, size: tuple[int, int]) -> None:
    with Image.open(EXAMPLES / name) as picture:
        assert (picture.mode, picture.size) == (mode, size)


def test_transparency_and_16_bits_are_used() -> None:
    with Image.open(EXAMPLES / "2-transparent-sketch.png") as sketch:
        assert sketch.getchannel("A").getpixel((0, 0)) == 0
        assert sketch.getchannel("A").getextrema() == (0, 255)
    with Image.open(EXAMPLES / "8-scan-16-bit.png") as scan:
        assert np.asarray(scan).max() > 50_000


def test_exif_orientation_rotates_picture() -> None:
    with Image.open(EXAMPLES / "7-turned-by-exif.jpg") as picture:
        assert picture.size == (400, 300)
        assert ImageOps.exif_transpose(picture).size == (300, 400)


def test_pictures_match_generator() -> None:
    drawn = draw_examples()
    assert sorted(drawn) == sorted([*PICTURES, "labels.csv"])
    assert drawn["labels.csv"].decode() == (EXAMPLES / "labels.csv").read_text()
    for name in PICTURES:
        with Image.open(EXAMPLES / name) as kept, Image.open(io.BytesIO(drawn[name])) as new:
            assert (new.mode, new.size, new.format) == (kept.mode, kept.size, kept.format)
            old_pixels, new_pixels = (np.asarray(picture.convert("RGBA"), float) for picture in (kept, new))
        # Releases of Pillow differ slightly in codecs and filters; a changed digit differs much more.
        assert np.abs(old_pixels - new_pixels).mean() < 0.5, f"{name}: draw examples/ again"


def test_command_writes_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["examples", str(tmp_path / "new")])
    main()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted([*PICTURES, "labels.csv"])
