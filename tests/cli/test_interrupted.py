"""Ctrl-C ends a command at once: without a traceback, without processes that go on, and with what to do next."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgedigits.cli import app
from tests.conftest import REPOSITORY, restore_sigint

PATIENCE = 60
"""Seconds for an end on a loaded machine; reading the rest would take minutes."""


def interrupt(folder: Path, *arguments: str, when: Callable[["subprocess.Popen[str]"], object]) -> str:
    """Start a command, press Ctrl-C after `when` has returned, and return standard error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edgedigits", *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=restore_sigint,
    )  # fmt: skip
    try:
        when(process)
        # A terminal sends the signal to every process of the command.
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130 and "Traceback" not in errors, errors
    return errors


def test_reading_a_folder_in_several_processes(tmp_path: Path) -> None:
    for number in range(3000):
        shutil.copy(REPOSITORY / "examples" / "3-blue-pen.jpg", tmp_path / f"{number}.jpg")
    errors = interrupt(
        tmp_path, "predict", ".", "--jobs", "2", "--csv", when=lambda process: [process.stdout.readline() for _ in "12"]
    )
    assert errors.strip() == "interrupted"


def test_a_matrix_keeps_its_finished_rounds(tmp_path: Path) -> None:
    out = tmp_path / "matrix.json"

    def wait(process: "subprocess.Popen[str]") -> None:
        while not (out.is_file() and "rows" in json.loads(out.read_text())):
            assert process.poll() is None
            time.sleep(0.1)

    few = ["--models", "pico", "--engines", "litert", "--threads", "1", "--rounds", "5000", "--seconds", "500"]
    assert str(out) in interrupt(tmp_path, "bench", "matrix", *few, "--out", str(out), when=wait)
    assert json.loads(out.read_text())["complete"] is False


def test_reproduce_says_how_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt("interrupted; to resume: edgedigits train --resume somewhere")

    monkeypatch.setattr("edgedigits.reproduction.reproduce", stop)
    # Nothing is trained here.
    monkeypatch.setattr("edgedigits_exporters.keras_backend.load_keras", lambda: None)
    command = ["reproduce", "--recipe", "plain-2conv", "--recipe", "plain-3conv", "--seeds", "2", "--runs", "my runs"]
    done = CliRunner().invoke(app, command, prog_name="edgedigits")
    assert done.exit_code == 130
    again = "--recipe plain-2conv --recipe plain-3conv --seeds 2 --runs 'my runs'"
    assert f"edgedigits reproduce {again}" in done.stderr and "train --resume" not in done.stderr
