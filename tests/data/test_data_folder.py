"""Folders of pictures as datasets."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgedigits.data import dataset_labels, folder, folder_target, load_dataset
from edgedigits.data.folder import load_folder, natural_key
from edgedigits.data.framing import Target
from edgedigits_runtime.errors import DatasetInvalid


def draw(path: Path, value: int | tuple[int, ...] = 128, size: tuple[int, int] = (8, 6), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)
    return path


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Classes 2 and 10, with two grey pictures each."""
    for label in ("2", "10"):
        for number in (9, 11):
            draw(tmp_path / "mine" / label / f"{number}.png", int(label) + number)
    return tmp_path / "mine"


def test_sub_folders_are_classes_in_natural_order(digits):
    dataset = load_dataset(str(digits))
    assert dataset.name == "mine"
    assert dataset.labels == ("2", "10")
    assert dataset.test is None
    assert dataset.reader == "plain"
    assert dataset.train.images.shape == (4, 6, 8, 1)
    assert dataset.train.labels.tolist() == [0, 0, 1, 1]
    assert dataset.train.images[:, 0, 0, 0].tolist() == [11, 13, 19, 21]


def test_the_name_of_a_dot_is_that_of_the_folder(digits, monkeypatch):
    monkeypatch.chdir(digits)
    assert load_dataset(".").name == "mine"


def test_grey_pictures_of_any_mode_have_one_channel(digits):
    draw(digits / "2" / "rgb.png", (7, 7, 7), mode="RGB")
    draw(digits / "2" / "palette.gif", 3, mode="P")
    draw(digits / "2" / "transparent.png", (0, 0, 0, 0), mode="RGBA")
    dataset = load_folder(digits)
    assert dataset.image_shape == (6, 8, 1)
    # 9.png, 11.png, palette.gif, rgb.png, transparent.png (over white).
    assert dataset.train.images[3:5, 0, 0, 0].tolist() == [7, 255]


def test_one_coloured_picture_makes_all_rgb(digits):
    draw(digits / "2" / "red.png", (200, 0, 0), mode="RGB")
    dataset = load_folder(digits)
    assert dataset.train.images.shape == (5, 6, 8, 3)
    assert dataset.train.images[0, 0, 0].tolist() == [11, 11, 11]
    assert dataset.train.images[2, 0, 0].tolist() == [200, 0, 0]


