"""`edgedigits watch` on clips, streams and folders, with signals and a stream that ends early."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image

from edgedigits_runtime.live.preview import Preview
from edgedigits_runtime.sources.opencv import opencv
from edgedigits_runtime.sources.synthetic_camera import Film, SyntheticCamera
from edgedigits_runtime.sources.video import VideoFile
from tests.conftest import REPOSITORY, RunCommand, restore_sigint
from tests.support.streamed_camera import streamed

SCHEMA = json.loads((REPOSITORY / "docs" / "reading.schema.json").read_text())
CAMERA = SyntheticCamera(Film(numbers=("42", "7"), seconds=2), seed=3)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of video at 15 frames per second."""
    cv2, path = opencv(), tmp_path_factory.mktemp("clip") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15, (640, 480))
    for number in range(0, 120, 2):
        writer.write(CAMERA.picture(number)[..., ::-1])
    writer.release()
    return path


def started(*arguments: str | Path, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "edgedigits", "watch", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, preexec_fn=restore_sigint,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def frames(path: Path) -> int:
    capture, count = VideoFile(path).connect(), 0
    while capture.grab() is not None:
        count += 1
    capture.close()
    return count


def checked(lines: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in lines.splitlines()]
    for line in found:
        jsonschema.validate(line, SCHEMA)
    return found


def test_clip_is_read_and_annotated(run_command: RunCommand, clip: Path, tmp_path: Path) -> None:
    done = run_command("watch", clip, "--annotate", "out.mp4")
    assert [line.split()[2] for line in done.stdout.splitlines()] == ["42", "7"]
    assert "60 frames, 60 read" in done.stderr and "out.mp4" in done.stderr.splitlines()[-1]
    assert frames(tmp_path / "out.mp4") == 60


def test_json_lines_follow_schema_and_each_number_is_new_once(run_command: RunCommand, clip: Path) -> None:
    lines = checked(run_command("watch", clip, "--json", "--max-fps", "8", "--roi", "0,0,640,480").stdout)
    assert 28 <= len(lines) <= 34
    assert [line["text"] for line in lines if line["new"]] == ["42", "7"]
    assert [text for text, _ in groupby(line["text"] for line in lines)] == ["", "42", "7"]
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_stops_with_summary_and_complete_video(tmp_path: Path, number: int, code: int) -> None:
    watching = started("synthetic", "--json", "--annotate", "out.mp4", folder=tmp_path)
    assert watching.stdout is not None
    for _ in range(8):
        checked(watching.stdout.readline())
    watching.send_signal(number)
    lines, errors = watching.communicate(timeout=60)
    checked(lines)
    assert watching.returncode == code, errors
    assert errors.splitlines()[-2].startswith("watched ") and errors.splitlines()[-1].endswith("out.mp4")
    # The signal may arrive before the last frames are written.
    assert frames(tmp_path / "out.mp4") >= 8 // 2
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_state_is_removed_before_the_summary() -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "edgedigits", "watch", "synthetic", "--duration", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    drawn = b""
    try:
        while read := os.read(ours, 65536):
            drawn += read
    except OSError:
        pass  # Linux raises this when the other end is closed.
    finally:
        os.close(ours)
    assert process.wait() == 0, drawn
    # Each piece starts on an empty line.
    *states, summary = [piece for piece in re.split(r"\n|\x1b\[2K", drawn.decode()) if " dropped" in piece]
    assert states and all(" | " in state for state in states)
    assert summary.startswith("watched ")


def test_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    watching = started("synthetic", "--json", folder=tmp_path)
    assert watching.stdout is not None
    watching.stdout.readline()
    for _ in range(2):
        watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=60)
    assert watching.returncode == 130


@pytest.fixture
def server() -> Iterator[Preview]:
    with streamed(CAMERA, 15) as preview:
        yield preview


