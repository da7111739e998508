"""Bulk reading without Ray: plans, parts, resuming, refusals, retries."""

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

from edgedigits.bulk.bulk_options import BulkOptions, Progress
from edgedigits.bulk.bulk_reading import _locked, read_bulk
from edgedigits.bulk.folders import Folder, open_folder
from edgedigits.bulk.parts import COLUMNS, Summary, number_of, part_name
from edgedigits.bulk.plan import PlanSize, load_unit, plan, write_plan
from edgedigits.bulk.retries import CAREFUL, DEADLY, HOPELESS, Attempt
from edgedigits.bulk.units import SourceOptions
from edgedigits.bulk.worker import Job
from edgedigits.loading import load
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
    RecordedProgress,
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
    """An empty store, which has no locks."""
    system = fsspec.filesystem("memory")
    yield system
    if system.exists("/store"):
        system.rm("/store", recursive=True)


def test_output_has_a_row_for_each_picture(pictures: Path, tmp_path: Path) -> None:
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


def test_names_in_the_output(pictures: Path, tmp_path: Path) -> None:
    read_here(tmp_path / "out", pictures, part_size=6)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [name for name in names if not name.startswith("_")] == [part_name(number) for number in range(4)]
    assert not {"_temporary", "_attempts"} & set(names)
    assert pq.ParquetDataset(tmp_path / "out").read().num_rows == 20


@pytest.mark.parametrize("part_size", [1, 7, None])
def test_rows_do_not_depend_on_the_part_size(pictures: Path, tmp_path: Path, part_size: int | None) -> None:
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


def test_output_inside_the_source_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_pictures(tmp_path / "in", 2))
    (tmp_path / "in" / "a.tar").write_bytes(tar_of(3))
    (tmp_path / "in" / ".hidden.tar").write_bytes(b"")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    assert read_here("out", ".").pictures == 5
    assert read_here("again", ".").pictures == 5


