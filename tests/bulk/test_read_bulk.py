"""`edgedigits read-bulk` on Ray: its output, and that kills neither lose nor double rows."""

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, RunCommand, restore_sigint
from tests.support.bulk_sources import parts_of, read_here, rows_of, tar_of, write_pictures
from tests.support.ray_nodes import Nodes, two_nodes

pytestmark = pytest.mark.slow

SUPPORT = REPOSITORY / "tests" / "support"
PHOTOS = sorted((REPOSITORY / "examples").glob("*.*g"))
PART_SIZE = 8

ACTOR = b"UnitReader"
"""Part of the name that Ray gives to a reading process."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that take some seconds to read, and unreadable ones."""
    folder = tmp_path_factory.mktemp("pictures")
    for index in range(30):
        for photo in PHOTOS:
            shutil.copy(photo, folder / f"{index}-{photo.name}")
        (folder / f"{index}-z.png").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def quiet(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The parts of an undisturbed run."""
    out = tmp_path_factory.mktemp("quiet") / "out"
    read_here(out, pictures, part_size=PART_SIZE)
    return parts_of(out)


class Cluster(Nodes):
    """A Ray cluster of two nodes on this machine."""

    def actors(self) -> list[int]:
        """Return the reading processes."""
        return [
            pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc")))  # noqa: PTH208  # names alone
            if _parent(pid) in self.raylets and ACTOR in _line(pid)
        ]  # fmt: skip

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start `edgedigits read-bulk ...` on the cluster."""
        command = [sys.executable, "-m", "edgedigits", "read-bulk", *map(str, arguments), "--address", self.address]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with two_nodes() as nodes:
        yield Cluster(**vars(nodes))


def wait_for(done: Callable[[], object], running: subprocess.Popen[str]) -> None:
    """Wait for a condition while a process runs."""
    while not done():
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)


def finished(running: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error."""
    out, errors = running.communicate()
    return running.returncode, out, errors


@pytest.mark.parametrize("address", [(), ("--address", "local")], ids=["without Ray", "Ray"])
def test_relative_folders_on_this_machine(tmp_path: Path, run_command: RunCommand, address: tuple[str, ...]) -> None:
    write_pictures(tmp_path / "in", 40)
    (tmp_path / "in" / "a.tar").write_bytes(tar_of(9))
    (tmp_path / "in" / "text.png").write_text("no picture")
    done = run_command("read-bulk", "in", "--out", "out", "--part-size", 7, *address)
    assert done.stderr == ""
    first, second, third = done.stdout.splitlines()
    assert first.startswith("50 ") and second.startswith("49 ") and " 1 " in second
    assert "1 PictureUnreadable" in third and "text.png" in third
    read_here(tmp_path / "quiet", tmp_path / "in", part_size=7)
    assert [{**row, "source": str(tmp_path / row["source"])} for row in rows_of(tmp_path / "out")] == [
        {**row, "error": row["error"]} for row in rows_of(tmp_path / "quiet")
    ]


def test_refusals_are_one_line_without_ray(tmp_path: Path, run_command: RunCommand) -> None:
    write_pictures(tmp_path / "in", 3)
    for arguments in (["missing"], ["in", "--model", "missing"], ["in", "--address", "127.0.0.1:1"]):
        done = run_command("read-bulk", *arguments, "--out", "out", check=1)
        assert done.stdout == ""
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_a_truncated_shard_gives_exit_code_1(cluster: Cluster, tmp_path: Path) -> None:
    content = tar_of(9)
    (tmp_path / "a.tar").write_bytes(content[: len(content) // 2])
    code, out, errors = finished(cluster.start(tmp_path / "a.tar", "--out", tmp_path / "out"))
    assert code == 1
    assert errors.count("\n") == 1 and str(tmp_path / "a.tar") in errors
    assert "ShardBroken" in out and len(rows_of(tmp_path / "out")) > 2


def test_reading_through_rays_client(cluster: Cluster, tmp_path: Path, quiet: dict[str, bytes], pictures: Path) -> None:
    reaching = dataclasses.replace(cluster, address=cluster.client)
    code, out, errors = finished(reaching.start(pictures, "--out", tmp_path / "out", "--part-size", str(PART_SIZE)))
    assert (code, errors) == (0, ""), out
    assert parts_of(tmp_path / "out") == quiet


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_drivers_lose_and_double_nothing(
    cluster: Cluster, tmp_path: Path, quiet: dict[str, bytes], pictures: Path, seed: int
) -> None:
    dice = random.Random(seed)
    out = tmp_path / "out"
    arguments = (pictures, "--out", out, "--part-size", str(PART_SIZE), "--resume")
    for _ in range(2):
        running = cluster.start(*arguments)
        enough = len(parts_of(out)) + dice.randrange(1, 12)
        wait_for(lambda: len([*out.glob("part-*")]) >= enough, running)  # noqa: B023  # called before the next
        time.sleep(dice.random() / 10)
        running.kill()
        running.communicate()
        assert set(parts_of(out).items()) <= set(quiet.items())
    code, out_text, errors = finished(cluster.start(*arguments))
    assert (code, errors) == (0, ""), out_text
    assert parts_of(out) == quiet
    assert "30 errors" in out_text


def test_ctrl_c_reports_progress(cluster: Cluster, tmp_path: Path, pictures: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "edgedigits", "read-bulk", pictures, "--out", out, "--part-size", str(PART_SIZE)]
    running = subprocess.Popen(
        [*command, "--address", cluster.address], env=cluster.environment, preexec_fn=restore_sigint,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: [*out.glob("part-*")], running)
    running.send_signal(signal.SIGINT)
    code, out_text, errors = finished(running)
    assert (code, out_text) == (130, "")
    assert "--resume" in errors and errors.count("\n") == 1


def test_a_picture_that_kills_readers_becomes_an_error(cluster: Cluster, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 30)
    shutil.copy(PHOTOS[0], tmp_path / "in" / "12-deadly.png")
    done = subprocess.run(
        [sys.executable, SUPPORT / "deadly_reading.py", tmp_path / "in", tmp_path / "out", cluster.address],
        env=cluster.environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["errors"] == {"PictureEndsReader": 1}
    rows = rows_of(tmp_path / "out")
    assert [row["source"] for row in rows if row["error"]] == [str(tmp_path / "in" / "12-deadly.png")]
    assert len(rows) == 31


@pytest.mark.parametrize("seed", [3])
def test_killed_actors_and_a_killed_node_lose_nothing(
    tmp_path: Path, quiet: dict[str, bytes], pictures: Path, seed: int
) -> None:
    dice = random.Random(seed)
    out = tmp_path / "out"
    with two_nodes() as nodes:
        cluster = Cluster(**vars(nodes))
        running = cluster.start(pictures, "--out", out, "--part-size", str(PART_SIZE))
        for _ in range(4):
            enough = len([*out.glob("part-*")]) + dice.randrange(1, 6)
            wait_for(lambda: cluster.actors() and len([*out.glob("part-*")]) >= enough, running)  # noqa: B023
            time.sleep(dice.random() / 10)
            if actors := cluster.actors():
                os.kill(dice.choice(actors), signal.SIGKILL)
        os.kill(cluster.raylets[1], signal.SIGKILL)
        code, out_text, errors = finished(running)
    assert (code, errors) == (0, ""), out_text
    assert out_text.startswith("510 ") and out_text.count("\n") == 3
    assert parts_of(out) == quiet
