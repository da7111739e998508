"""Learning one person's hand: what is taken from a folder, what is refused, and that the model gets better."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.own_hand import odd_picture, write_pictures
from edgedigits.loading import load
from edgedigits.model_files import SHIPPED
from edgedigits.training import fine_tune
from edgedigits.training.fine_tune import BATCH, FineTuneOptions, find_source, mixed_order
from edgedigits.training.own_pictures import LEAST, OwnPictures, find_own_pictures, own_pictures_sheet
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ArtifactUnsupported, DatasetInvalid, EdgedigitsError, RunError, UnknownName
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.handwriting import draw_digit
from tests.conftest import RunCommand

LABELS = tuple("0123456789")


@pytest.fixture(scope="module")
def bold() -> Reader:
    """Base, that takes every mark which has the shape of a digit."""
    return load(min_confidence=0.0)


def picture(digit: int, seed: int, count: int = 1, size: int = 100) -> NDArray[np.uint8]:
    """Draw a photo of one digit, written several times in a row."""
    rng = np.random.default_rng(seed)
    return 255 - np.hstack([np.pad(draw_digit(digit, rng, size=size), 20) for _ in range(count)])


def save(folder: Path, digit: int, pixels: NDArray[np.uint8], name: str) -> None:
    (folder / str(digit)).mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / str(digit) / f"{name}.png")


def found(folder: Path, reader: Reader, seed: int = 0) -> OwnPictures:
    return find_own_pictures(folder, LABELS, reader, seed)


def test_several_digits_in_pictures_of_any_size_are_taken(tmp_path: Path, bold: Reader) -> None:
    for digit in (3, 8):
        for number in range(5):
            save(tmp_path, digit, picture(digit, number, count=1 + number % 3, size=60 + 40 * number), str(number))
    own = found(tmp_path, bold)
    assert len(own.train) + len(own.held_out) == 2 * (1 + 2 + 3 + 1 + 2)
    assert own.train.images.shape[1:] == (28, 28, 1)
    for part in (own.train, own.held_out):
        assert set(part.labels.tolist()) == {3, 8}
    assert "18 digits in 10 pictures" in own.summary
    seen = {image.tobytes() for image in own.train.images}
    assert not seen & {image.tobytes() for image in own.held_out.images}
    again = found(tmp_path, bold)
    assert np.array_equal(own.train.images, again.train.images)


def test_few_large_pictures_are_divided_digit_by_digit(tmp_path: Path, bold: Reader) -> None:
    save(tmp_path, 5, picture(5, 1, count=8), "page")
    own = found(tmp_path, bold)
    assert (len(own.train), len(own.held_out)) == (6, 2)


def test_what_is_left_out_has_a_reason(tmp_path: Path, bold: Reader) -> None:
    for number in range(LEAST):
        save(tmp_path, 2, picture(2, number), str(number))
    save(tmp_path, 2, picture(2, 0), "copy")
    save(tmp_path, 2, np.full((60, 60), 255, np.uint8), "empty")
    (tmp_path / "2" / "notes.txt").write_text("no picture")
    own = found(tmp_path, bold)
    problems = {photo.path.name: photo.problem for photo in own.photos if photo.problem}
    assert set(problems) == {"copy.png", "empty.png", "notes.txt"}
    assert "2/0.png" in problems["copy.png"]
    assert "3 pictures left out" in own.summary
    sheet = own_pictures_sheet(own, "sheet")
    assert sheet.mode == "RGB" and sheet.width > 300


def test_too_few_digits_are_refused_with_the_least(tmp_path: Path, bold: Reader) -> None:
    for number in range(LEAST - 1):
        save(tmp_path, 2, picture(2, number), str(number))
    with pytest.raises(DatasetInvalid, match=f"at least {LEAST}.*'2' has {LEAST - 1}"):
        found(tmp_path, bold)


def test_other_classes_are_refused(tmp_path: Path, bold: Reader) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "1").mkdir()
    with pytest.raises(DatasetInvalid, match="cat"):
        found(tmp_path, bold)
    with pytest.raises(DatasetInvalid, match="sub-folder"):
        found(tmp_path / "1", bold)


def test_half_of_each_batch_is_own_and_classes_are_balanced() -> None:
    own = np.array([0] * 90 + [7] * 10, np.int64)
    order = mixed_order(own, 1_000, 50, np.random.default_rng(0)).reshape(50, BATCH)
    mine = order < len(own)
    assert (mine.sum(axis=1) == BATCH // 2).all()
    assert 0.4 < (own[order[mine]] == 7).mean() < 0.6
    assert order.max() < len(own) + 1_000


def test_a_source_must_be_trainable_and_read_digits(tmp_path: Path) -> None:
    with pytest.raises(ArtifactUnsupported, match="tflite"):
        find_source(str(SHIPPED / "base.tflite"))
    with pytest.raises(UnknownName):
        find_source("nobody")
    file, contract = find_source("base")
    assert file.suffix == ".keras" and contract.name == "base"


def test_out_is_checked_before_pictures_are_read(tmp_path: Path) -> None:
    from rich.console import Console

    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunError, match="not empty"):
        fine_tune.prepare_fine_tuning(FineTuneOptions("base", "nowhere", out=tmp_path), Console(quiet=True))
    with pytest.raises(EdgedigitsError, match="seed"):
        fine_tune.prepare_fine_tuning(FineTuneOptions("base", "nowhere", seed=-1), Console(quiet=True))


@pytest.mark.parametrize(
    "more", [("--recipe", "pico"), ("--epochs", "3"), ("--seed", "1", "--seed", "2"), ("--reader", "plain")]
)
def test_options_of_other_trainings_are_refused(run_here: RunCommand, more: tuple[str, ...]) -> None:
    assert "--from" in run_here("train", "--from", "base", "--data", "x", *more, check=2).stderr
    assert "--data" in run_here("train", "--from", "base", check=2).stderr


@pytest.mark.slow
@pytest.mark.usefixtures("mnist")
def test_fifty_pictures_teach_an_odd_hand(
    run_here: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tune, "EPOCHS", 1)
    monkeypatch.setattr(fine_tune, "STEPS", 60)
    monkeypatch.setattr(fine_tune, "NON_DIGITS", 100)
    monkeypatch.setattr(fine_tune, "NON_DIGITS_TESTED", 100)
    write_pictures("drawn-50", tmp_path / "mine")
    done = run_here("train", "--from", "pico", "--data", "mine", "--out", "run")
    assert "epoch 1/1" in done.stdout and "MNIST test" in done.stdout
    run = RunFolder(tmp_path / "run")
    rows = json.loads((run.path / fine_tune.TABLE).read_text())["rows"]
    assert [row["count"] for row in rows] == [10, 10_000, 100]
    assert rows[1]["after"]["value"] > 0.96
    contract, source = read_contract(run.model), find_source("pico")[1]
    assert (contract.labels, contract.recipe, contract.reader) == (source.labels, "pico", "digits")
    assert contract.name == "pico-own" and contract.training and contract.training.name == "mnist"
    fresh = [(digit, odd_picture(digit, np.random.default_rng([digit, 9]))) for digit in range(10) for _ in range(5)]
    right = []
    for model in ("pico", run.path):
        with load(model) as reader:
            right.append(sum(reader.read(pixels).text == str(digit) for digit, pixels in fresh))
    assert right[1] > right[0]
    assert "cannot be resumed" in run_here("train", "--resume", "run", check=1).stderr
    assert "not empty" in run_here("train", "--from", "pico", "--data", "mine", "--out", "run", check=1).stderr
    assert "passed" in run_here("export", "run", "--format", "tflite").stdout


@pytest.mark.slow
def test_photos_in_digit_folders_are_framed_and_a_network_at_chance_is_not_written(
    run_here: RunCommand, tmp_path: Path
) -> None:
    for digit in range(3):
        for number in range(16):
            save(tmp_path / "mine", digit, picture(digit, number, size=60 + 10 * number), str(number))
    train = ("train", "--data", "mine", "--recipe", "nano", "--epochs", 1)
    failed = run_here(*train, "--out", "run", check=1)
    assert "has not learned" in failed.stderr
    run = RunFolder(tmp_path / "run")
    assert not run.model.exists() and run.read_config().reader == "digits"
    assert "has not learned" in run_here("train", "--resume", "run", check=1).stderr
