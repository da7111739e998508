"""The datasets of other writers, as published; the folders are those of EDGEDIGITS_DATA."""

import dataclasses
import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from edgedigits.data import fonts, hands, omniglot, optdigits_orig, pendigits, semeion, storage, wild
from edgedigits.data.characters import AMBIGUOUS, NON_DIGIT, Characters
from edgedigits_runtime.errors import ChecksumMismatch, DataNotFound, DatasetInvalid, UnknownName
from tests.conftest import REPOSITORY
from tests.support.needs import skip_without

DATA = Path(os.environ.get("EDGEDIGITS_DATA") or REPOSITORY)
MODULES = {"semeion": semeion, "optdigits-orig": optdigits_orig, "pendigits": pendigits, "omniglot": omniglot}


@pytest.fixture(autouse=True)
def _without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "user_cache", lambda: tmp_path / "cache")


def check(found: Characters) -> None:
    assert len(found.ink) == len(found.names) == len(found.classes) == len(found.writers)
    assert all(one.dtype == np.uint8 and one.any() for one in found.ink)
    # Bright on 0: a stroke covers less than its box.
    assert np.mean([one.mean() for one in found.ink]) < 160


def test_semeion():
    skip_without(DATA / "semeion")
    found = semeion.load_characters(download=False)
    check(found)
    assert len(found) == 1_593 and Counter(found.classes.tolist())[8] == 155
    # A round of ten writers has each digit about 20 times, one of twenty 40 times.
    assert [round(count / 200) for count in np.bincount(found.writers)] == [1, 1, 1, 1, 2, 2]
    framed = semeion.load(download=False)
    assert framed.train.images.shape == (1_593, 28, 28, 1)
    assert np.array_equal(framed.train.labels, found.classes)


def test_optdigits_orig():
    skip_without(DATA / "optdigits-orig")
    found = optdigits_orig.load_characters(download=False)
    check(found)
    assert np.bincount(found.classes).tolist() == [189, 198, 195, 199, 186, 187, 195, 201, 180, 204]


def test_pendigits():
    skip_without(DATA / "pendigits")
    strokes = pendigits.load_strokes(download=False)
    assert strokes.points.shape == (10_992, 8, 2) and strokes.points.dtype == np.float32
    assert strokes.points.min() == 0 and strokes.points.max() == 1
    assert np.bincount(strokes.writers).tolist() == [7_494, 3_498]
    # A 7 is drawn from its top to its bottom, and y points downward.
    sevens = strokes.points[strokes.classes == 7]
    assert (sevens[:, 0, 1] < sevens[:, 7, 1]).mean() > 0.9


def test_omniglot():
    skip_without(DATA / "omniglot")
    found = omniglot.load_characters(download=False)
    check(found)
    assert len(found) == 4_840 and set(np.bincount(found.writers)) >= {17, 26, 47}
    assert set(found.classes.tolist()) == {NON_DIGIT, AMBIGUOUS}
    classes = dict(zip(found.names, found.classes.tolist(), strict=True))
    assert classes["Tagalog 03"] == classes["o"] == classes["Korean 21"] == AMBIGUOUS
    assert classes["Greek 23"] == classes["a"] == NON_DIGIT
    assert all(1 <= k <= omniglot.LETTERS[name] for name, like in omniglot.LIKE_DIGITS.items() for k in like)


def test_hands(monkeypatch):
    skip_without(DATA / "hands")
    assert len(hands.MEMBERS) == 3_710
    assert hands.MEMBERS["small-q-007.png"] == "SMALL_q_7.png"
    # One writer of each fold, which is faster than all.
    members = {name: path for name, path in hands.MEMBERS.items() if name.endswith(("03.png", "57.png"))}
    (folder,) = hands.DESCRIPTION.folders
    contents = [(DATA / "hands" / "images" / name).read_bytes() for name in members]
    checksum = hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in contents)).hexdigest()
    fewer = dataclasses.replace(folder, members=members, checksum=checksum)
    monkeypatch.setattr(hands, "DESCRIPTION", dataclasses.replace(hands.DESCRIPTION, folders=(fewer,)))
    found = hands.load_characters(download=False)
    check(found)
    assert len(found) == 2 * 62 and set(found.writers.tolist()) == {3, 57}
    assert Counter(found.classes.tolist())[AMBIGUOUS] == 2 * 15
    assert hands.load(download=False).train.images.shape == (20, 28, 28, 1)


