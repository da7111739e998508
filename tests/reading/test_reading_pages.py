"""Numbers and pages through all stages, with the shipped model."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import SCENES


def page(text: str, *, step: int = 100, line: int = 140, slant: float = 0.0) -> NDArray[np.uint8]:
    """Return lines of digits, bright on black."""
    rows = text.split("\n")
    width = step * max(map(len, rows)) + 60
    ink = np.zeros((line * len(rows) + 100 + int(abs(slant) * width), width), np.uint8)
    for y, row in enumerate(rows):
        for x, digit in enumerate(row):
            drawn = draw_digit(int(digit), np.random.default_rng([y, x]), size=96)
            top, left = 30 + line * y + int(slant * x * step) + max(0, int(-slant * width)), 30 + step * x
            place = ink[top : top + 96, left : left + 96]
            np.maximum(place, drawn, out=place)
    return ink


@pytest.mark.parametrize("text", ["7", "2468", "35\n802", "0123\n5678\n2330", "8\n5\n3"])
@pytest.mark.parametrize("invert", [False, True])
def test_pages_are_read_in_reading_order(reader: Reader, text: str, invert: bool) -> None:
    ink = page(text)
    assert reader.read(255 - ink if invert else ink).text == text


@pytest.mark.parametrize("dark", [0, 1])
def test_lines_of_either_polarity_are_read_in_reading_order(reader: Reader, dark: int) -> None:
    picture = 255 - page("2468\n350\n802")
    band = picture[20 + 140 * dark : 140 + 140 * dark]
    band[:] = 255 - band
    assert reader.read(picture).text == "2468\n350\n802"
    assert reader.read(255 - picture).text == "2468\n350\n802"


@pytest.mark.parametrize("dark_first", [False, True])
def test_a_dark_tile_beside_a_light_one_is_read_with_it(reader: Reader, dark_first: bool) -> None:
    picture = 255 - page("28")
    half = picture[:, :130] if dark_first else picture[:, 130:]
    half[:] = 255 - half
    assert reader.read(picture).text == "28"


@pytest.mark.parametrize("name", ["form with dark fields", "paper on a blackboard"])
def test_photos_of_both_polarities_are_read_in_reading_order(reader: Reader, name: str) -> None:
    options = PageOptions(
        width=800, height=600, lines=(3, 3), digits=(3, 4), digit_height=(70.0, 110.0), styles="school"
    )
    drawn = draw_page(np.random.default_rng(1), options, SCENES[name])
    assert reader.read(drawn.picture).text == drawn.text


@pytest.mark.parametrize("text", ["25\n83", "3\n8", "58\n2\n33"])
def test_lines_close_together_are_not_one_digit(reader: Reader, text: str) -> None:
    assert reader.read(page(text, step=76, line=96)).text == text


@pytest.mark.parametrize("slant", [-0.15, 0.15])
def test_slanted_lines_are_read_in_order(reader: Reader, slant: float) -> None:
    assert reader.read(page("2538\n6205", slant=slant)).text == "2538\n6205"


def test_operators_between_digits_are_not_read(reader: Reader) -> None:
    ink = page("3 8 5".replace(" ", "1"))
    ink[:, 130:230] = ink[:, 330:430] = 0
    ink[76:81, 160:205] = 255
    ink[58:98, 180:185] = 255
    ink[76:81, 350:400] = 255
    trace = reader.trace(ink)
    assert trace.reading.text == "385"
    assert trace.why == ("", "operator shape", "", "as flat as a minus", "")


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1), np.uint8),
        np.full((1, 1), 255, np.uint8),
        np.arange(256, dtype=np.uint8)[np.newaxis],
        np.full((300, 300), 255, np.uint8),
        (np.random.default_rng(1).random((1200, 1200)) < 0.25) * np.uint8(255),
        np.kron(np.indices((300, 300)).sum(axis=0) % 2, np.ones((2, 2))).astype(np.uint8) * 255,
    ],
    ids=["pixel", "white pixel", "row", "all white", "a quarter million specks", "dither"],
)
def test_pictures_without_digits_are_empty(reader: Reader, picture: NDArray[np.uint8]) -> None:
    assert reader.read(picture).text == ""


@pytest.mark.slow
def test_mnist_images_are_one_digit_each(reader: Reader, mnist: Dataset) -> None:
    images = mnist.test.images[:500]
    expected = reader.classifier.predict(images).argmax(axis=1)
    wide = Reader(reader.classifier, min_confidence=0.0)
    read = [wide.read(image).text for image in images]
    assert np.mean([text == str(digit) for text, digit in zip(read, expected, strict=True)]) >= 0.998
