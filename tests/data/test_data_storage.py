"""Search folders and their order, and the errors for missing and wrong files."""

import gzip
import hashlib
from pathlib import Path

import pytest

from edgedigits.data import download, storage
from edgedigits.data.description import DataFile
from edgedigits.data.storage import ensure, find, read_file, search_roots, user_cache
from edgedigits_runtime.errors import ChecksumMismatch, DataNotFound

CONTENT = b"some content"
FILE = DataFile("small", "file.gz", hashlib.md5(CONTENT).hexdigest(), "content", ())


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("named", "environment", "cache")}
    monkeypatch.setenv("EDGEDIGITS_DATA", str(found["environment"]))
    monkeypatch.setattr(storage, "user_cache", lambda: found["cache"])
    return found


def put(root: Path, content: bytes, name: str = "file.gz") -> Path:
    path = root / "small" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_search_order_is_named_environment_cache(roots):
    assert search_roots(roots["named"]) == tuple(roots.values())
    for name in ("cache", "environment", "named"):
        path = put(roots[name], gzip.compress(CONTENT))
        assert find(FILE, roots["named"]) == path


def test_an_empty_variable_is_ignored(roots, monkeypatch):
    monkeypatch.setenv("EDGEDIGITS_DATA", "")
    assert search_roots() == (roots["cache"],)


def test_downloads_go_to_the_named_folder_else_to_the_cache(roots, monkeypatch):
    def fetch(file: DataFile, target: Path) -> Path:
        return put(target.parents[1], CONTENT, target.name)

    monkeypatch.setattr(download, "fetch", fetch)
    assert ensure(FILE, roots["named"]) == roots["named"] / "small" / "file.gz"
    assert ensure(FILE) == roots["cache"] / "small" / "file.gz"


def test_the_cache_is_a_folder_of_edgedigits():
    assert user_cache().is_absolute()
    assert "edgedigits" in user_cache().parts


@pytest.mark.parametrize(
    ("name", "stored"),
    [("file.gz", gzip.compress(CONTENT)), ("file.gz", CONTENT), ("file", CONTENT)],
    ids=["gzip", "not compressed in spite of its name", "not compressed"],
)
def test_content_is_read_from_each_stored_form(roots, name, stored):
    put(roots["environment"], stored, name)
    assert read_file(FILE, download=False) == CONTENT


def test_a_container_checksum_accepts_the_container_only(roots):
    container = gzip.compress(CONTENT, mtime=0)
    file = DataFile("small", "file.gz", hashlib.md5(container).hexdigest(), "container", ())
    put(roots["cache"], CONTENT, "file")
    assert find(file) is None
    put(roots["cache"], container)
    assert read_file(file, download=False) == CONTENT


def test_not_found_names_the_searched_folders(roots):
    with pytest.raises(DataNotFound) as caught:
        read_file(FILE, roots["named"], download=False)
    message = str(caught.value)
    assert all(str(root / "small") in message for root in roots.values())
    assert "edgedigits data download small" in message
    assert "EDGEDIGITS_DATA" in message


def test_without_a_mirror_nothing_is_downloaded(roots):
    with pytest.raises(DataNotFound):
        read_file(FILE)


@pytest.mark.parametrize(
    ("stored", "fact"),
    [
        (gzip.compress(b"other"), "MD5"),
        (gzip.compress(CONTENT)[:-4], "gzip"),
        (gzip.compress(CONTENT)[:12], "gzip"),
        (b"\x1f\x8b\x08 nonsense", "gzip"),
        (b"", "MD5"),
    ],
    ids=["other content", "without its length", "without its content", "nonsense", "empty"],
)
def test_a_wrong_file_is_refused_and_kept(roots, stored, fact):
    path = put(roots["environment"], stored)
    with pytest.raises(ChecksumMismatch, match=fact) as caught:
        read_file(FILE)
    assert str(path) in str(caught.value)
    assert "edgedigits data download small" in str(caught.value)
    assert path.read_bytes() == stored


def test_a_gzip_bomb_is_refused(roots, monkeypatch):
    monkeypatch.setattr("edgedigits.data.description.MAX_BYTES", 1024**2)
    put(roots["cache"], gzip.compress(bytes(1024**2 + 1)))
    with pytest.raises(ChecksumMismatch, match="1 MiB"):
        read_file(FILE)


def test_a_folder_without_permission_is_passed_over(roots, monkeypatch):
    put(roots["cache"], CONTENT)

    def refuse(path: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    assert find(FILE, roots["named"]) == roots["cache"] / "small" / "file.gz"
