"""A reader with a finder: from found boxes to readings, with a finder and an engine whose answers are known."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits_runtime.reading.found import Found
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import FinderEngine
from edgedigits_runtime.synthetic.samples import mnist_like
from edgedigits_runtime.timing import WITH_FINDER
from tests.reading.test_judge import found
from tests.reading.test_reader import asked, contract, reader

DIGITS, _ = mnist_like(4, seed=3)
PAGE = np.full((90, 200), 230, np.uint8)
for _k, _digit in enumerate(DIGITS[:3]):
    PAGE[30:58, 20 + 60 * _k : 48 + 60 * _k] = 230 - (_digit * 0.8).astype(np.uint8)


def box_of(k: int) -> tuple[int, int, int, int]:
    """Return the box of one digit of PAGE."""
    rows, columns = np.nonzero(DIGITS[k])
    return 20 + 60 * k + int(columns.min()), 30 + int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


@dataclass
class KnownFinder:
    """A finder that finds the same in every picture, and stores what it was asked."""

    answer: Found
    asked: list[NDArray[np.uint8]] = field(default_factory=list)
    engine: FinderEngine = FinderEngine("known-finder", "known", "cpu", ("Known",))
    closed: bool = False

    def find(self, pixels: NDArray[np.uint8]) -> Found:
        self.asked.append(pixels)
        return self.answer

    def heat(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.full(pixels.shape[:2], 77, np.uint8)

    def close(self) -> None:
        self.closed = True


def reader_with(*boxes: tuple[int, int, int, int], **options: object) -> tuple[Reader, KnownFinder]:
    finder = KnownFinder(found(boxes, [0.95] * len(boxes)))
    return reader(finder=finder, **options), finder


def test_found_digits_are_framed_and_read_in_order() -> None:
    known, finder = reader_with(box_of(2), box_of(0), box_of(1))
    reading = known.read(PAGE)
    assert reading.text == "444"
    assert [digit.box for digit in reading.digits] == [box_of(0), box_of(1), box_of(2)]
    assert all(digit.confidence <= 0.9 + 1e-6 for digit in reading.digits)
    trace = known.trace(PAGE)
    assert trace.kept.all() and trace.candidates == [box_of(0), box_of(1), box_of(2)]
    for framed, digit in zip(trace.framed[..., 0], DIGITS, strict=False):
        assert np.abs(framed.astype(int) - digit).max() <= 3
    assert trace.ink.shape == (90, 200) and (trace.ink == 77).all()
    assert trace.scores is not None and np.allclose(trace.scores, [[0.95, 0.01]] * 3)
    assert reading.finder == finder.engine
    assert list(reading.ms) == [*WITH_FINDER, "total"] and all(reading.ms.values())
    assert finder.asked[0].shape == (90, 200, 1)


@pytest.mark.parametrize("invert", [False, True])
def test_a_framed_digit_is_read_without_the_finder(invert: bool) -> None:
    known, finder = reader_with()
    picture = 255 - DIGITS[3] if invert else DIGITS[3]
    reading = known.read(picture)
    assert (reading.text, reading.finder) == ("4", None)
    assert np.array_equal(asked(known)[0][0, ..., 0], DIGITS[3] / np.float32(255))
    assert finder.asked == []


def test_nothing_found_is_read_as_nothing() -> None:
    known, _ = reader_with()
    assert known.read(PAGE).text == "" and asked(known) == []
    empty, _ = reader_with((2, 2, 12, 18))
    assert empty.read(PAGE).text == "" and asked(empty) == []


def test_expectation_and_length_reach_the_judge() -> None:
    boxes = [box_of(k) for k in range(3)]
    assert reader_with(*boxes, expect="one")[0].read(PAGE).text == "4"
    reading = reader_with(*boxes, length=2)[0].read(PAGE)
    assert reading.text == "44" and "2 were expected" in reading.note


def test_many_pictures_are_read_as_each_alone() -> None:
    known, _ = reader_with(box_of(0), box_of(1))
    pictures = [PAGE, DIGITS[3], PAGE[:, :100], 255 - DIGITS[3]]
    texts = [getattr(reading, "text", None) for reading in known.read_many(pictures)]
    assert texts == [known.read(picture).text for picture in pictures] == ["44", "4", "44", "4"]


def test_one_piece_of_ink_in_a_picture_of_its_size_needs_no_finder() -> None:
    known, finder = reader_with()
    shifted = np.roll(DIGITS[3], (3, 2), (0, 1))
    trace = known.trace(255 - shifted)
    assert trace.reading.text == "4" and finder.asked == [] and trace.scores is None
    rows, columns = np.nonzero(shifted)
    assert trace.boxes == ((columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1),)
    two = np.zeros((28, 28), np.uint8)
    two[4:24, 3:10] = two[4:24, 18:25] = 255
    known.read(two)
    assert len(finder.asked) == 1


def test_a_model_of_another_size_and_colour_is_served() -> None:
    known, _ = reader_with(box_of(0), box_of(1), model=contract(shape=(32, 40, 3)))
    assert known.read(PAGE).text == "44" and asked(known)[0].shape == (2, 32, 40, 3)


def test_a_model_of_plain_pictures_has_no_finder() -> None:
    known, finder = reader_with(box_of(0), model=contract(reader="plain"))
    assert known.finder is None and known.read(PAGE).text == "4" and finder.asked == []


def test_letters_are_shown_with_the_reason_and_not_classified_for_a_reading() -> None:
    what = found([box_of(0), box_of(1)], [0.95, 0.2], [0.01, 0.9])
    finder = KnownFinder(what)
    known = reader(finder=finder)
    assert known.read(PAGE).text == "4" and len(asked(known)[0]) == 1
    trace = known.trace(PAGE)
    assert trace.reading.text == "4" and trace.why == ("", "looks like a letter")
    assert trace.scores is not None and np.allclose(trace.scores[1], [0.2, 0.9])
    assert "finder" in str(trace.to_dict())
    known.close()
    assert finder.closed
