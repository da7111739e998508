"""Folders of labelled pictures: labels.csv, or a sub-folder for each label."""

from pathlib import Path

import pytest

from edgedigits.data.labelled_pictures import read_labelled
from edgedigits_runtime.errors import DataNotFound, DatasetInvalid
from tests.conftest import REPOSITORY


def folder_of(tmp_path: Path, labels: str | bytes, *pictures: str) -> Path:
    for name in pictures:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"picture")
    (tmp_path / "labels.csv").write_bytes(labels.encode() if isinstance(labels, str) else labels)
    return tmp_path


def test_the_examples_have_labels() -> None:
    found = read_labelled(REPOSITORY / "examples")
    assert len(found) >= 12
    assert all(picture.path.is_file() and picture.label == picture.name[0] for picture in found)


def test_labels_are_text_and_may_be_empty(tmp_path: Path) -> None:
    labels = 'file,label,kind,note,more\na.png,007,multi,"faint, hard to read",x\nb.png,,nodigit,,\nsub/c.png, 1 ,,,\n'
    first, second, third = read_labelled(folder_of(tmp_path, labels, "images/a.png", "b.png", "images/sub/c.png"))
    assert (first.label, first.kind, first.note) == ("007", "multi", "faint, hard to read")
    assert first.path == tmp_path / "images" / "a.png" and second.path == tmp_path / "b.png"
    assert (second.label, third.label, third.kind) == ("", "1", "")


def test_a_byte_order_mark_and_crlf_are_accepted(tmp_path: Path) -> None:
    (only,) = read_labelled(folder_of(tmp_path, b"\xef\xbb\xbffile,label\r\na.png,05\r\n", "a.png"))
    assert only.label == "05"


def test_one_sub_folder_for_each_label(tmp_path: Path) -> None:
    for name in ("10/b.png", "2/10.png", "2/9.png", "none/x.jpg", "None2/notes.txt", ".hidden/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"picture")
    found = [(picture.name, picture.label) for picture in read_labelled(tmp_path)]
    assert found == [
        (str(Path("2/9.png")), "2"), (str(Path("2/10.png")), "2"), (str(Path("10/b.png")), "10"),
        (str(Path("none/x.jpg")), ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("name,digit\na.png,1\n", "name, digit"),
        ("file;label\na.png;1\n", "commas"),
        ("", "none"),
        ("file,label\n", "row"),
        ("file,label\na.png\n", "line 2"),
        ("file,label\n,1\n", "line 2"),
        (b"file,label\n\xff.png,1\n", "UTF-8"),
    ],
)
def test_invalid_labels_are_refused(tmp_path: Path, labels: str | bytes, expected: str) -> None:
    with pytest.raises(DatasetInvalid, match=expected):
        read_labelled(folder_of(tmp_path, labels, "a.png"))


def test_missing_files_are_listed(tmp_path: Path) -> None:
    labels = "file,label\n" + "".join(f"{number}.png,1\n" for number in range(6))
    with pytest.raises(DataNotFound, match=r"1\.png, 2\.png, 3\.png and 2 more"):
        read_labelled(folder_of(tmp_path, labels, "0.png"))


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match=r"labels\.csv"):
        read_labelled(tmp_path)
    with pytest.raises(DataNotFound, match="missing"):
        read_labelled(tmp_path / "missing")
