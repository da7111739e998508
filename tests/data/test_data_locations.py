"""Where files are looked for, in which order, and what is said where they are not or are wrong."""

import gzip
import hashlib
from pathlib import Path

import pytest

from edgedigits.data import locations
from edgedigits.data.description import DataFile
from edgedigits.data.locations import download_target, find, search_roots, user_cache
from edgedigits.data.obtain import obtain
from edgedigits_runtime.errors import ChecksumMismatch, DataNotFound, MissingExtra

CONTENT = b"some content"
FILE = DataFile("small", "file.gz", hashlib.md5(CONTENT).hexdigest(), "content", ())


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("named", "environment", "cache")}
    monkeypatch.setenv("EDGEDIGITS_DATA", str(found["environment"]))
    monkeypatch.setattr(locations, "user_cache", lambda: found["cache"])
    return found


def put(root: Path, content: bytes, name: str = "file.gz") -> Path:
    path = root / "small" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_order_is_named_environment_cache(roots):
    assert search_roots(roots["named"]) == tuple(roots.values())
    for name in ("cache", "environment", "named"):
        path = put(roots[name], gzip.compress(CONTENT))
        assert find(FILE, roots["named"]) == path


def test_an_empty_variable_is_no_folder(roots, monkeypatch):
    monkeypatch.setenv("EDGEDIGITS_DATA", "")
    assert search_roots() == (roots["cache"],)


def test_downloads_go_to_the_named_folder_else_to_the_cache(roots):
    assert download_target(FILE, roots["named"]) == roots["named"] / "small" / "file.gz"
    assert download_target(FILE) == roots["cache"] / "small" / "file.gz"


def test_the_cache_is_a_folder_of_ours():
    assert user_cache().is_absolute()
    assert "edgedigits" in user_cache().parts


def test_without_platformdirs(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "platformdirs", None)
    with pytest.raises(MissingExtra, match=r"edgedigits\[train\]"):
        user_cache()


@pytest.mark.parametrize(
    ("name", "stored"),
    [("file.gz", gzip.compress(CONTENT)), ("file.gz", CONTENT), ("file", CONTENT)],
    ids=["gzip", "not compressed in spite of its name", "not compressed"],
)
def test_content_is_the_same_however_it_is_stored(roots, name, stored):
    put(roots["environment"], stored, name)
    assert obtain(FILE, download=False) == CONTENT


def test_a_container_checksum_takes_the_container_only(roots):
    container = gzip.compress(CONTENT, mtime=0)
    file = DataFile("small", "file.gz", hashlib.md5(container).hexdigest(), "container", ())
    put(roots["cache"], CONTENT, "file")
    assert find(file) is None
    put(roots["cache"], container)
    assert obtain(file, download=False) == CONTENT


def test_not_found_says_where_it_was_looked_for(roots):
    with pytest.raises(DataNotFound) as caught:
        obtain(FILE, roots["named"], download=False)
    message = str(caught.value)
    assert all(str(root / "small") in message for root in roots.values())
    assert "edgedigits data download small" in message
    assert "EDGEDIGITS_DATA" in message


def test_without_a_mirror_nothing_is_downloaded(roots):
    with pytest.raises(DataNotFound, match="could not be downloaded"):
        obtain(FILE)


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (gzip.compress(b"other"), "expected MD5"),
        (gzip.compress(CONTENT)[:-4], "gzip is damaged"),
        (gzip.compress(CONTENT)[:12], "gzip is damaged"),
        (b"\x1f\x8b\x08 nonsense", "gzip is damaged"),
        (b"", "expected MD5"),
    ],
    ids=["other content", "without its length", "without its content", "nonsense", "empty"],
)
def test_a_wrong_file_is_refused_and_left_alone(roots, stored, why):
    path = put(roots["environment"], stored)
    with pytest.raises(ChecksumMismatch, match=why) as caught:
        obtain(FILE)
    assert str(path) in str(caught.value)
    assert "delete it and run: edgedigits data download small" in str(caught.value)
    assert path.read_bytes() == stored


def test_a_gzip_that_unfolds_without_end_is_refused(roots, monkeypatch):
    monkeypatch.setattr("edgedigits.data.description.LARGEST", 1024**2)
    put(roots["cache"], gzip.compress(bytes(1024**2 + 1)))
    with pytest.raises(ChecksumMismatch, match="unfolds to more than 1 MiB"):
        obtain(FILE)


def test_a_folder_that_may_not_be_entered_holds_nothing(roots, monkeypatch):
    put(roots["cache"], CONTENT)

    def refuse(path: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    assert find(FILE, roots["named"]) == roots["cache"] / "small" / "file.gz"
