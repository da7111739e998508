"""Kinds of sources: each picture is in one unit, and damage affects only the pictures after it."""

import gzip
import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.bulk.kinds import KINDS, open_kind
from edgedigits.bulk.kinds.parquet import column_of
from edgedigits.bulk.units import SourceOptions
from edgedigits_runtime.errors import DatasetInvalid, PictureTooLarge, PictureUnreadable, ShardBroken, SourceNotFound
from edgedigits_runtime.sources.files import Source
from tests.support.bulk_sources import parquet_of, picture, tar_of

TAR = tar_of(7)
ROWS = parquet_of({"id": list(range(23)), "image": [picture(index) for index in range(23)]}, rows_a_group=10)


def read(kind: str, path: Path, size: int | None = None) -> tuple[list[Source], list[ShardBroken]]:
    """Return the pictures of a shard, read by its units, and the errors."""
    options = SourceOptions(str(path.parent), size=size)
    found: list[Source] = []
    broken = []
    for unit in open_kind(kind).units(str(path), options):
        try:
            before = len(found)
            found += open_kind(kind).pictures(unit, options)
        except ShardBroken as error:
            broken.append(error)
            continue
        assert unit.pictures in (None, len(found) - before)
    return found, broken


def whole(kind: str, path: Path, size: int | None) -> list[Source]:
    found, broken = read(kind, path, size)
    assert not broken
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_units_and_pictures(kind: str) -> None:
    assert {"units", "pictures"} <= set(dir(open_kind(kind)))


@given(st.integers(1, 9))
def test_units_of_a_tar_hold_each_picture_once(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    path = tmp_path_factory.mktemp("tar") / "a.tar"
    path.write_bytes(TAR)
    found = whole("tar", path, size)
    assert [source.content for source in found] == [picture(index) for index in range(7)]
    assert [source.name for source in found] == sorted({source.name for source in found})
    assert found[0].name == f"{path}#000000.png"


@settings(max_examples=50)
@given(st.integers(1, len(TAR) - 1), st.integers(1, 9))
def test_a_truncated_tar_gives_the_pictures_before_its_end(
    tmp_path_factory: pytest.TempPathFactory, end: int, size: int
) -> None:
    path = tmp_path_factory.mktemp("tar") / "a.tar"
    path.write_bytes(TAR[:end])
    found, broken = read("tar", path, size)
    assert [source.content for source in found] == [picture(index) for index in range(len(found))]
    # One of the blocks of zeros at the end is enough.
    if TAR[end:].strip(b"\0") or not TAR[:end].endswith(bytes(512)):
        assert len(broken) == 1 and str(path) in str(broken[0])


@settings(max_examples=30)
@given(st.integers(1, 1000))
def test_a_truncated_compressed_tar(tmp_path_factory: pytest.TempPathFactory, missing: int) -> None:
    path = tmp_path_factory.mktemp("tar") / "a.tar.gz"
    compressed = gzip.compress(TAR, 1)
    path.write_bytes(compressed)
    assert len(whole("tar", path, 2)) == 7
    path.write_bytes(compressed[:-missing])
    found, broken = read("tar", path)
    assert [source.content for source in found] == [picture(index) for index in range(len(found))]
    assert len(broken) == 1 or len(found) == 7


def test_a_tar_is_read_up_to_a_damaged_header(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(fileobj=io.BytesIO(TAR)) as tar:
        damaged = tar.getmembers()[4].offset
    path.write_bytes(TAR[:damaged] + b"x" * 512 + TAR[damaged + 512 :])
    found, broken = read("tar", path, 1)
    assert ([source.content for source in found], len(broken)) == ([picture(0), picture(1)], 1)


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, tar_of(0)])
def test_a_file_without_pictures_is_broken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    found, broken = read("tar", tmp_path / "a.tar")
    assert (found, len(broken)) == ([], 1)


