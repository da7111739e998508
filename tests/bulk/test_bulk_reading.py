"""Bulk reading without Ray: what is planned, written, gone on with and refused."""

import contextlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest
from fsspec import AbstractFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits import load
from edgedigits.bulk.attempts import CAREFUL, DEADLY, HOPELESS, Attempt
from edgedigits.bulk.bulk_reading import BulkOptions, Progress, _locked, read_bulk
from edgedigits.bulk.folders import Folder, open_folder
from edgedigits.bulk.kinds import About
from edgedigits.bulk.parts import COLUMNS, number_of, part_name
from edgedigits.bulk.plan import plan
from edgedigits.bulk.plan_files import Planned, load_unit, write_plan
from edgedigits.bulk.summary import Summary
from edgedigits.bulk.unit_reading import Job
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.errors import (
    ArtifactError,
    DatasetInvalid,
    EdgedigitsError,
    MissingExtra,
    OutputNotWritable,
    RunError,
    SourceNotFound,
    SourceUnavailable,
)
from tests.support.bulk_sources import (
    Told,
    here,
    parquet_of,
    parts_of,
    picture,
    read_here,
    rows_of,
    sources_in,
    tar_of,
    write_pictures,
)  # fmt: skip
from tests.support.tiny_models import write_tflite


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures", 20)


@pytest.fixture
def store() -> Iterator[AbstractFileSystem]:
    """A store that knows no locks, empty."""
    system = fsspec.filesystem("memory")
    yield system
    if system.exists("/store"):
        system.rm("/store", recursive=True)


def test_the_output_holds_a_row_for_each_picture(pictures: Path, tmp_path: Path) -> None:
    (pictures / "9.png").write_text("no picture")
    total = read_here(tmp_path / "out", pictures, part_size=6)
    rows = rows_of(tmp_path / "out")
    assert (total.pictures, total.failed, total.errors) == (20, 1, Counter(PictureUnreadable=1))
    assert sources_in(rows) == [str(pictures / f"{index}.png") for index in range(20)]
    assert all(tuple(row) == COLUMNS and row["model"] == "base" for row in rows)
    assert [(row["text"] is None, row["confidence"] is None, row["boxes"]) for row in rows if row["error"]] == [
        (True, True, [])
    ]
    reader = load()
    for row in rows[:9]:
        reading = reader.read(row["source"])
        assert (row["text"], row["error"]) == (reading.text, None)
        assert [(box["label"], box["x"], box["y"], box["width"], box["height"]) for box in row["boxes"]] == [
            (digit.label, *digit.box) for digit in reading.digits
        ]
        least = min((digit.confidence for digit in reading.digits), default=None)
        assert row["confidence"] == pytest.approx(least)


def test_only_parts_stand_in_the_output_without_an_underscore(pictures: Path, tmp_path: Path) -> None:
    read_here(tmp_path / "out", pictures, part_size=6)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [name for name in names if not name.startswith("_")] == [part_name(number) for number in range(4)]
    assert not {"_temporary", "_attempts"} & set(names)
    assert pq.ParquetDataset(tmp_path / "out").read().num_rows == 20


@pytest.mark.parametrize("part_size", [1, 7, None])
def test_the_rows_do_not_depend_on_the_parts(pictures: Path, tmp_path: Path, part_size: int | None) -> None:
    read_here(tmp_path / "out", pictures, part_size=part_size)
    read_here(tmp_path / "other", pictures, part_size=5)
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "other")


def test_all_kinds_of_sources_in_one_run(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of(3))
    (tmp_path / "a.parquet").write_bytes(parquet_of({"image": [picture(0), picture(1)]}))
    (tmp_path / "paths.parquet").write_bytes(parquet_of({"path": ["pictures/3.png", "missing.png"]}))
    monkeypatch.chdir(tmp_path)
    total = read_here("out", "pictures", "*.tar", "a.parquet", "paths.parquet", "pictures/1.png", part_size=8)
    rows = rows_of(tmp_path / "out")
    assert sources_in(rows)[20:23] == [f"a.tar#{index:06}{'-long' * (index % 3 * 20)}.png" for index in range(3)]
    assert sources_in(rows)[23:] == ["a.parquet#0", "a.parquet#1", "pictures/3.png", "missing.png", "pictures/1.png"]
    assert (total.pictures, total.errors) == (28, Counter(PictureNotFound=1))
    assert [row["text"] for row in rows[20:23]] == [row["text"] for row in rows[:3]]
    assert str(tmp_path / "missing.png") in rows[26]["error"]


