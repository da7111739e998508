"""Files are written atomically, whatever fails."""

import errno
import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.whole_files import whole_file, write_whole


@given(content=st.binary(max_size=1000) | st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_written_file_has_its_content(content: bytes | str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "folder" / "whole.bin"
    assert write_whole(path, content) == path
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize(
    "error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3), OSError(28, "No space left on device")]
)
def test_the_old_file_survives_an_error_and_nothing_is_left_behind(
    error: BaseException, relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("model.onnx") if relative else tmp_path / "model.onnx"
    path.write_text("old")
    became = OutputNotWritable if isinstance(error, OSError) else type(error)
    with pytest.raises(became), whole_file(path) as temporary:
        temporary.write_text("half of the n")
        raise error
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.onnx"]


def test_the_name_appears_only_at_the_end_and_the_temporary_keeps_folder_and_suffix(tmp_path: Path) -> None:
    path = tmp_path / "new" / "model.onnx"
    with whole_file(path) as temporary:
        temporary.write_text("x")
        assert not path.exists()
        assert temporary.parent == path.parent
        assert temporary.suffix == ".onnx"
    assert path.read_text() == "x"


def test_the_file_is_synced_before_and_the_folder_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a power failure could leave half a file, or take the new name away."""
    path, done = tmp_path / "model.onnx", []

    def sync(handle: int) -> None:
        done.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    write_whole(path, b"x")
    assert done == [(False, False), (True, True)]


def test_a_file_system_that_syncs_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", sync)
    assert write_whole(tmp_path / "file", b"x").read_bytes() == b"x"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        path = write_whole(tmp_path / "file", b"")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("name", ["file/model.onnx", "file/sub/model.onnx", "folder"])
def test_a_path_that_cannot_be_written_is_an_error(
    name: str, relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    path = Path(name) if relative else tmp_path / name
    with pytest.raises(OutputNotWritable, match=str(path)):
        write_whole(path, b"x")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"
    assert not list((tmp_path / "folder").iterdir())


def test_an_error_about_another_file_is_raised_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source"), whole_file(tmp_path / "copy") as temporary:
        shutil.copyfile(tmp_path / "source", temporary)
    with pytest.raises(FileNotFoundError, match="source"), whole_file(tmp_path / "copy"):
        (tmp_path / "source").unlink()
    assert not list(tmp_path.iterdir())


def test_a_temporary_file_that_the_writer_removed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritable, match="No such file"), whole_file(tmp_path / "model") as temporary:
        temporary.unlink()


WRITE_TOO_MUCH = """
import sys
from pathlib import Path
from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.whole_files import write_whole

path = Path(sys.argv[1], "model.onnx")
try:
    write_whole(path, bytes(300_000))
except OutputNotWritable as error:
    print(error)
    print(*(entry.name for entry in path.parent.iterdir()), path.read_text())
"""


def _small_files_only() -> None:
    import signal

    # Otherwise the signal would end the process before the write can fail.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))


def test_a_file_beyond_the_limit(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path)],
        preexec_fn=_small_files_only, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"cannot write {tmp_path}/model.onnx: File too large", "model.onnx old"]


def _on_a_disk_of_its_own(prepare: str, tmp_path: Path) -> list[str]:
    """Root may write anywhere, so the file system itself must refuse."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed: package util-linux")
    script = f'mount -t tmpfs -o size=64k none "$1" && printf old > "$1/model.onnx" && {prepare} exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(tmp_path), sys.executable, WRITE_TOO_MUCH],
        capture_output=True,
        text=True,
    )
    if "unshare failed" in done.stderr or "permission denied" in done.stderr:
        pytest.skip(f"this machine lets no user mount a file system: {done.stderr.strip()}")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [("", "No space left on device"), ('mount -o remount,ro "$1" &&', "Read-only file system")],
)
def test_a_full_disk_and_a_read_only_folder(prepare: str, reason: str, tmp_path: Path) -> None:
    printed = _on_a_disk_of_its_own(prepare, tmp_path)
    assert printed == [f"cannot write {tmp_path}/model.onnx: {reason}", "model.onnx old"]