def test_a_huge_member_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgedigits.bulk.kinds.tar.MAX_BYTES", 10)
    (tmp_path / "a.tar").write_bytes(tar_of(2))
    assert {type(source.error) for source in whole("tar", tmp_path / "a.tar", 1)} == {PictureTooLarge}


@given(st.integers(1, 30))
def test_units_of_a_parquet_file_hold_each_row_once(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    path.write_bytes(ROWS)
    found = whole("parquet", path, size)
    assert [source.content for source in found] == [picture(index) for index in range(23)]
    assert [source.name for source in found] == [f"{path}#{index}" for index in range(23)]


@settings(max_examples=30)
@given(st.integers(0, len(ROWS) - 1))
def test_a_truncated_parquet_file_is_broken(tmp_path_factory: pytest.TempPathFactory, end: int) -> None:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    path.write_bytes(ROWS[:end])
    found, broken = read("parquet", path)
    assert (found, len(broken)) == ([], 1)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"png", None, b""], pa.large_binary()),
        pa.array([{"bytes": b"png", "path": "a.png"}, {"bytes": None, "path": None}, None]),
    ],
)
def test_rows_without_a_picture_are_errors(tmp_path: Path, column: Any) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet_of({"image": column}))
    found = whole("parquet", tmp_path / "a.parquet", None)
    assert [source.content for source in found] == [b"png", None, None]
    assert {type(source.error) for source in found[1:]} == {PictureUnreadable}


def test_paths_in_a_parquet_file_are_relative_to_its_folder(tmp_path: Path) -> None:
    paths = ["1.png", str(tmp_path / "2.png"), "s3://a/3.png"]
    (tmp_path / "a.parquet").write_bytes(parquet_of({"path": paths[:2]}))
    found = whole("parquet", tmp_path / "a.parquet", None)
    assert [(source.name, source.content) for source in found] == [
        ("1.png", tmp_path / "1.png"), (str(tmp_path / "2.png"), tmp_path / "2.png")
    ]  # fmt: skip


def test_rows_without_a_path_are_errors_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet_of({"path": ["1.png", None, "", *["2.png"] * 20, None]}))
    found = whole("parquet", path, 7)
    assert [source.name for source in found] == ["1.png", f"{path}#1", f"{path}#2", *["2.png"] * 20, f"{path}#23"]
    empty = [source for source in found if source.content is None]
    assert [(source.name, type(source.error)) for source in empty] == [
        (f"{path}#{number}", PictureUnreadable) for number in (1, 2, 23)
    ]
    assert f"{path}#1" in str(empty[0].error)


@pytest.mark.parametrize(
    ("columns", "wanted", "found"),
    [
        ({"id": 1, "image": b""}, None, "image"),
        ({"id": 1, "path": "a"}, None, "path"),
        ({"label": "a", "image": b""}, None, "image"),
        ({"label": "a", "image": b""}, "label", "label"),
        ({"label": "a", "image": {"bytes": b"", "path": ""}}, None, "image"),
    ],
)
def test_column_with_pictures(columns: dict[str, Any], wanted: str | None, found: str) -> None:
    schema = pa.table({name: [value] for name, value in columns.items()}).schema
    assert column_of(schema, wanted, "a.parquet") == found


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [({"id": 1}, None), ({"a": b"", "b": b""}, None), ({"a": "", "b": ""}, None), ({"a": b""}, "b"), ({"a": 1}, "a")],
)
def test_an_ambiguous_column_lists_the_columns(columns: dict[str, Any], wanted: str | None) -> None:
    schema = pa.table({name: [value] for name, value in columns.items()}).schema
    with pytest.raises(DatasetInvalid, match=", ".join(columns)):
        column_of(schema, wanted, "a.parquet")


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_a_removed_shard_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(TAR if kind == "tar" else ROWS)
    options = SourceOptions(str(tmp_path))
    (unit,) = open_kind(kind).units(path.name, options)
    path.unlink()
    with pytest.raises(SourceNotFound, match=path.name):
        list(open_kind(kind).pictures(replace(unit, start=0), options))
