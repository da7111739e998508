"""Drawings of readings: annotated pictures, contact sheets and explanations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgedigits.loading import load
from edgedigits_runtime.drawing.annotate import CAPTION, MOST_PIXELS, SMALLEST, annotate, outline_digits
from edgedigits_runtime.drawing.canvas import DOUBTFUL, SURE, fitted, printable, shortened, text_width
from edgedigits_runtime.drawing.contact_sheet import Cell, contact_sheet
from edgedigits_runtime.drawing.explain import explain
from edgedigits_runtime.drawing.network_input import MOST_CELLS, crop_cells, hidden_crops, network_input_sheet
from edgedigits_runtime.reading.results import Digit, Reading, Trace
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
LABELS = tuple("0123456789")


def reading_of(*digits: Digit, text: str | None = None) -> Reading:
    text = "".join(digit.label for digit in digits) if text is None else text
    return Reading("a.png", text, digits, "base", "litert", "cpu", ("XNNPACK",), {"total": 1.0})


def digit_at(x: int, y: int, width: int, height: int, confidence: float = 0.99) -> Digit:
    return Digit(7, "7", confidence, (x, y, width, height), (("7", confidence),))


def colours(image: Image.Image) -> set[str]:
    counted = image.getcolors(image.width * image.height) or []
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in counted}  # type: ignore[misc]


@pytest.fixture(scope="module")
def trace() -> Trace:
    return load().trace(EXAMPLES / "5-white-on-black-28x28.png")


def many(trace: Trace, count: int) -> Trace:
    """Repeat the first crop, every third one rejected and less confident."""
    kept = np.arange(count) % 3 > 0
    confidences = np.tile(trace.confidences[:1], (count, 1)) * np.where(kept, 1, 0.4)[:, np.newaxis].astype(np.float32)
    return trace._replace(
        candidates=trace.candidates[:1] * count,
        framed=np.tile(trace.framed[:1], (count, 1, 1, 1)),
        confidences=confidences,
        kept=kept,
        why=tuple("" if one else "as flat as a minus" for one in kept),
    )


def test_small_picture_is_scaled_up() -> None:
    drawn = annotate(np.full((28, 28, 1), 255, np.uint8), reading_of(digit_at(4, 4, 20, 20)))
    assert SMALLEST / 2 < drawn.width <= SMALLEST
    assert SURE in colours(drawn)


def test_small_digit_in_large_picture_stays_legible() -> None:
    drawn = annotate(np.full((2400, 3200, 3), 255, np.uint8), reading_of(digit_at(100, 100, 15, 20)))
    assert drawn.width > 3000 and SURE in colours(drawn)


def test_low_confidence_has_another_colour() -> None:
    picture = np.full((100, 200, 3), 255, np.uint8)
    drawn = annotate(picture, reading_of(digit_at(20, 20, 30, 50), digit_at(90, 20, 30, 50, confidence=0.6)))
    assert {SURE, DOUBTFUL} <= colours(drawn)
    assert DOUBTFUL not in colours(annotate(picture, reading_of(digit_at(20, 20, 30, 50))))


def test_boxes_of_reduced_picture() -> None:
    picture, reading = np.full((100, 100, 1), 255, np.uint8), reading_of(digit_at(400, 400, 400, 400))
    assert annotate(picture, reading, [(40, 40, 40, 40)]).size == annotate(
        picture, reading_of(digit_at(40, 40, 40, 40))
    ).size  # fmt: skip


def test_picture_without_digit_has_caption() -> None:
    picture = np.full((700, 700, 1), 200, np.uint8)
    drawn = annotate(picture, reading_of())
    assert drawn.size == (700, 700 + CAPTION)
    assert np.ptp(np.asarray(drawn)[-CAPTION:]) > 0


@given(
    st.integers(1, 3000), st.integers(1, 3000),
    st.tuples(*[st.floats(0, 1)] * 4), st.integers(0, 3),
)  # fmt: skip
def test_drawing_size_is_bounded(width: int, height: int, box: tuple[float, ...], count: int) -> None:
    x, y = int(box[0] * (width - 1)), int(box[1] * (height - 1))
    digit = digit_at(x, y, 1 + int(box[2] * (width - x - 1)), 1 + int(box[3] * (height - y - 1)))
    # One pixel's memory, because only sizes matter.
    picture = np.broadcast_to(np.uint8(255), (height, width, 1))
    drawn = annotate(picture, reading_of(*[digit] * count))
    assert drawn.width >= min(width, 160) and drawn.height > CAPTION
    assert drawn.width * drawn.height < MOST_PIXELS + 600 * max(drawn.size)


def test_outlined_digits_fit_available_space() -> None:
    picture = np.full((300, 100, 3), 255, np.uint8)
    marked = outline_digits(picture, [digit_at(10, 10, 50, 100)], 60, 60)
    assert marked.size == (20, 60) and SURE in colours(marked)


def test_sheets_of_real_picture(trace: Trace) -> None:
    sheet = explain(trace, LABELS)
    assert sheet.mode == "RGB" and min(sheet.size) > 300
    assert SURE in colours(sheet)
    assert network_input_sheet(trace, LABELS).width > 100


def test_rejected_crop_has_its_reason(trace: Trace) -> None:
    cells = crop_cells(many(trace, 4), LABELS)
    assert [cell.title.startswith("(5") for cell in cells] == [True, False, False, True]
    assert [text for text, _ in cells[0].lines][1:] == ["as flat as a minus"]
    assert cells[1].title.startswith("5  ") and cells[1].lines[0][0].startswith("#2")


def test_rejected_and_least_confident_of_many_crops_are_drawn(trace: Trace) -> None:
    crowd = many(trace, 3 * MOST_CELLS)
    cells = crop_cells(crowd, LABELS)
    assert len(cells) == MOST_CELLS and all(cell.title.startswith("(") for cell in cells)
    (note,) = hidden_crops(crowd)
    assert str(2 * MOST_CELLS) in note and str(3 * MOST_CELLS) in note
    assert explain(crowd, LABELS).width <= 1500


def test_blank_picture_is_explained(trace: Trace) -> None:
    blank = load().trace(np.full((50, 80), 255, np.uint8))
    assert explain(blank, LABELS).width > 300
    assert network_input_sheet(blank, LABELS).height > 10


def test_contact_sheet_wraps_rows() -> None:
    cell = Cell(Image.new("RGB", (10, 10)), "title", (("line", "#000000"),))
    one, twenty = contact_sheet([cell], "t"), contact_sheet([cell] * 20, "t", ["note"])
    assert twenty.width > one.width and twenty.height > 2 * (one.height - 100)
    assert contact_sheet([], "no cell").height < one.height


@given(st.text(max_size=80), st.integers(40, 400))
def test_text_is_cut_to_width(text: str, width: int) -> None:
    cut = shortened(printable(text), 14, width)
    assert text_width(cut, 14) <= width
    assert cut == printable(text) or ".." in cut


@given(st.integers(1, 400), st.integers(1, 400))
def test_fitted_image_is_enlarged_by_whole_factors(width: int, height: int) -> None:
    image = fitted(Image.new("RGB", (width, height)), 200, 150)
    assert image.width <= 200 and image.height <= 150
    if image.width > width:
        assert image.width % width == 0 and image.height % height == 0
