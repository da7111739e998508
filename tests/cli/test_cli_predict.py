"""`edgedigits predict` on many pictures: tables, CSV, drawings, processes."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import REPOSITORY, RunCommand, restore_sigint

EXAMPLES = REPOSITORY / "examples"
BLUE_PEN = EXAMPLES / "3-blue-pen.jpg"
SMALL = EXAMPLES / "5-white-on-black-28x28.png"

pty = pytest.importorskip("pty")


def on_a_terminal(*arguments: str | Path, columns: int = 60) -> str:
    """Return the output of `edgedigits predict` on a terminal; standard input is a picture."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    command = [sys.executable, "-m", "edgedigits", "predict", *map(str, arguments)]
    with SMALL.open("rb") as picture:
        process = subprocess.Popen(
            command, stdin=picture, stdout=theirs, stderr=theirs, env={**environment, "TERM": "xterm"}
        )
    os.close(theirs)
    output = b""
    try:
        while read := os.read(ours, 65536):
            output += read
    except OSError:
        pass  # Linux raises this when the other end is closed.
    finally:
        os.close(ours)
    assert process.wait() == 0, output
    return output.decode().replace("\r\n", "\n")


def test_csv_has_one_row_for_each_picture_and_its_error(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    done = run_here("predict", BLUE_PEN, "bad.png", "--csv", check=1)
    first, second = csv.DictReader(done.stdout.splitlines())
    assert (first["source"], first["text"], first["digits"], first["error"]) == (str(BLUE_PEN), "3", "1", "")
    assert 0.5 < float(first["confidence"]) <= 1 and float(first["ms"]) > 0
    assert (second["source"], second["text"], second["digits"]) == ("bad.png", "", "") and "bad.png" in second["error"]
    assert "bad.png" in done.stderr


def test_json_excludes_csv(run_here: RunCommand) -> None:
    assert "--csv" in run_here("predict", BLUE_PEN, "--json", "--csv", check=2).stderr


def test_several_processes_print_the_same_rows_in_order(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    sources = [BLUE_PEN, "bad.png", EXAMPLES, "missing.png"]
    alone = run_command("predict", *sources, "--csv", check=1)
    together = run_command("predict", *sources, "--csv", "--jobs", "2", check=1)

    def rows(text: str) -> list[list[str]]:
        return [
            [row["source"], row["text"], row["confidence"], row["error"]] for row in csv.DictReader(text.splitlines())
        ]

    assert len(rows(alone.stdout)) == 19
    assert rows(together.stdout) == rows(alone.stdout)
    assert together.stderr == alone.stderr


def test_several_processes_print_the_same_json(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    for number in range(90):
        shutil.copy(SMALL, tmp_path / f"{number}.png")
    alone, together = (
        run_command("predict", tmp_path, BLUE_PEN, "--json", "--jobs", jobs, check=1) for jobs in ("1", "2")
    )
    lines = [[json.loads(line) for line in done.stdout.splitlines()] for done in (alone, together)]
    assert len(lines[0]) == 92 and [line["source"] for line in lines[0]][-2] == str(tmp_path / "bad.png")
    assert list(lines[0][-2]) == ["source", "error"]
    for line in chain(*lines):
        line.pop("ms", None)
    assert lines[0] == lines[1]
    assert alone.stderr == together.stderr == ""


def test_an_unusable_model_is_one_error_with_several_processes(run_command: RunCommand) -> None:
    done = run_command("predict", EXAMPLES, "--jobs", "2", "--model", "nothing", check=1)
    assert done.stderr.count("\n") == 1 and "nothing" in done.stderr


def test_pictures_with_the_same_name_have_separate_drawings(run_here: RunCommand, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(SMALL, tmp_path / folder / "5.png")
    before = (tmp_path / "a" / "5.png").read_bytes()
    # The drawings go to the folder of the pictures and must not overwrite them.
    folders = ("--annotate", "a", "--show-input", "a", "--explain", "out/new")
    run_here("predict", "a/5.png", "b/5.png", *folders)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "5-2.annotated.png", "5-2.input.png", "5.annotated.png", "5.input.png", "5.png"
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out" / "new").iterdir()) == [
        "5-2.explained.png", "5.explained.png"
    ]  # fmt: skip
    assert (tmp_path / "a" / "5.png").read_bytes() == before
    with Image.open(tmp_path / "out" / "new" / "5.explained.png") as sheet:
        assert sheet.width > 300


def test_drawings_of_a_jpeg_and_of_standard_input(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgedigits", "predict", "-", str(BLUE_PEN), "--annotate", "out"]
    subprocess.run(command, input=SMALL.read_bytes(), cwd=tmp_path, check=True, capture_output=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "3-blue-pen.annotated.jpg", "standard-input.annotated.png"
    ]  # fmt: skip


def test_a_drawing_folder_that_cannot_be_made_is_one_error(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run_here("predict", EXAMPLES, "--annotate", "file", check=1)
    assert done.stdout == "" and done.stderr.count("\n") == 1


def test_verbose_prints_engine_and_stages_to_standard_error(run_here: RunCommand) -> None:
    done = run_here("predict", SMALL, BLUE_PEN, "-v", "--kernels", "reference")
    assert len(done.stdout.splitlines()) == 2
    first, *stages = done.stderr.splitlines()
    assert first == "base on litert, cpu (reference)"
    assert [line.partition(": decode ")[0] for line in stages] == [str(SMALL), str(BLUE_PEN)]


def test_an_engine_selects_the_matching_file_of_a_shipped_model(run_here: RunCommand) -> None:
    done = run_here("predict", SMALL, "-v", "--engine", "onnxruntime")
    assert done.stderr.startswith("base on onnxruntime, cpu (CPUExecutionProvider)\n")


def test_an_unavailable_device_is_an_error(run_here: RunCommand) -> None:
    done = run_here("predict", SMALL, "--device", "tensorrt", check=1)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ") and "--device tensorrt" in done.stderr


def test_cores_must_be_numbers(run_here: RunCommand) -> None:
    assert "0,1" in run_here("predict", SMALL, "--cores", "all", check=2).stderr


def test_expect_and_length_reach_the_reader(run_here: RunCommand) -> None:
    reading = json.loads(run_here("predict", BLUE_PEN, "--expect", "one", "--length", "1", "--json").stdout)
    assert reading["text"] == "3"
    assert "maybe" in run_here("predict", BLUE_PEN, "--expect", "maybe", check=2).stderr
    run_here("predict", BLUE_PEN, "--length", "0", check=2)


def test_several_pictures_are_printed_as_a_table_on_a_terminal() -> None:
    lines = on_a_terminal(EXAMPLES).splitlines()
    assert lines[0].split() == ["picture", "sure", "reads"]
    assert len(lines) == 17 and all(len(line) <= 60 for line in lines)
    assert any("…" in line for line in lines) or str(EXAMPLES) in lines[1]


def test_one_picture_is_printed_as_one_line_on_a_terminal() -> None:
    (line,) = on_a_terminal(BLUE_PEN).splitlines()
    assert line.startswith(f"{BLUE_PEN}: 3  ")


def test_many_pictures_have_a_progress_bar_on_a_terminal(tmp_path: Path) -> None:
    for number in range(24):
        shutil.copy(SMALL, tmp_path / f"{number}.png")
    output = on_a_terminal(tmp_path, "-", columns=100)
    assert "25/25" in output
    assert sum(f"{number}.png" in output for number in range(24)) == 24


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_prints_one_line(tmp_path: Path, jobs: str) -> None:
    for number in range(3000):
        (tmp_path / f"{number}.png").hardlink_to(tmp_path / "0.png") if number else shutil.copy(
            SMALL, tmp_path / "0.png"
        )
    command = [sys.executable, "-m", "edgedigits", "predict", str(tmp_path), "--jobs", jobs]
    # Like a terminal, the signal goes to every process of the session.
    reading = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=restore_sigint, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert reading.stdout is not None
    reading.stdout.readline()
    os.killpg(reading.pid, signal.SIGINT)
    _, errors = reading.communicate()
    assert (reading.returncode, errors) == (130, "interrupted\n")
