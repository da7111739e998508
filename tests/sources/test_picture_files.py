"""Expansion of names on the command line to pictures."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.errors import PictureNotFound, PictureTooLarge, PictureUnreadable
from edgedigits_runtime.sources.files import Source, expand, natural_key


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("10.png", "2.PNG", "b.jpg", "notes.txt", "sub/1.webp", ".hidden.png", "[1].gif"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.png").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*sources: str | Path) -> list[str]:
    return [source.name for source in expand(sources)]


def test_folder_is_expanded_in_natural_order(folder: Path) -> None:
    names = [str(Path(name).relative_to(folder)) for name in found(folder)]
    assert names == ["2.PNG", "10.png", "[1].gif", "b.jpg", str(Path("sub/1.webp"))]


def test_unexpanded_patterns_are_matched(folder: Path) -> None:
    assert found("*.png") == ["10.png"]
    assert found(f"{folder}/1*.png") == [str(folder / "10.png")]
    assert found("**/*.webp") == [str(Path("sub/1.webp"))]


def test_file_may_have_any_suffix_and_brackets(folder: Path) -> None:
    assert found("notes.txt", "[1].gif") == ["notes.txt", "[1].gif"]
    assert next(expand(["b.jpg"])) == Source("b.jpg", Path("b.jpg"))


def test_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"picture")))
    assert list(expand(["-"])) == [Source("-", b"picture")]
    (empty,) = expand(["-"])
    assert isinstance(empty.error, PictureUnreadable)


def test_standard_input_has_a_maximum_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"picture")))
    monkeypatch.setattr("edgedigits_runtime.sources.files.MOST_BYTES", 6)
    (long,) = expand(["-"])
    assert isinstance(long.error, PictureTooLarge)
    assert " 6 bytes" in str(long.error)


@pytest.mark.parametrize("missing", ["none.png", "empty", "*.tiff", "none/*.png", "a" * 300, "a\0b"])
def test_missing_source_stops_no_other(folder: Path, missing: str) -> None:
    first, bad, last = expand(["b.jpg", missing, "10.png"])
    assert (first.name, last.name) == ("b.jpg", "10.png")
    assert isinstance(bad.error, PictureNotFound)
    assert bad.content is None
    assert bad.name == missing
    assert missing in str(bad.error)


def test_sources_are_expanded_lazily(folder: Path) -> None:
    sources = expand(["b.jpg", "later.png"])
    next(sources)
    (folder / "later.png").write_bytes(b"")
    assert next(sources).error is None


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_key_sorts_numbers_by_value(numbers: list[int]) -> None:
    names = [Path(f"page{number}.png") for number in numbers]
    assert sorted(names, key=natural_key) == [Path(f"page{number}.png") for number in sorted(numbers)]


def test_invalid_pattern_stops_no_other(folder: Path) -> None:
    bad, good = expand(["**.png", "b.jpg"])
    assert isinstance(bad.error, PictureNotFound) and "**.png" in str(bad.error)
    assert good.error is None


def test_patterns_skip_hidden_files(folder: Path) -> None:
    (folder / "._b.jpg").touch()
    assert found("*.jpg") == ["b.jpg"]
    assert found("._*.jpg") == ["._b.jpg"]


def test_address_is_an_error() -> None:
    (source,) = expand(["https://example.org/a.png"])
    assert isinstance(source.error, PictureNotFound) and "https://example.org/a.png" in str(source.error)
