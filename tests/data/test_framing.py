"""Pictures of a dataset are framed as the reader frames them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edgedigits.data import framing
from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.framing import Target, frame_pictures, framed_dataset
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import ReaderKind, Tensor
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import DatasetInvalid
from edgedigits_runtime.reading.framed import fitted
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.samples import mnist_like
from tests.support.drawn_pictures import fat_digit
from tests.support.tiny_models import contract

DIGITS = Target((28, 28, 1), "digits")


class NotRun(Engine):
    """An engine of a reader that only frames."""

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        raise NotImplementedError


def reader_of(shape: tuple[int, int, int], kind: ReaderKind) -> Reader:
    fitting = contract(input=Tensor("image", (None, *shape), "float32"), reader=kind)
    return Reader(Classifier(NotRun(fitting, "cpu", ())), expect="one")


def sheet(digit: int, seed: int, size: int = 120) -> NDArray[np.uint8]:
    """Dark ink on bright paper."""
    return 255 - np.pad(draw_digit(digit, np.random.default_rng(seed), size=size), 20)


@pytest.mark.parametrize("shape", [(32, 20, 1), (28, 28, 3), (7, 9, 1)])
def test_plain_pictures_are_resized_as_the_reader_does(shape: tuple[int, int, int], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paths = []
    for number, size in enumerate([(40, 50, 3), (28, 28, 3), (300, 20, 3), (16, 16)]):
        Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(tmp_path / f"{number}.png")
        paths.append(tmp_path / f"{number}.png")
    images, notes = frame_pictures(paths, Target(shape, "plain"))
    reader = reader_of(shape, "plain")
    assert images.dtype == np.uint8 and images.shape == (4, *shape) and notes == ()
    for path, image in zip(paths, images, strict=True):
        assert np.array_equal(image, reader.framed(path)[1][0])


def test_framed_digits_stay_as_they_are() -> None:
    digits, _ = mnist_like(130, seed=4)
    images, notes = frame_pictures(digits, DIGITS)
    assert np.array_equal(images[..., 0], digits) and notes == ()
    inverted, _ = frame_pictures(255 - digits, DIGITS)
    assert np.array_equal(inverted, images)


def test_a_digit_is_framed_as_the_reader_does() -> None:
    pictures = [sheet(digit, digit) for digit in range(10)] + [fat_digit(seed) for seed in range(10)]
    images, notes = frame_pictures(pictures, DIGITS)
    reader = reader_of((28, 28, 1), "digits")
    assert notes == ()
    for picture, image in zip(pictures, images, strict=True):
        candidates = reader.framed(picture)[1]
        assert any(np.array_equal(image, candidate) for candidate in candidates)


def test_the_digit_is_taken_among_smaller_marks() -> None:
    picture = sheet(3, 1)
    dirty = np.concatenate([picture, np.full((160, 60), 255, np.uint8)], axis=1)
    dirty[20:45, 180:185] = 40
    images, notes = frame_pictures([picture, dirty], DIGITS)
    assert np.abs(images[0].astype(int) - images[1]).mean() < 2
    assert len(notes) == 1 and "1 of 2" in notes[0]


def test_pictures_without_a_digit_are_counted() -> None:
    empty = np.full((50, 60), 200, np.uint8)
    images, notes = frame_pictures([empty, sheet(1, 1), empty], DIGITS)
    assert not images[0].any() and images[1].any()
    assert len(notes) == 1 and "2 of 3" in notes[0]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(1, 4))
def test_batches_change_nothing(digits: list[int], together: int) -> None:
    pictures = [mnist_like(1, seed=digit)[0][0] if digit % 2 else sheet(digit, digit, 60) for digit in digits]
    alone = [frame_pictures([picture], DIGITS)[0][0] for picture in pictures]
    before = framing.TOGETHER
    framing.TOGETHER = together
    try:
        assert np.array_equal(frame_pictures(pictures, DIGITS)[0], alone)
    finally:
        framing.TOGETHER = before


def test_digits_are_framed_for_models_of_any_size() -> None:
    pictures = [mnist_like(1, seed=3)[0][0], sheet(4, 4, 60)]
    shape = (32, 32, 3)
    framed = fitted(frame_pictures(pictures, DIGITS)[0][..., 0], shape)
    np.testing.assert_array_equal(frame_pictures(pictures, Target(shape, "digits"))[0], framed)


def test_what_no_reader_frames_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(DatasetInvalid, match=r"a\.png"):
        frame_pictures([tmp_path / "a.png"], DIGITS)
    monkeypatch.setattr(framing, "MAX_BYTES", 2 * 784)
    with pytest.raises(DatasetInvalid, match="28x28x1"):
        frame_pictures(np.zeros((3, 28, 28, 1), np.uint8), DIGITS)


def test_a_dataset_of_another_shape_is_resized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MOST_TRAIN", 4)
    digits, labels = mnist_like(9, seed=2)
    samples = Samples(digits[..., np.newaxis], labels)
    dataset = Dataset("mnist", samples, samples, tuple("0123456789"), "digits")
    resized = framed_dataset(dataset, Target((32, 32, 3), "plain"))
    assert resized.test is not None and resized.test.images.shape == (9, 32, 32, 3)
    assert resized.train.labels.tolist() == labels[[0, 2, 5, 8]].tolist()
    assert resized.digest() == dataset.digest()
    assert "28x28x1" in resized.notes[0] and "32x32x3" in resized.notes[0]
    assert framed_dataset(dataset, DIGITS) is dataset


def test_a_target_of_a_contract() -> None:
    target = Target.of(dataclasses.replace(contract(), labels=("a",), reader="plain"))
    assert target == Target((28, 28, 1), "plain", ("a",))