@settings(max_examples=15)
@given(st.lists(st.integers(0, 3), unique=True), st.sets(st.integers(0, 3)))
def test_resuming_reads_missing_and_damaged_parts(
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
    progress = RecordedProgress()
    assert read_bulk(BulkOptions((str(pictures),), str(out), resume=True, part_size=2), progress, here) == first
    assert (parts_of(out), progress.count) == (quiet, 8)


def test_a_flipped_byte_in_a_part_is_detected(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    read_here(out, pictures)
    quiet = parts_of(out)
    part = out / part_name(0)
    content = bytearray(part.read_bytes())
    # In the pages, which the footer does not check.
    content[60] ^= 255
    part.write_bytes(content)
    read_here(out, pictures, resume=True)
    assert parts_of(out) == quiet


def test_resuming_reads_the_first_plan(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    read_here(out, pictures, part_size=6)
    (out / part_name(2)).unlink()
    (pictures / "0.png").unlink()
    (pictures / "12.png").unlink()
    write_pictures(pictures / "new", 3)
    total = read_here(out, pictures, part_size=6, resume=True)
    assert (total.pictures, total.errors) == (20, Counter(PictureNotFound=1))
    assert sources_in(rows_of(out)) == [str(pictures / f"{index}.png") for index in range(20)]


def test_an_interrupted_plan_is_repeated(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    read_here(out, pictures, part_size=6)
    run = json.loads((out / "_run.json").read_text())
    (out / "_run.json").write_text(json.dumps({**run, "planned": None}))
    for part in parts_of(out):
        (out / part).unlink()
    assert read_here(out, pictures, part_size=6, resume=True).pictures == 20


def test_a_run_without_parts_can_be_replaced(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgedigitsError, match="Ray"):
        read_bulk(BulkOptions((str(pictures),), str(tmp_path / "out")), RecordedProgress(), no_ray)
    assert read_here(tmp_path / "out", pictures / "1.png").pictures == 1


def test_resuming_requires_equal_engine_options(pictures: Path, tmp_path: Path) -> None:
    def options(threads: int) -> ReaderOptions:
        return ReaderOptions(engine_options=EngineOptions(threads=threads, cores=(0,)))

    read_here(tmp_path / "out", pictures, reading=options(1))
    assert read_here(tmp_path / "out", pictures, reading=options(1), resume=True).pictures == 20
    with pytest.raises(RunError, match='"threads": 1') as refused:
        read_here(tmp_path / "out", pictures, reading=options(2), resume=True)
    assert "expect" not in str(refused.value)


def test_resuming_an_empty_output_starts_a_run(pictures: Path, tmp_path: Path) -> None:
    assert read_here(tmp_path / "out", pictures, resume=True).pictures == 20


def test_output_of_another_run_is_refused(pictures: Path, tmp_path: Path) -> None:
    read_here(tmp_path / "out", pictures)
    with pytest.raises(RunError, match="--resume"):
        read_here(tmp_path / "out", pictures)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    for resume in (False, True):
        with pytest.raises(RunError, match=r"thesis\.txt"):
            read_here(tmp_path / "full", pictures, resume=resume)
    (tmp_path / "out" / "_run.json").write_text("{")
    with pytest.raises(RunError, match=r"_run\.json"):
        read_here(tmp_path / "out", pictures, resume=True)


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        ({"reading": ReaderOptions("nano")}, "nano"),
        ({"reading": ReaderOptions(engine="onnxruntime")}, "model"),
        ({"reading": ReaderOptions(expect="one")}, "expect"),
        ({"column": "image"}, "--column"),
        ({"part_size": 3}, "--part-size"),
    ],
)
def test_resuming_with_other_options_is_refused(
    pictures: Path, tmp_path: Path, changed: dict[str, object], fact: str
) -> None:
    read_here(tmp_path / "out", pictures)
    before = parts_of(tmp_path / "out")
    with pytest.raises(RunError, match=fact):
        read_here(tmp_path / "out", pictures, resume=True, **changed)
    assert parts_of(tmp_path / "out") == before


def test_resuming_with_other_sources_or_another_model_is_refused(pictures: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    shutil.copy(write_tflite(tmp_path, "int8"), model)
    options = {"reading": ReaderOptions(str(model))}
    read_here(tmp_path / "out", pictures, **options)
    with pytest.raises(RunError, match=r"1\.png"):
        read_here(tmp_path / "out", pictures / "1.png", resume=True, **options)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(RunError, match="bytes"):
        read_here(tmp_path / "out", pictures, resume=True, **options)


def test_relative_sources_are_resumed_in_their_folder(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read_here("out", "pictures", part_size=6)
    (tmp_path / "out" / part_name(1)).unlink()
    monkeypatch.chdir(pictures)
    with pytest.raises(RunError, match="folder"):
        read_here("../out", "pictures", part_size=6, resume=True)
    monkeypatch.chdir(tmp_path)
    assert read_here("out", "pictures", part_size=6, resume=True).pictures == 20


def test_concurrent_runs_are_refused(pictures: Path, tmp_path: Path) -> None:
    with _locked(open_folder(str(tmp_path / "out"))), pytest.raises(RunError, match="out"):
        read_here(tmp_path / "out", pictures)
    read_here(tmp_path / "out", pictures)


def test_a_run_that_finished_before_the_lock_is_seen(
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


def test_a_refused_folder_is_not_changed(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(RunError):
        read_here(tmp_path / "full", pictures)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def no_ray(job: Job, numbers: list[int], options: BulkOptions, progress: Progress) -> Generator[Summary]:
    raise EdgedigitsError("no Ray answered")
    yield


def test_without_locks_a_begun_run_is_not_replaced(pictures: Path, store: AbstractFileSystem) -> None:
    """Its process may still be running."""
    with pytest.raises(EdgedigitsError, match="Ray"):
        read_bulk(BulkOptions((str(pictures),), "memory://store/out"), RecordedProgress(), no_ray)
    before = {name: store.cat_file(name) for name in store.find("/store/out")}
    with pytest.raises(RunError, match="--resume"):
        read_here("memory://store/out", pictures / "1.png")
    assert {name: store.cat_file(name) for name in store.find("/store/out")} == before
    assert read_here("memory://store/out", pictures, resume=True).pictures == 20


def test_a_failed_plan_leaves_no_run(pictures: Path, store: AbstractFileSystem) -> None:
    for _ in range(2):
        with pytest.raises(SourceNotFound):
            read_here("memory://store/out", pictures, pictures / "missing")
    assert read_here("memory://store/out", pictures).pictures == 20


def test_output_name_with_pattern_characters(store: AbstractFileSystem) -> None:
    store.pipe({"/store/out1/_run.json": b"", "/store/out[1]/_run.json": b"", "/store/out[1]/_plan/0": b""})
    for name in ("_run.json", "_plan", "_nothing"):
        open_folder("memory://store/out[1]").remove(name)
    assert store.find("/store") == ["/store/out1/_run.json"]


@pytest.mark.parametrize("source", ["memory://store/in/*", "memory://store/in/**"])
def test_remote_patterns_match_only_files(store: AbstractFileSystem, source: str) -> None:
    store.pipe({"/store/in/2.png": b"", "/store/in/10.png": b"", "/store/in/deep/1.png": b""})
    store.mkdir("/store/in/empty")
    names = ["2.png", "10.png", *(["deep/1.png"] if source.endswith("**") else [])]
    (unit,) = plan([source], SourceOptions(""))
    assert unit.paths == tuple(f"memory:///store/in/{name}" for name in names)


@pytest.mark.parametrize("name", ["x[1].png", "x?.png", "x*.png"])
def test_remote_names_with_pattern_characters(store: AbstractFileSystem, name: str) -> None:
    store.pipe({f"/store/{name}": b"", "/store/x1.png": b"", f"/store/in {name}/2.png": b""})
    units = plan([f"memory://store/{name}", f"memory://store/in {name}"], SourceOptions(""))
    assert [path for unit in units for path in unit.paths] == [
        f"memory://store/{name}", f"memory:///store/in {name}/2.png"
    ]  # fmt: skip
    store.rm_file(f"/store/{name}")
    (unit,) = plan([f"memory://store/{name}"], SourceOptions(""))
    assert unit.paths == ("memory:///store/x1.png",)


@pytest.mark.parametrize("source", ["missing", "missing/*.png", "-", "empty", "nowhere://a/b", "file:///missing/a.png"])
def test_a_missing_source_is_refused_before_reading(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises((SourceNotFound, SourceUnavailable)) as refused:
        read_here("out", pictures, source)
    assert "\n" not in str(refused.value)
    assert not parts_of(tmp_path / "out")


def test_an_ambiguous_column_is_refused_before_reading(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet_of({"a": [b""], "b": [b""]}))
    with pytest.raises(DatasetInvalid, match="--column"):
        read_here(tmp_path / "out", tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(parquet_of({"a": [b"x"], "b": [picture(3)]}))
    assert read_here(tmp_path / "b", tmp_path / "b.parquet", column="b").failed == 0


def test_broken_shards_keep_their_readable_pictures(pictures: Path, tmp_path: Path) -> None:
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


def test_an_unusable_model_is_refused_at_once(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_text("no model")
    with pytest.raises(ArtifactError):
        read_here(tmp_path / "out", pictures, reading=ReaderOptions(str(tmp_path / "model.tflite")))
    assert not (tmp_path / "out").exists()


def test_an_unwritable_output_is_an_error(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputNotWritable, match="file"):
        read_here(tmp_path / "file" / "out", pictures)


def test_missing_extra_names_the_install(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgedigits.bulk.bulk_reading.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"edgedigits\[ray\]"):
        read_here(tmp_path / "out", pictures)


def test_a_machine_without_the_sources_is_an_error(pictures: Path, tmp_path: Path) -> None:
    def elsewhere(job, numbers, options, progress):  # type: ignore[no-untyped-def]
        pictures.rename(tmp_path / "elsewhere")
        yield from here(job, numbers, options, progress)

    with pytest.raises(EdgedigitsError, match=r"pictures"):
        read_bulk(BulkOptions((str(pictures),), str(tmp_path / "out")), RecordedProgress(), elsewhere)


def test_undecodable_names_are_read(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    write_pictures(tmp_path / "in", 0)
    (tmp_path / "in" / name).write_bytes(picture(3))
    assert read_here(tmp_path / "out", tmp_path / "in").failed == 0
    assert rows_of(tmp_path / "out")[0]["source"].endswith(r"\udcff.png")


def test_model_is_sent_to_the_workers(pictures: Path, tmp_path: Path) -> None:
    """A worker on another machine does not have the file."""
    model = tmp_path / "model.tflite"
    shutil.copy(write_tflite(tmp_path, "int8"), model)

    def elsewhere(job, numbers, options, progress):  # type: ignore[no-untyped-def]
        model.unlink()
        yield from here(job, numbers, options, progress)

    options = BulkOptions((str(pictures),), str(tmp_path / "out"), ReaderOptions(str(model)))
    assert read_bulk(options, RecordedProgress(), elsewhere).failed == 0


def test_ctrl_c_reports_progress(pictures: Path, tmp_path: Path) -> None:
    def interrupted(job, numbers, options, progress):  # type: ignore[no-untyped-def]
        yield from here(job, numbers[:2], options, progress)
        raise KeyboardInterrupt

    options = BulkOptions((str(pictures),), str(tmp_path / "out"), part_size=6)
    with pytest.raises(KeyboardInterrupt, match=r"2 of 4 .*--resume"):
        read_bulk(options, RecordedProgress(), interrupted)
    assert read_here(tmp_path / "out", pictures, part_size=6, resume=True).pictures == 20


def test_a_picture_that_kills_readers_is_given_up(tmp_path: Path) -> None:
    folder = open_folder(str(tmp_path))
    for attempt in range(CAREFUL + DEADLY):
        now = Attempt(folder, 5, "session")
        assert now.careful == (attempt >= CAREFUL)
        assert [now.may_read(index) for index in range(4)] == [True] * 4
    final = Attempt(folder, 5, "session")
    assert [final.may_read(index) for index in range(5)] == [True, True, True, False, True]
    # A killed driver kills its readers, so no picture is suspected.
    assert not Attempt(folder, 5, "another").careful
    final.done()
    assert not Attempt(folder, 5, "session").careful


def test_a_unit_that_kills_all_readers_is_an_error(tmp_path: Path) -> None:
    folder = open_folder(str(tmp_path))
    for _ in range(HOPELESS):
        Attempt(folder, 0, "session")
    with pytest.raises(EdgedigitsError, match="--workers"):
        Attempt(folder, 0, "session")


@settings(max_examples=20)
@given(st.integers(0, 300), st.integers(1, 20))
def test_plan_round_trip(tmp_path_factory: pytest.TempPathFactory, count: int, size: int) -> None:
    folder = tmp_path_factory.mktemp("plan")
    names = [f"s3://bucket/{index}.png" for index in range(count)]
    for name in names:
        (folder / Path(name).name).touch()
    units = list(plan([str(folder)], SourceOptions("", size=size))) if count else []
    out = open_folder(str(folder / "out"))
    assert write_plan(out, units) == PlanSize(len(units), count)
    assert [load_unit(out, unit.number) for unit in units] == units
    assert len([path for unit in units for path in unit.paths]) == count


def test_unit_size_grows_with_the_number_of_pictures() -> None:
    sizes = [SourceOptions("").unit_size(planned) for planned in (0, 100_000, 10_000_000)]
    assert sizes == [256, 500, 10_000]


@pytest.mark.parametrize(
    ("name", "number"), [("part-000012.parquet", 12), ("part-12.parquet", None), ("_run.json", None)]
)
def test_numbers_of_parts(name: str, number: int | None) -> None:
    assert number_of(name) == number
