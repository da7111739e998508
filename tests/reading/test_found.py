"""Boxes from the finder's outputs, and pictures in its input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.engines.finder_network import FinderNetwork
from edgedigits_runtime.errors import ArrayError, ContractInvalid
from edgedigits_runtime.finder_contract import FinderContract, parse_finder_contract
from edgedigits_runtime.reading.find import Finder
from edgedigits_runtime.reading.found import STRIDES, Floats, Found, decode
from edgedigits_runtime.reading.letterbox import letterbox

CONTRACT = FinderContract("finder", STRIDES, 320, 0.3)


def found_of(boxes: list[tuple[float, float, float, float]]) -> Found:
    scores = np.linspace(0.9, 0.5, len(boxes)).astype(np.float32)
    return Found(np.array(boxes, np.float32).reshape(-1, 4), scores, scores / np.float32(2))


def empty_outputs(height: int, width: int) -> list[Floats]:
    shapes = [(height // stride, width // stride, channels) for stride in STRIDES for channels in (2, 4)]
    return [np.full(shape, -9.0 if shape[2] == 2 else 0.0, np.float32) for shape in shapes]


class FakeNetwork(FinderNetwork):
    """Finds a digit of one size in the middle of every input, and remembers the inputs' shapes."""

    def __init__(self, side: float) -> None:
        super().__init__(CONTRACT, "known", "cpu", (), FakeNetwork)
        self.side, self.shapes = side, list[tuple[int, ...]]()

    def _run(self, pixels: np.ndarray) -> list[Floats]:
        height, width = pixels.shape[:2]
        self.shapes.append(pixels.shape)
        outputs = empty_outputs(height, width)
        outputs[0][height // 8, width // 8, 0] = 5
        outputs[1][height // 8, width // 8] = (-0.5, -0.5, np.log(self.side / 4), np.log(self.side / 4))
        return [output[None] for output in reversed(outputs)]

    def close(self) -> None:
        self.shapes.clear()


@pytest.mark.parametrize(
    ("boxes", "kept"),
    [
        ([(0, 0, 10, 10), (30, 0, 10, 10)], [0, 1]),
        ([(0, 0, 10, 10), (1, 0, 10, 10)], [0]),
        ([(0, 0, 40, 40), (5, 5, 10, 10)], [0]),
        ([(0, 0, 10, 20), (8, 0, 10, 20)], [0, 1]),
        # The second loses to the first; the third clashes with the second only.
        ([(0, 0, 10, 10), (4, 0, 10, 10), (8, 0, 10, 10)], [0, 2]),
    ],
)
def test_the_surest_of_overlapping_boxes_stays(boxes: list[tuple[float, float, float, float]], kept: list[int]) -> None:
    assert found_of(boxes).best().boxes.tolist() == [list(boxes[k]) for k in kept]


def test_nothing_is_found_where_nothing_is_warm() -> None:
    assert decode(empty_outputs(64, 96), 0.3).boxes.shape == (0, 4)


def test_a_letter_is_found_as_one() -> None:
    outputs = empty_outputs(64, 64)
    outputs[2][3, 4] = (-1.0, 2.0)
    found = decode(outputs, 0.3)
    assert found.boxes.tolist() == [[32, 24, 8, 8]]
    assert found.letter_scores[0] > 0.85 > found.scores[0]


def test_extreme_outputs_stay_finite() -> None:
    outputs = [np.full_like(output, 3e4) for output in empty_outputs(64, 64)]
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(decode(outputs, 0.3).boxes).all()


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from((320, 640)))
def test_a_letterbox_holds_the_whole_picture_and_maps_boxes_back(width: int, height: int, side: int) -> None:
    picture = np.full((height, width, 3), 7, np.uint8)
    boxed = letterbox(picture, side)
    rows, columns = boxed.pixels.shape[:2]
    assert rows % 32 == columns % 32 == 0 and max(rows, columns) <= side
    assert (boxed.pixels == 7).all()
    corner, scale = np.array(boxed.corner), np.array(boxed.scale)
    content = scale * (width, height)
    assert (corner >= 0).all() and (corner + content <= np.array([columns, rows]) + 1e-6).all()
    whole = np.array([[*corner, *content]], np.float32)
    assert np.allclose(boxed.in_picture(whole), [[0, 0, width, height]], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("size", [(700, 500), (3001, 2003), (1280, 1283)])
def test_ink_of_large_pictures_stays_in_its_place(size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    picture[400:480, 300:420] = 255
    boxed = letterbox(picture, 320)
    rows, columns = np.nonzero(boxed.pixels[..., 0] > 127)
    left, top = columns.min(), rows.min()
    ink = np.array([[left, top, columns.max() + 1 - left, rows.max() + 1 - top]], np.float32)
    assert np.abs(boxed.in_picture(ink) - [300, 400, 120, 80]).max() <= 1.01 * max(size) / 320


def test_small_pictures_get_small_inputs() -> None:
    shapes = [letterbox(np.zeros((side, side, 3), np.uint8), 320).pixels.shape[0] for side in (28, 100, 160, 4000)]
    assert shapes == [96, 256, 320, 320]


def test_boxes_are_in_pixels_of_the_picture() -> None:
    finder = Finder(FakeNetwork(40))
    found = finder.find(np.zeros((480, 640, 3), np.uint8))
    assert np.allclose(found.boxes, [[280, 200, 80, 80]])
    assert np.allclose(finder.find(np.zeros((480, 640), np.uint8)).boxes, found.boxes)


def test_small_finds_are_looked_at_again_where_the_picture_has_more_pixels() -> None:
    network = FakeNetwork(10)
    Finder(network).find(np.zeros((600, 640, 3), np.uint8))
    Finder(network).find(np.zeros((200, 200, 3), np.uint8))
    Finder(network, second_look=False).find(np.zeros((600, 640, 3), np.uint8))
    assert network.shapes == [(320, 320, 3), (608, 640, 3), (320, 320, 3), (320, 320, 3)]


@pytest.mark.parametrize("shape", [(10, 10, 4), (0, 10, 3), (10,)])
def test_other_arrays_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ArrayError):
        Finder(FakeNetwork(40)).find(np.zeros(shape, np.uint8))


def test_a_contract_survives_its_file() -> None:
    assert parse_finder_contract(CONTRACT.to_json(), "file") == CONTRACT


@pytest.mark.parametrize(
    "change",
    [
        ('"finder"', '"digits"'), ("0.3", "2"), ("320", "330"), ("32\n", "64\n"), ('"reader"', '"other"'), ("{", "["),
    ],
)  # fmt: skip
def test_other_contracts_are_refused(change: tuple[str, str]) -> None:
    with pytest.raises(ContractInvalid):
        parse_finder_contract(CONTRACT.to_json().replace(*change), "file")
