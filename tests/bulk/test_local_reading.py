"""`edgedigits read-bulk` on this machine, without Ray: kills of readers and of the command lose and double nothing."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.conftest import REPOSITORY, restore_sigint
from tests.support.bulk_sources import parts_of, read_here, rows_of, write_pictures
from tests.support.new_interpreter import environment

pytestmark = pytest.mark.slow

COUNT, PART_SIZE = 400, 10
PHOTO = REPOSITORY / "examples" / "3-blue-pen.jpg"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small pictures, photos that take longer, and files that are no pictures."""
    folder = write_pictures(tmp_path_factory.mktemp("pictures") / "in", COUNT)
    for index in range(0, COUNT, 20):
        shutil.copy(PHOTO, folder / f"{index}-photo.jpg")
        (folder / f"{index}-z.png").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def quiet(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The parts of an undisturbed run."""
    out = tmp_path_factory.mktemp("quiet") / "out"
    read_here(out, pictures, part_size=PART_SIZE)
    return parts_of(out)


def start(pictures: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "edgedigits",
        "read-bulk",
        str(pictures),
        "--out",
        str(out),
        "--workers",
        "2",
        *more,
    ]
    return subprocess.Popen(
        [*command, "--part-size", str(PART_SIZE)], env=environment(), preexec_fn=restore_sigint,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def readers(running: subprocess.Popen[str]) -> list[psutil.Process]:
    return [child for child in psutil.Process(running.pid).children() if "spawn_main" in " ".join(child.cmdline())]


def wait_for(done: Callable[[], object], running: subprocess.Popen[str]) -> None:
    while not done():
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)


def test_killed_readers_lose_nothing(pictures: Path, quiet: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = start(pictures, out)
    for enough in (1, 8, 16):
        wait_for(lambda: len([*out.glob("part-*")]) >= enough and readers(running), running)  # noqa: B023  # called before the next
        for reader in readers(running)[: 2 if enough == 8 else 1]:
            reader.kill()
    printed, errors = running.communicate()
    assert (running.returncode, errors) == (0, ""), printed
    assert parts_of(out) == quiet


def test_a_killed_command_ends_its_readers_and_is_resumed(
    pictures: Path, quiet: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    running = start(pictures, out)
    wait_for(lambda: len([*out.glob("part-*")]) >= 3, running)
    left = readers(running)
    running.kill()
    running.communicate()
    assert psutil.wait_procs(left, timeout=30)[1] == []
    assert set(parts_of(out).items()) <= set(quiet.items())
    running = start(pictures, out, "--resume")
    printed, errors = running.communicate()
    assert (running.returncode, errors) == (0, ""), printed
    assert parts_of(out) == quiet


def test_ctrl_c_ends_readers_and_reports_progress(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = start(pictures, out)
    wait_for(lambda: [*out.glob("part-*")], running)
    left = readers(running)
    # As a terminal does, to the readers too.
    for reader in left:
        reader.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    printed, errors = running.communicate()
    assert (running.returncode, printed) == (130, "")
    assert "--resume" in errors and errors.count("\n") == 1
    assert psutil.wait_procs(left, timeout=30)[1] == []


def test_a_picture_that_kills_readers_becomes_an_error(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 12)
    shutil.copy(PHOTO, tmp_path / "in" / "7-deadly.png")
    script = REPOSITORY / "tests" / "support" / "deadly_reading.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path / "in", tmp_path / "out"],
        env=environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["errors"] == {"PictureEndsReader": 1}
    rows = rows_of(tmp_path / "out")
    assert [row["source"] for row in rows if row["error"]] == [str(tmp_path / "in" / "7-deadly.png")]
    assert len(rows) == 13
