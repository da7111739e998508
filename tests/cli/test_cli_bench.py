"""The command `edgedigits bench`."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from edgedigits.benchmarking.results.result_file import read_result
from edgedigits.cli import app
from edgedigits_runtime.timing import STAGES
from tests.conftest import REPOSITORY, RunCommand, restore_sigint

SCHEMA = REPOSITORY / "docs" / "bench.schema.json"
QUICK = ("--model", "pico", "--pictures", "small", "--iterations", "20", "--seconds", "0.2")


@pytest.mark.slow
def test_bench_writes_a_complete_result(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("bench", *QUICK, "--out", "pico.json", "--sustained", "--minutes", "0.01")
    for text in ("Steady latency in ms", "Throughput", "cold start", "memory", "single-stream", "COMPARABLE"):
        assert text.lower() in done.stdout.lower()
    assert "pico.json" in done.stdout
    result = read_result(tmp_path / "pico.json")
    if SCHEMA.exists():
        jsonschema.validate(result, json.loads(SCHEMA.read_text()))
    assert result["complete"]
    assert list(result["stages"]) == [*STAGES, "total"]
    assert result["workload"]["engine"] == "litert"
    assert result["cold_start"]["repeats"] >= 3
    assert result["memory"]["peak_bytes"] > result["memory"]["before_bytes"] > 0
    assert result["failures"] == []
    assert result["sustained"]["windows"]


@pytest.mark.slow
def test_the_engine_alone_as_json(run_command: RunCommand) -> None:
    done = run_command("bench", *QUICK, "--what", "invoke", "--json")
    result = json.loads(done.stdout)
    assert list(result["stages"]) == ["invoke", "total"]
    assert result["workload"]["what"] == "invoke"


@pytest.mark.slow
def test_a_file_to_submit_is_named_after_machine_and_model(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("bench", *QUICK, "--submit-file")
    (file,) = tmp_path.glob("*.json")
    assert file.name.endswith("-pico-int8-litert-read.json")
    result = read_result(file)
    assert ("benchmarks/results/boards/" in done.stderr) == result["comparable"]["yes"]
    assert result["complete"]


@pytest.mark.slow
def test_a_failed_section_is_reported_and_the_others_are_kept(run_command: RunCommand, tmp_path: Path) -> None:
    offline = {"EDGEDIGITS_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9"}
    done = run_command("bench", *QUICK, "--accuracy", "--out", "a.json", check=1, env={**os.environ, **offline})
    assert "not measured: accuracy" in done.stdout
    result = read_result(tmp_path / "a.json")
    assert not result["complete"]
    assert result["stages"]["total"]["count"] >= 20


@pytest.mark.slow
def test_ctrl_c_keeps_and_prints_the_sections_so_far(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    command = [sys.executable, "-m", "edgedigits", "bench", *QUICK[:4], "--seconds", "600", "--out", str(file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=restore_sigint
    ) as process:
        while process.poll() is None and not (file.exists() and "memory" in read_result(file)):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode == 130
    assert "cold start" in output
    assert "not complete" in output
    assert "Traceback" not in errors
    assert read_result(file)["complete"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        (["--iterations", "0"], 2, "0"),
        (["--seconds", "-1"], 2, "-1"),
        (["--what", "train"], 2, "train"),
        (["--out", "a.json", "--submit-file"], 2, "--submit-file"),
        (["--cores", "a"], 2, "cores"),
        (["--minutes", "5"], 2, "--sustained"),
        (["--images", "5"], 2, "--accuracy"),
        (["--meter", "solar"], 1, "solar"),
        (["--model", "bass"], 1, "bass"),
        (["--pictures", "nowhere"], 1, "nowhere"),
        (["--model", "base", "--out", "/proc/a.json"], 1, "/proc/a.json"),
    ],
)
def test_bad_input(arguments: list[str], code: int, fact: str) -> None:
    done = CliRunner().invoke(app, ["bench", *arguments])
    assert done.exit_code == code, done.output
    assert fact in " ".join(done.output.replace("│", " ").split())
    assert "Traceback" not in done.output