def test_a_folder_of_shards_and_an_output_inside_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_pictures(tmp_path / "in", 2))
    (tmp_path / "in" / "a.tar").write_bytes(tar_of(3))
    (tmp_path / "in" / ".hidden.tar").write_bytes(b"")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    assert read_here("out", ".").pictures == 5
    assert read_here("again", ".").pictures == 5


@settings(max_examples=15)
@given(st.lists(st.integers(0, 3), unique=True), st.sets(st.integers(0, 3)))
def test_going_on_reads_what_is_missing_or_damaged(
    tmp_path_factory: pytest.TempPathFactory, damaged: list[int], missing: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    pictures, out = write_pictures(folder / "in", 8), folder / "out"
    first = read_here(out, pictures, part_size=2)
    quiet = parts_of(out)
    for number in damaged:
        path = out / part_name(number)
        path.write_bytes(path.read_bytes()[: -1 - 100 * number])
    for number in missing:
        (out / part_name(number)).unlink()
    told = Told()
    assert read_bulk(BulkOptions((str(pictures),), str(out), resume=True, part_size=2), told, here) == first
    assert (parts_of(out), told.count) == (quiet, 8)


def test_a_flipped_byte_in_a_part_is_found(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    read_here(out, pictures)
    quiet = parts_of(out)
    part = out / part_name(0)
    content = bytearray(part.read_bytes())
    # In the pages, of which the footer says nothing.
    content[60] ^= 255
    part.write_bytes(content)
    read_here(out, pictures, resume=True)
    assert parts_of(out) == quiet


def test_going_on_reads_what_was_planned_first(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    read_here(out, pictures, part_size=6)
    (out / part_name(2)).unlink()
    (pictures / "0.png").unlink()
    (pictures / "12.png").unlink()
    write_pictures(pictures / "new", 3)
    total = read_here(out, pictures, part_size=6, resume=True)
    assert (total.pictures, total.errors) == (20, Counter(PictureNotFound=1))
    assert sources_in(rows_of(out)) == [str(pictures / f"{index}.png") for index in range(20)]


def test_a_plan_that_was_interrupted_is_made_again(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    read_here(out, pictures, part_size=6)
    run = json.loads((out / "_run.json").read_text())
    (out / "_run.json").write_text(json.dumps({**run, "planned": None}))
    for part in parts_of(out):
        (out / part).unlink()
    assert read_here(out, pictures, part_size=6, resume=True).pictures == 20


def test_a_run_that_read_nothing_is_no_run(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgedigitsError, match="no Ray"):
        read_bulk(BulkOptions((str(pictures),), str(tmp_path / "out")), Told(), nobody)
    assert read_here(tmp_path / "out", pictures / "1.png").pictures == 1


def test_going_on_with_options_of_the_engine(pictures: Path, tmp_path: Path) -> None:
    def options(threads: int) -> ReaderOptions:
        return ReaderOptions(engine_options=EngineOptions(threads=threads, cores=(0,)))

    read_here(tmp_path / "out", pictures, reading=options(1))
    assert read_here(tmp_path / "out", pictures, reading=options(1), resume=True).pictures == 20
    with pytest.raises(RunError, match='"threads": 1') as refused:
        read_here(tmp_path / "out", pictures, reading=options(2), resume=True)
    assert "expect" not in str(refused.value)


def test_to_go_on_with_nothing_is_to_begin(pictures: Path, tmp_path: Path) -> None:
    assert read_here(tmp_path / "out", pictures, resume=True).pictures == 20


def test_the_output_of_another_run_is_refused(pictures: Path, tmp_path: Path) -> None:
    read_here(tmp_path / "out", pictures)
    with pytest.raises(RunError, match="--resume"):
        read_here(tmp_path / "out", pictures)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    for resume in (False, True):
        with pytest.raises(RunError, match=r"thesis\.txt"):
            read_here(tmp_path / "full", pictures, resume=resume)
    (tmp_path / "out" / "_run.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        read_here(tmp_path / "out", pictures, resume=True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reading": ReaderOptions("nano")}, "another model"),
        ({"reading": ReaderOptions(engine="onnxruntime")}, "another model"),
        ({"reading": ReaderOptions(expect="one")}, "other options"),
        ({"column": "image"}, "--column"),
        ({"part_size": 3}, "--part-size"),
    ],
)
def test_to_go_on_otherwise_is_refused(pictures: Path, tmp_path: Path, changed: dict[str, object], words: str) -> None:
    read_here(tmp_path / "out", pictures)
    before = parts_of(tmp_path / "out")
    with pytest.raises(RunError, match=words):
        read_here(tmp_path / "out", pictures, resume=True, **changed)
    assert parts_of(tmp_path / "out") == before


def test_to_go_on_with_other_sources_or_bytes_of_the_model_is_refused(pictures: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    shutil.copy(write_tflite(tmp_path, "int8"), model)
    options = {"reading": ReaderOptions(str(model))}
    read_here(tmp_path / "out", pictures, **options)
    with pytest.raises(RunError, match="other sources"):
        read_here(tmp_path / "out", pictures / "1.png", resume=True, **options)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(RunError, match="its bytes differ"):
        read_here(tmp_path / "out", pictures, resume=True, **options)


def test_relative_sources_are_gone_on_with_from_their_folder(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read_here("out", "pictures", part_size=6)
    (tmp_path / "out" / part_name(1)).unlink()
    monkeypatch.chdir(pictures)
    with pytest.raises(RunError, match="another folder"):
        read_here("../out", "pictures", part_size=6, resume=True)
    monkeypatch.chdir(tmp_path)
    assert read_here("out", "pictures", part_size=6, resume=True).pictures == 20


def test_two_at_a_time_are_refused(pictures: Path, tmp_path: Path) -> None:
    with _locked(open_folder(str(tmp_path / "out"))), pytest.raises(RunError, match="at this moment"):
        read_here(tmp_path / "out", pictures)
    read_here(tmp_path / "out", pictures)


def test_what_another_one_did_until_the_lock_was_taken_is_seen(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    @contextlib.contextmanager
    def taken_late(folder: Folder) -> Iterator[None]:
        monkeypatch.undo()
        read_here(out, pictures / "1.png")
        with _locked(folder):
            yield

    monkeypatch.setattr("edgedigits.bulk.bulk_reading._locked", taken_late)
    with pytest.raises(RunError, match="--resume"):
        read_here(out, pictures)
    assert sources_in(rows_of(out)) == [str(pictures / "1.png")]


def test_a_folder_that_is_refused_stays_as_it_is(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(RunError):
        read_here(tmp_path / "full", pictures)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def nobody(job: Job, numbers: list[int], options: BulkOptions, progress: Progress) -> Generator[Summary]:
    raise EdgedigitsError("no Ray answered")
    yield


def test_where_there_is_no_lock_what_was_begun_is_another_run(pictures: Path, store: AbstractFileSystem) -> None:
    """Whoever began it may be about to read what it planned."""
    with pytest.raises(EdgedigitsError, match="no Ray"):
        read_bulk(BulkOptions((str(pictures),), "memory://store/out"), Told(), nobody)
    before = {name: store.cat_file(name) for name in store.find("/store/out")}
    with pytest.raises(RunError, match="--resume"):
        read_here("memory://store/out", pictures / "1.png")
    assert {name: store.cat_file(name) for name in store.find("/store/out")} == before
    assert read_here("memory://store/out", pictures, resume=True).pictures == 20


def test_what_could_not_be_planned_was_not_begun(pictures: Path, store: AbstractFileSystem) -> None:
    for _ in range(2):
        with pytest.raises(SourceNotFound):
            read_here("memory://store/out", pictures, pictures / "missing")
    assert read_here("memory://store/out", pictures).pictures == 20


def test_an_output_that_looks_like_a_pattern_removes_only_its_own(store: AbstractFileSystem) -> None:
    store.pipe({"/store/out1/_run.json": b"", "/store/out[1]/_run.json": b"", "/store/out[1]/_plan/0": b""})
    for name in ("_run.json", "_plan", "_nothing"):
        open_folder("memory://store/out[1]").remove(name)
    assert store.find("/store") == ["/store/out1/_run.json"]


@pytest.mark.parametrize("source", ["memory://store/in/*", "memory://store/in/**"])
def test_folders_that_match_a_remote_pattern_are_no_pictures(store: AbstractFileSystem, source: str) -> None:
    store.pipe({"/store/in/2.png": b"", "/store/in/10.png": b"", "/store/in/deep/1.png": b""})
    store.mkdir("/store/in/empty")
    names = ["2.png", "10.png", *(["deep/1.png"] if source.endswith("**") else [])]
    (unit,) = plan([source], About(""))
    assert unit.paths == tuple(f"memory:///store/in/{name}" for name in names)


@pytest.mark.parametrize("name", ["x[1].png", "x?.png", "x*.png"])
def test_a_remote_name_that_looks_like_a_pattern_is_a_name(store: AbstractFileSystem, name: str) -> None:
    store.pipe({f"/store/{name}": b"", "/store/x1.png": b"", f"/store/in {name}/2.png": b""})
    units = plan([f"memory://store/{name}", f"memory://store/in {name}"], About(""))
    assert [path for unit in units for path in unit.paths] == [
        f"memory://store/{name}", f"memory:///store/in {name}/2.png"
    ]  # fmt: skip
    store.rm_file(f"/store/{name}")
    (unit,) = plan([f"memory://store/{name}"], About(""))
    assert unit.paths == ("memory:///store/x1.png",)


@pytest.mark.parametrize("source", ["missing", "missing/*.png", "-", "empty", "nowhere://a/b", "file:///missing/a.png"])
def test_a_source_that_names_nothing_is_said_before_anything_is_read(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises((SourceNotFound, SourceUnavailable)) as refused:
        read_here("out", pictures, source)
    assert "\n" not in str(refused.value)
    assert not parts_of(tmp_path / "out")


def test_a_column_that_cannot_be_chosen_is_said_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet_of({"a": [b""], "b": [b""]}))
    with pytest.raises(DatasetInvalid, match="--column"):
        read_here(tmp_path / "out", tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(parquet_of({"a": [b"x"], "b": [picture(3)]}))
    assert read_here(tmp_path / "b", tmp_path / "b.parquet", column="b").failed == 0


def test_broken_shards_leave_what_was_read_and_a_line(pictures: Path, tmp_path: Path) -> None:
    content = tar_of(5)
    (tmp_path / "a.tar").write_bytes(content[: len(content) // 2])
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    (tmp_path / "c.tar").write_bytes(tar_of(5))
    total = read_here(tmp_path / "out", pictures, *(tmp_path / name for name in ("a.tar", "b.parquet", "c.tar")))
    assert total.errors == Counter(ShardBroken=2)
    assert [str(tmp_path / name) in line for name, line in zip(("a.tar", "b.parquet"), total.broken, strict=True)]
    rows = rows_of(tmp_path / "out")
    assert [row["source"] for row in rows if row["error"]] == [str(tmp_path / "a.tar"), str(tmp_path / "b.parquet")]
    assert 25 < total.pictures - 2 < 30


def test_a_model_that_cannot_be_used_is_said_at_once(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_text("no model")
    with pytest.raises(ArtifactError):
        read_here(tmp_path / "out", pictures, reading=ReaderOptions(str(tmp_path / "model.tflite")))
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_said(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputNotWritable, match="file"):
        read_here(tmp_path / "file" / "out", pictures)


def test_a_missing_extra_is_said(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"edgedigits\[ray\]"):
        read_here(tmp_path / "out", pictures)


def test_a_machine_that_does_not_see_the_output_or_the_sources_says_so(pictures: Path, tmp_path: Path) -> None:
    def elsewhere(job, numbers, options, progress):  # type: ignore[no-untyped-def]
        pictures.rename(tmp_path / "elsewhere")
        yield from here(job, numbers, options, progress)

    with pytest.raises(EdgedigitsError, match=r"does not see .*pictures"):
        read_bulk(BulkOptions((str(pictures),), str(tmp_path / "out")), Told(), elsewhere)


def test_names_that_are_no_text_are_read(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    write_pictures(tmp_path / "in", 0)
    (tmp_path / "in" / name).write_bytes(picture(3))
    assert read_here(tmp_path / "out", tmp_path / "in").failed == 0
    assert rows_of(tmp_path / "out")[0]["source"].endswith(r"\udcff.png")


def test_the_model_and_the_contract_travel(pictures: Path, tmp_path: Path) -> None:
    """A worker elsewhere has neither file."""
    model = tmp_path / "model.tflite"
    shutil.copy(write_tflite(tmp_path, "int8"), model)

    def elsewhere(job, numbers, options, progress):  # type: ignore[no-untyped-def]
        model.unlink()
        yield from here(job, numbers, options, progress)

    options = BulkOptions((str(pictures),), str(tmp_path / "out"), ReaderOptions(str(model)))
    assert read_bulk(options, Told(), elsewhere).failed == 0


def test_ctrl_c_says_how_to_go_on(pictures: Path, tmp_path: Path) -> None:
    def interrupted(job, numbers, options, progress):  # type: ignore[no-untyped-def]
        yield from here(job, numbers[:2], options, progress)
        raise KeyboardInterrupt

    options = BulkOptions((str(pictures),), str(tmp_path / "out"), part_size=6)
    with pytest.raises(KeyboardInterrupt, match=r"2 of 4 parts .*--resume"):
        read_bulk(options, Told(), interrupted)
    assert read_here(tmp_path / "out", pictures, part_size=6, resume=True).pictures == 20


def test_a_picture_at_which_readers_end_is_given_up(tmp_path: Path) -> None:
    folder = open_folder(str(tmp_path))
    for attempt in range(CAREFUL + DEADLY):
        now = Attempt(folder, 5, "session")
        assert now.careful == (attempt >= CAREFUL)
        assert [now.reads(index) for index in range(4)] == [True] * 4
    final = Attempt(folder, 5, "session")
    assert [final.reads(index) for index in range(5)] == [True, True, True, False, True]
    # Readers end with their driver, whatever they are reading.
    assert not Attempt(folder, 5, "another").careful
    final.done()
    assert not Attempt(folder, 5, "session").careful


def test_a_unit_in_which_readers_end_for_ever_is_an_error(tmp_path: Path) -> None:
    folder = open_folder(str(tmp_path))
    for _ in range(HOPELESS):
        Attempt(folder, 0, "session")
    with pytest.raises(EdgedigitsError, match="--workers"):
        Attempt(folder, 0, "session")


@settings(max_examples=20)
@given(st.integers(0, 300), st.integers(1, 20))
def test_a_plan_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, count: int, size: int) -> None:
    folder = tmp_path_factory.mktemp("plan")
    names = [f"s3://bucket/{index}.png" for index in range(count)]
    for name in names:
        (folder / Path(name).name).touch()
    units = list(plan([str(folder)], About("", size=size))) if count else []
    out = open_folder(str(folder / "out"))
    assert write_plan(out, units) == Planned(len(units), count)
    assert [load_unit(out, unit.number) for unit in units] == units
    assert len([path for unit in units for path in unit.paths]) == count


def test_units_grow_with_the_number_of_pictures() -> None:
    sizes = [About("").unit_size(planned) for planned in (0, 100_000, 10_000_000)]
    assert sizes == [256, 500, 10_000]


@pytest.mark.parametrize(
    ("name", "number"), [("part-000012.parquet", 12), ("part-12.parquet", None), ("_run.json", None)]
)
def test_numbers_of_parts(name: str, number: int | None) -> None:
    assert number_of(name) == number
