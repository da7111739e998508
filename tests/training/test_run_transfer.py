"""Copying a run folder between machines: a new folder is written atomically, an existing one file by file."""

from pathlib import Path

import pytest

from edgedigits.training import run_transfer
from edgedigits.training.run_folder import RunFolder, newest_run
from edgedigits.training.run_transfer import ORDER, read_files, write_files
from edgedigits_runtime.errors import OutputNotWritable

EARLIER = {name: b"earlier " + name.encode() for name in ("config.json", "checkpoint.keras")}
LATER = {name: b"later " + name.encode() for name in ORDER}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs" / "pico-0")


def stop_at(monkeypatch: pytest.MonkeyPatch, writing: int) -> None:
    """Let the writing of that number fail, as at a kill."""
    left = iter(range(writing))

    def write(path: Path, content: bytes) -> None:
        next(left)
        path.write_bytes(content)

    monkeypatch.setattr(run_transfer, "write_whole", write)


def test_files_survive_a_round_trip(run: RunFolder) -> None:
    assert read_files(run) == {}
    write_files(EARLIER, run)
    (run.path / "pico.int8.tflite").write_bytes(b"an export")
    assert read_files(run) == EARLIER
    write_files(LATER, run)
    assert read_files(run) == LATER
    assert {path.name for path in run.path.iterdir()} == {*ORDER, "pico.int8.tflite"}


@pytest.mark.parametrize("writing", range(len(ORDER)))
def test_a_new_folder_is_written_atomically(run: RunFolder, writing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_at(monkeypatch, writing)
    with pytest.raises(StopIteration):
        write_files(LATER, run)
    assert not list(run.path.parent.iterdir())


@pytest.mark.parametrize("writing", range(len(ORDER)))
def test_a_run_is_finished_only_with_all_its_files(
    run: RunFolder, writing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(EARLIER, run)
    stop_at(monkeypatch, writing)
    with pytest.raises(StopIteration):
        write_files(LATER, run)
    found = read_files(run)
    assert "model.keras" not in found
    assert all(content in (EARLIER.get(name), LATER[name]) for name, content in found.items())
    assert set(EARLIER) <= set(found)


def test_folders_of_killed_processes_are_removed(run: RunFolder) -> None:
    left = run.path.parent / ".pico-0-abc.tmp"
    left.mkdir(parents=True)
    (left / "model.keras").write_bytes(b"half")
    assert newest_run(run.path.parent) is None
    write_files(LATER, run)
    assert newest_run(run.path.parent) == run
    assert list(run.path.parent.iterdir()) == [run.path]


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputNotWritable):
        write_files(LATER, RunFolder(tmp_path / "file" / "pico-0"))
