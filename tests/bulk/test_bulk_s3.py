"""Bulk reading from and to s3://, against a local server."""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from edgedigits.bulk import addresses
from edgedigits.bulk.addresses import fetch, filesystem
from edgedigits.bulk.folders import open_folder
from edgedigits.bulk.parts import part_name
from edgedigits.bulk.plan import plan
from edgedigits.bulk.units import SourceOptions
from edgedigits_runtime.errors import (
    EdgedigitsError,
    OutputNotWritable,
    PictureNotFound,
    PictureTooLarge,
    RunError,
    SourceNotFound,
    SourceUnavailable,
)
from tests.support.bulk_sources import parquet_of, picture, read_here, rows_of, sources_in, tar_of, write_pictures


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The file system of a store with one empty bucket, `forms`."""
    _point_to(server, monkeypatch)
    store = filesystem("s3://forms")
    store.mkdir("forms")
    yield store
    store.rm("forms", recursive=True)
    _forget()


def _point_to(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": server, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(addresses, "PAUSE", 0.0)
    _forget()


def _forget() -> None:
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


def read_back(store: Any, folder: str) -> list[dict[str, Any]]:
    """Return the rows of all parts in a folder of the store."""
    names = sorted(name for name in store.ls(folder) if "/part-" in name)
    return [row for name in names for row in pq.read_table(io.BytesIO(store.cat_file(name))).to_pylist()]


def test_all_kinds_of_remote_sources(bucket: Any, tmp_path: Path) -> None:
    bucket.pipe({f"forms/in/{index}.png": picture(index) for index in range(12)})
    bucket.pipe({"forms/in/deep/a.tar": tar_of(5), "forms/in/deep/notes.txt": b"", "forms/b.parquet": parquet_of(
        {"image": [picture(index) for index in range(25)]}, rows_a_group=10)})  # fmt: skip
    bucket.pipe({"forms/c.parquet": parquet_of({"path": ["in/3.png", "s3://forms/in/4.png", "in/missing.png"]})})
    sources = ["s3://forms/in", "s3://forms/in/*1.png", "s3://forms/b.parquet", "s3://forms/c.parquet"]
    total = read_here("s3://forms/out", *sources, part_size=5)
    assert (total.pictures, total.errors) == (12 + 5 + 2 + 25 + 3, Counter(PictureNotFound=1))
    rows = read_back(bucket, "forms/out")
    assert sources_in(rows)[:12] == [f"s3://forms/in/{index}.png" for index in range(12)]
    assert sources_in(rows)[17:19] == ["s3://forms/in/1.png", "s3://forms/in/11.png"]
    assert [row["text"] for row in rows if row["source"].startswith("s3://forms/b")][:12] == [
        row["text"] for row in rows[:12]
    ]
    assert {name.rpartition("/")[2][0] for name in bucket.ls("forms/out")} == {"p", "_"}
    write_pictures(tmp_path / "in", 12)
    read_here(tmp_path / "out", tmp_path / "in")
    assert [row["boxes"] for row in rows_of(tmp_path / "out")] == [row["boxes"] for row in rows[:12]]


def test_names_take_precedence_over_patterns(bucket: Any) -> None:
    bucket.pipe({f"forms/in/{name}": picture(0) for name in ("x[1].png", "x1.png", "deep/x2.png")})
    (unit,) = plan(["s3://forms/in/*", "s3://forms/in/x[1].png", "s3://forms/in/x?.png"], SourceOptions(""))
    names = ["x1.png", "x[1].png", "x[1].png", "x1.png"]
    assert unit.paths == tuple(f"s3://forms/in/{name}" for name in names)


def test_resuming_in_a_store(bucket: Any) -> None:
    bucket.pipe({f"forms/in/{index}.png": picture(index) for index in range(6)})
    read_here("s3://forms/out", "s3://forms/in", part_size=2)
    quiet = read_back(bucket, "forms/out")
    with pytest.raises(RunError, match="--resume"):
        read_here("s3://forms/out", "s3://forms/in", part_size=2)
    name = f"forms/out/{part_name(1)}"
    bucket.pipe_file(name, bucket.cat_file(name)[:-5])
    bucket.rm(f"forms/out/{part_name(2)}")
    # The output is inside the source, and not read.
    assert read_here("s3://forms/out", "s3://forms/in", part_size=2, resume=True).pictures == 6
    assert read_back(bucket, "forms/out") == quiet
    assert read_here("s3://forms/again", "s3://forms").pictures == 6


def test_missing_remote_files(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.pipe_file("forms/a.png", picture(0))
    with pytest.raises(PictureNotFound, match=r"s3://forms/b\.png"):
        fetch("s3://forms/b.png")
    for source in ("s3://forms/b.png", "s3://forms/in/*.png", "s3://elsewhere/a.png"):
        with pytest.raises(SourceNotFound, match=source.replace("*", r"\*")):
            read_here("s3://forms/out", source)
    monkeypatch.setattr(addresses, "MAX_BYTES", 10)
    with pytest.raises(PictureTooLarge):
        fetch("s3://forms/a.png")


def test_an_unreachable_store_stops_the_run_without_error_rows(
    bucket: Any, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "paths.parquet").write_bytes(parquet_of({"path": ["s3://forms/a.png"]}))
    bucket.pipe_file("forms/a.png", picture(0))
    _point_to("http://127.0.0.1:1", monkeypatch)
    with pytest.raises(SourceUnavailable, match="s3://forms") as refused:
        read_here(tmp_path / "out", tmp_path / "paths.parquet")
    assert "\n" not in str(refused.value)
    assert not [*(tmp_path / "out").glob("part-*")]
    with pytest.raises(EdgedigitsError, match="s3://forms"):
        read_here("s3://forms/out", tmp_path / "paths.parquet")
    _point_to(server, monkeypatch)
    assert read_here(tmp_path / "out", tmp_path / "paths.parquet", resume=True).failed == 0


def test_an_unwritable_store_is_an_error(bucket: Any) -> None:
    with pytest.raises(OutputNotWritable, match="elsewhere"):
        open_folder("s3://elsewhere").write("_run.json", b"{}")