def test_folds_have_as_many_writers_each():
    folds = hands.fold_of(np.arange(hands.WRITERS))
    assert np.bincount(folds).tolist() == [12] * hands.FOLDS
    assert (np.diff(folds) >= 0).all()


@pytest.mark.parametrize("fold", range(hands.FOLDS))
def test_no_writer_near_a_fold_teaches_its_model(fold):
    writers = np.arange(hands.WRITERS)
    learned, measured = writers[hands.may_train(writers, fold)], writers[hands.fold_of(writers) == fold]
    assert np.abs(learned[:, np.newaxis] - measured).min() == hands.DRIFT + 1
    assert len(learned) == hands.WRITERS - 12 - hands.DRIFT * (1 if fold in (0, hands.FOLDS - 1) else 2)


@pytest.mark.parametrize("name", MODULES)
def test_other_bytes_are_refused(tmp_path, monkeypatch, name):
    file = MODULES[name].DESCRIPTION.files[0]
    (tmp_path / name).mkdir()
    (tmp_path / name / file.name).write_bytes(b"1 2 3")
    with pytest.raises(ChecksumMismatch, match="expected SHA256"):
        MODULES[name].load_characters(tmp_path, download=False)
    # What the right checksum cannot rule out: a wrong format is named, too.
    right = dataclasses.replace(file, checksum=hashlib.sha256(b"1 2 3").hexdigest())
    description = dataclasses.replace(MODULES[name].DESCRIPTION, files=(right,))
    monkeypatch.setattr(MODULES[name], "DESCRIPTION", description)
    with pytest.raises(DatasetInvalid, match=file.name.removesuffix(".Z")):
        MODULES[name].load_characters(tmp_path, download=False)


@pytest.mark.parametrize("name", wild.COLLECTIONS)
def test_wild_pictures_are_verified(tmp_path, name):
    skip_without(DATA / name)
    pictures = wild.load_wild(name, DATA)
    assert len(pictures) > 300 and {"", "7"} <= {picture.label for picture in pictures}
    shutil.copytree(DATA / name, tmp_path / name, copy_function=os.symlink)
    labels = tmp_path / name / "labels.csv"
    content = labels.read_bytes()
    labels.unlink()
    labels.write_bytes(content + b"\n")
    with pytest.raises(ChecksumMismatch, match=name):
        wild.load_wild(name, tmp_path)


def test_wild_pictures_are_not_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEDIGITS_DATA", str(tmp_path))
    with pytest.raises(DataNotFound, match="no licence"):
        wild.load_wild("wild-dev-2")
    with pytest.raises(UnknownName, match="wild-dev-2"):
        wild.load_wild("sealed")


# Fonts


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with two packages of matplotlib's fonts, as `make fonts` unpacks them."""
    source = Path(mpl.get_data_path(), "fonts", "ttf")
    for package, names in {
        "fonts-a": ("DejaVuSans.ttf", "STIXSizFiveSymReg.ttf"),
        "fonts-b": ("DejaVuSerif.ttf",),
    }.items():
        folder = tmp_path / "fonts" / package / "usr" / "share" / "fonts" / "truetype"
        folder.mkdir(parents=True)
        for name in names:
            shutil.copy(source / name, folder)
    return tmp_path


def test_fonts_without_all_digits_and_letters_are_left_out(packages):
    assert [font.name for font in fonts.find_fonts(packages)] == ["DejaVuSans.ttf", "DejaVuSerif.ttf"]


def test_printed_characters(packages):
    found = fonts.load_characters(packages)
    check(found)
    assert Counter(found.names) == dict.fromkeys("0123456789" + fonts.LETTERS, 2)
    assert np.bincount(found.writers).tolist() == [62, 62]
    assert Counter(found.classes.tolist())[AMBIGUOUS] == 2 * 15


def test_missing_fonts_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEDIGITS_DATA", str(tmp_path))
    with pytest.raises(DataNotFound, match="make fonts"):
        fonts.find_fonts()


def test_fonts_are_named_once():
    lines = (REPOSITORY / "requirements" / "font-packages.txt").read_text().splitlines()
    names = [line for line in lines if not line.startswith("#")]
    assert len(names) > 100 and names == sorted(set(names))
    assert set(fonts.ONLY_DIGITS) <= set(names)