def test_ended_stream_is_reported_and_retried(server: Preview, tmp_path: Path) -> None:
    watching = started(f"{server.address}stream.mjpg", "--json", folder=tmp_path)
    assert watching.stdout is not None
    for _ in range(5):
        checked(watching.stdout.readline())
    server.close()
    errors: list[str] = []
    while not errors:
        errors = [found["error"] for found in checked(watching.stdout.readline()) if "error" in found]
    assert errors[0].endswith(" 0.5 s")
    watching.terminate()
    _, log = watching.communicate(timeout=60)
    assert watching.returncode == 143 and errors[0] in log and "Traceback" not in log
    assert log.splitlines()[-1].startswith("watched ")


def test_folder_is_watched(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(REPOSITORY / "examples" / "3-blue-pen.jpg", tmp_path / "in" / "1.jpg")
    watching = started("in", folder=tmp_path)
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith("in/1.jpg: 3  ")
    shutil.copy(REPOSITORY / "examples" / "5-white-on-black-28x28.png", tmp_path / "in" / "2.png")
    assert watching.stdout.readline().startswith("in/2.png: 5  ")
    Image.new("L", (40, 40), 255).save(tmp_path / "in" / "3.png")
    assert watching.stdout.readline() == "in/3.png: no digit\n"
    watching.send_signal(signal.SIGINT)
    _, log = watching.communicate(timeout=60)
    assert watching.returncode == 130 and "3 frames, 3 read" in log


def test_duration_stops_and_the_preview_is_printed_and_opened(run_command: RunCommand, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/opened\n")
    browser.chmod(0o755)
    environment = {**os.environ, "BROWSER": str(browser)}
    done = run_command("watch", "synthetic:5", "--duration", "2.5", "--open", "--max-fps", "20", env=environment)
    address, *_, summary = done.stderr.splitlines()
    assert address.startswith("preview: http://localhost:") and summary.startswith("watched ")
    assert address == f"preview: {(tmp_path / 'opened').read_text().strip()}"
    assert float(summary.split()[1]) >= 2.5


def test_source_is_not_overwritten(run_command: RunCommand, clip: Path) -> None:
    before = clip.read_bytes()
    assert "--annotate" in run_command("watch", clip, "--annotate", clip, check=2).stderr
    assert clip.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        (("nothing.mp4",), 1, "nothing.mp4"),
        (("97",), 1, "/dev/video97"),
        (("synthetic", "--annotate", "out.gif"), 1, ".mp4, .mkv, .avi"),
        (("synthetic", "--roi", "1,2,3"), 2, "--roi"),
        (("synthetic", "--roi", "900,0,10,10"), 1, "640x480"),
        (("synthetic", "--preview", "port"), 2, "--preview"),
        (("synthetic", "--model", "nothing"), 1, "nothing"),
    ],
)
def test_failure_is_one_line(run_command: RunCommand, arguments: Any, code: int, fact: str) -> None:
    done = run_command("watch", *arguments, check=code)
    assert fact in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_window_names_its_extra(run_command: RunCommand) -> None:
    if "GUI:                           NONE" not in opencv().getBuildInformation():
        pytest.skip("the installed OpenCV has windows")
    done = run_command("watch", "synthetic", "--window", check=1)
    assert "edgedigits[window]" in done.stderr


def test_engines_agree(run_command: RunCommand, clip: Path) -> None:
    done = run_command("watch", clip, "--engine", "onnxruntime", "--device", "cpu", "--json")
    lines = checked(done.stdout)
    assert {line["engine"] for line in lines} == {"onnxruntime"}
    assert [line["text"] for line in lines if line["new"]] == ["42", "7"]


def test_synthetic_camera_needs_no_extra(run_command: RunCommand) -> None:
    code = (
        "import sys\nsys.modules['cv2'] = None\nfrom edgedigits.cli import app\n"
        "app(['watch', 'synthetic', '--duration', '1', '--json'], standalone_mode=False)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(checked(done.stdout)) > 1