def test_train_and_test_are_the_official_split(tmp_path):
    for part, value in (("train", 10), ("test", 20)):
        for label in ("cat", "dog"):
            draw(tmp_path / part / label / "a.png", value)
    dataset = load_folder(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert dataset.test is not None
    assert dataset.train.images[:, 0, 0, 0].tolist() == [10, 10]
    assert dataset.test.images[:, 0, 0, 0].tolist() == [20, 20]
    assert dataset.test.labels.tolist() == [0, 1]


def test_colour_in_the_test_part_makes_both_rgb(tmp_path):
    for part, value in (("train", (9, 9, 9)), ("test", (20, 0, 0))):
        for label in ("cat", "dog"):
            draw(tmp_path / part / label / "a.png", value, mode="RGB")
    assert load_folder(tmp_path).image_shape == (6, 8, 3)


def test_train_and_test_with_pictures_are_classes(tmp_path):
    draw(tmp_path / "train" / "locomotive.png")
    draw(tmp_path / "test" / "tube.png")
    assert load_folder(tmp_path).labels == ("test", "train")


def test_with_a_third_folder_train_and_test_are_classes(tmp_path):
    for part in ("train", "test", "other"):
        draw(tmp_path / part / "cat" / "a.png")
    with pytest.raises(DatasetInvalid, match="cat"):
        load_folder(tmp_path)


def test_train_and_test_with_different_classes_are_refused(tmp_path):
    for path in ("train/a", "train/b", "test/a", "test/c"):
        draw(tmp_path / path / "1.png")
    with pytest.raises(DatasetInvalid, match="b, c"):
        load_folder(tmp_path)


def test_hidden_names_and_files_beside_the_classes_are_ignored(digits):
    (digits / "README.txt").write_text("mine")
    (digits / "2" / ".DS_Store").write_bytes(b"x")
    (digits / ".git").mkdir()
    assert len(load_folder(digits).train) == 4


def test_pictures_are_rotated_upright(digits):
    exif = Image.Exif()
    exif[0x0112] = 6
    for label in ("2", "10"):
        for number in (9, 11):
            Image.new("L", (6, 8)).save(digits / label / f"{number}.png", exif=exif)
    assert load_folder(digits).image_shape == (6, 8, 1)


@pytest.mark.parametrize(("made", "found"), [([], "none"), (["single"], "'single'")])
def test_fewer_than_two_classes_are_refused(tmp_path, made, found):
    for label in made:
        draw(tmp_path / label / "a.png")
    with pytest.raises(DatasetInvalid, match=found):
        load_folder(tmp_path)


def test_an_empty_class_is_refused(digits):
    (digits / "7").mkdir()
    with pytest.raises(DatasetInvalid, match="mine/7"):
        load_folder(digits)


@pytest.mark.parametrize("content", [b"", b"just text", b"\x89PNG\r\n\x1a\n broken"])
def test_a_file_that_is_not_a_picture_is_refused(digits, content):
    (digits / "10" / "zz.png").write_bytes(content)
    with pytest.raises(DatasetInvalid, match=r"mine/10/zz\.png"):
        load_folder(digits)


def test_a_truncated_picture_is_refused(digits):
    rng = np.random.default_rng(1)
    path = digits / "10" / "photo.jpg"
    Image.fromarray(rng.integers(0, 256, (6, 8), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DatasetInvalid, match=r"photo\.jpg"):
        load_folder(digits)


def test_pictures_of_several_sizes_are_resized_to_that_of_most(digits):
    draw(digits / "10" / "wide.png", (200, 0, 0), size=(19, 6), mode="RGB")
    dataset = load_folder(digits)
    assert (dataset.train.images.shape, dataset.reader) == ((5, 6, 8, 3), "plain")
    assert dataset.train.images[:, 0, 0].tolist() == [[11] * 3, [13] * 3, [19] * 3, [21] * 3, [200, 0, 0]]
    assert "8x6" in dataset.notes[0]
    for number in range(3):
        draw(digits / "2" / f"tall{number}.png", size=(8, 7))
    assert load_folder(digits).train.images.shape == (8, folder.RESIZED, folder.RESIZED, 3)


@pytest.mark.parametrize(
    ("names", "reader", "kind"),
    [("07", None, "digits"), ("07", "plain", None), ("0a", None, None), ("0a", "plain", None)],
)
def test_the_digit_reader_is_used_where_all_classes_are_digits(tmp_path, names, reader, kind):
    for name in names:
        (tmp_path / name).mkdir()
        draw(tmp_path / name / "one.png", size=(40, 30))
    target = folder_target(str(tmp_path), reader)
    assert (target.reader if target else None) == kind
    assert load_dataset(str(tmp_path), target=target).image_shape == ((28, 28, 1) if kind else (30, 40, 1))


def test_the_digit_reader_is_refused_for_other_classes(tmp_path):
    for name in "0a":
        (tmp_path / name).mkdir()
        draw(tmp_path / name / "one.png")
    with pytest.raises(DatasetInvalid, match="'a'"):
        folder_target(str(tmp_path), "digits")
    assert folder_target("mnist", "digits") is None


def test_too_many_bytes_are_refused(digits, monkeypatch):
    monkeypatch.setattr(folder, "MAX_BYTES", 3 * 6 * 8)
    with pytest.raises(DatasetInvalid, match=r"11\.png"):
        load_folder(digits)


def test_pictures_of_any_size_are_framed_for_a_model(digits):
    draw(digits / "10" / "wide.png", (200, 0, 0), size=(19, 6), mode="RGB")
    dataset = load_dataset(str(digits), target=Target((4, 5, 3), "plain"))
    assert (dataset.train.images.shape, dataset.reader) == ((5, 4, 5, 3), "plain")
    assert dataset.train.images[:, 0, 0].tolist() == [[11] * 3, [13] * 3, [19] * 3, [21] * 3, [200, 0, 0]]
    framed = load_dataset(str(digits), target=Target((28, 28, 1), "digits"))
    assert (framed.train.images.shape, framed.reader) == ((5, 28, 28, 1), "digits")
    assert "5 of 5" in framed.notes[0]


def labelled(folder: Path, rows: dict[str, str]) -> Path:
    for number, name in enumerate(rows):
        draw(folder / "images" / name, number)
    lines = [f"{name},{label}\n" for name, label in rows.items()]
    (folder / "labels.csv").write_text("file,label\n" + "".join(lines))
    return folder


def test_labels_in_a_file_are_taken_where_there_are_no_class_folders(digits, tmp_path):
    rows = {"a.png": "7", "b.png": "10", "c.png": "7", "d.png": "", "e.png": "7 7"}
    dataset = load_folder(labelled(tmp_path / "listed", rows))
    assert dataset.labels == ("7", "10")
    assert dataset.train.labels.tolist() == [0, 1, 0]
    assert dataset.train.images[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert len(dataset.notes) == 1 and dataset.notes[0].startswith("2 ")
    (digits / "labels.csv").write_text("something else")
    assert load_folder(digits).labels == ("2", "10")


@pytest.mark.parametrize(
    ("labels", "found"),
    [(None, ("0", "1", "none")), (tuple("01"), ("0", "1")), (("0", "1", "10"), ("0", "1", "10"))],
)
def test_several_digits_or_none_are_no_class_if_the_labels_say_so(tmp_path, labels, found):
    for name in ("0", "1", "none", *(["10"] if labels else [])):
        draw(tmp_path / name / "a.png")
    dataset = load_folder(tmp_path, Target((4, 5, 1), "plain", labels))
    assert dataset.labels == found
    assert len(dataset.notes) == (labels is not None)


def test_classes_are_named_without_reading_pictures(digits, tmp_path):
    assert dataset_labels("mnist") == tuple("0123456789")
    (digits / "2" / "9.png").write_text("broken")
    assert dataset_labels(str(digits)) == ("2", "10")
    assert dataset_labels(str(labelled(tmp_path / "listed", {"a.png": "7", "b.png": "10", "c.png": "77"}))) == (
        "7",
        "10",
    )


def test_a_class_none_of_the_model_is_kept(tmp_path):
    for name in ("fist", "None"):
        draw(tmp_path / name / "a.png")
    assert load_folder(tmp_path, Target((4, 5, 1), "plain", ("fist", "none"))).labels == ("fist", "None")


def test_the_digest_is_that_of_the_files_and_their_classes(digits, tmp_path):
    digest = load_folder(digits).digest()
    assert digest.startswith("sha256:")
    assert load_folder(digits, Target((4, 5, 1), "plain")).digest() == digest
    moved = digits.rename(tmp_path / "elsewhere")
    assert load_folder(moved).digest() == digest
    (moved / "2" / "9.png").rename(moved / "10" / "9b.png")
    other_class = load_folder(moved).digest()
    (moved / "10" / "9b.png").rename(moved / "2" / "9.png")
    assert load_folder(moved).digest() == digest
    draw(moved / "2" / "9.png", 12)
    assert len({digest, other_class, load_folder(moved).digest()}) == 3


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_numbers_sort_as_numbers(numbers):
    names = sorted((f"class{number}" for number in numbers), key=natural_key)
    assert names == [f"class{number}" for number in sorted(numbers)]


@given(st.lists(st.text(max_size=8), unique=True), st.randoms())
def test_the_order_of_any_names_is_unique(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)
