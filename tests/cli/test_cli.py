"""The command line, end to end, in a new process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from edgedigits.cli import app
from edgedigits.cli.model_options import ENGINE_PANEL
from edgedigits.data.dataset import Dataset
from edgedigits.training.run_folder import RunFolder
from tests.conftest import REPOSITORY, RunCommand, restore_sigint

EXAMPLES = REPOSITORY / "examples"
COMMANDS = (
    "predict", "read-bulk", "evaluate", "train", "distill", "export", "verify", "report", "reproduce", "models", "data",
    "doctor", "demo",
)  # fmt: skip
BLUE_PEN = EXAMPLES / "3-blue-pen.jpg"


def test_help_lists_every_command(run_here: RunCommand) -> None:
    text = run_here("--help").stdout
    for command in COMMANDS:
        assert command in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(run_here: RunCommand, command: str) -> None:
    assert "Example" in run_here(command, "-h").stdout


def test_what_many_users_need_comes_first_in_the_help() -> None:
    group: Any = get_command(app)
    for name in ("predict", "watch", "serve", "evaluate", "bench"):
        parameters = group.get_command(None, name).params
        panels = [parameter.rich_help_panel for parameter in parameters if parameter.param_type_name == "option"]
        assert panels == sorted(panels, key=bool) and ENGINE_PANEL in panels


def test_a_system_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    from edgedigits import cli

    def use(path: Path) -> None:
        # Too long for any file system, even for the administrator.
        (path / ("x" * 5000)).read_bytes()

    app = typer.Typer(cls=cli.Commands, pretty_exceptions_enable=False)
    app.command("use")(use)
    app.command("other")(lambda: None)
    with pytest.raises(SystemExit) as ended:
        app(["use", "folder"], prog_name="edgedigits")
    printed = capsys.readouterr().err
    assert ended.value.code == 1
    assert printed.startswith("error: ") and "folder/xxx" in printed and printed.endswith("File name too long\n")


def test_the_shell_completes_commands(run_command: RunCommand) -> None:
    asked = {"_EDGEDIGITS_COMPLETE": "complete_bash", "COMP_WORDS": "edgedigits pre", "COMP_CWORD": "1"}
    assert run_command(check=None, env={**os.environ, **asked}).stdout.split() == ["predict"]


def test_version_is_printed(run_here: RunCommand) -> None:
    assert run_here("--version").stdout.startswith("edgedigits ")


def test_predict_reads_a_picture(run_command: RunCommand) -> None:
    assert f"{BLUE_PEN}: 3 " in run_command("predict", BLUE_PEN).stdout


def test_predict_writes_the_documented_json(run_here: RunCommand) -> None:
    reading = json.loads(run_here("predict", BLUE_PEN, "--json", "--top-k", "2").stdout)
    assert list(reading) == ["source", "text", "digits", "model", "engine", "device", "providers", "ms"]
    assert (reading["text"], reading["model"], reading["engine"]) == ("3", "base", "litert")
    assert len(reading["digits"][0]["top"]) == 2


def test_predict_reads_standard_input(run_command: RunCommand) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgedigits", "predict", "-"], input=BLUE_PEN.read_bytes(), capture_output=True
    )
    assert done.stdout.decode().startswith("-: 3 ")


def test_predict_reads_folders_and_patterns(run_here: RunCommand) -> None:
    folder = run_here("predict", EXAMPLES).stdout.splitlines()
    pattern = run_here("predict", EXAMPLES / "*.png").stdout.splitlines()
    assert len(folder) == len([*EXAMPLES.glob("*.png"), *EXAMPLES.glob("*.jpg")])
    assert len(pattern) == len([*EXAMPLES.glob("*.png")])


def test_predict_continues_after_a_bad_picture_and_exits_with_1(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    done = run_here("predict", "text.png", BLUE_PEN, "missing.png", check=1)
    assert ": 3 " in done.stdout
    assert "text.png" in done.stderr and "missing.png" in done.stderr
    lines = run_here("predict", "text.png", BLUE_PEN, "--json", check=1).stdout.splitlines()
    assert "error" in json.loads(lines[0]) and json.loads(lines[1])["text"] == "3"


def test_predict_with_onnx_reports_the_engine(run_here: RunCommand, tmp_path: Path) -> None:
    run_here("export", "base", "--format", "onnx", "--out", "copy.onnx")
    reading = json.loads(run_here("predict", BLUE_PEN, "--model", "copy.onnx", "--json").stdout)
    assert reading["engine"] == "onnxruntime" and reading["providers"] == ["CPUExecutionProvider"]
    assert reading["text"] == "3"


def test_export_of_a_shipped_name_needs_no_tensorflow(run_command: RunCommand, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'tf2onnx'): sys.modules[name] = None\n"
        "from edgedigits.cli import main\n"
        "sys.argv = ['edgedigits', 'export', '--format', 'tflite']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "base.tflite").is_file() and (tmp_path / "base.golden.npz").is_file()
    assert "3 " in run_command("predict", BLUE_PEN, "--model", "base.tflite").stdout


def test_models_lists_the_shipped_model_with_its_accuracy(run_here: RunCommand) -> None:
    rows = [json.loads(line) for line in run_here("models", "--json").stdout.splitlines()]
    (base,) = [row for row in rows if row["path"].endswith("base.tflite")]
    assert base["contract"]["verified"]["passed"] is True
    assert base["contract"]["accuracy"]["images"] == 10_000
    assert json.loads(run_here("models", "show", "base", "--contract").stdout) == base["contract"]


def test_doctor_reports_engines_and_fixes(run_command: RunCommand, tmp_path: Path) -> None:
    nowhere = {**os.environ, "EDGEDIGITS_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    findings = [json.loads(line) for line in run_command("doctor", "--json", env=nowhere).stdout.splitlines()]
    by_subject = {finding["subject"]: finding for finding in findings}
    assert "XNNPACK" in by_subject["engine litert"]["state"]
    assert "CPUExecutionProvider" in by_subject["engine onnxruntime"]["state"]
    assert by_subject["data mnist"]["mend"] == "edgedigits data download mnist"
    assert all(finding["mend"] for finding in findings if not finding["fine"])


def test_predict_imports_no_heavy_packages(run_command: RunCommand) -> None:
    code = (
        "import sys\n"
        "from edgedigits.cli import app\n"
        f"app(['predict', {str(BLUE_PEN)!r}], standalone_mode=False)\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'scipy', 'sklearn', 'onnx', 'tf2onnx', 'rich', 'pydantic'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_train_export_verify_predict(run_here: RunCommand, mnist: Dataset, tmp_path: Path) -> None:
    """All steps on the command line, with real MNIST."""
    trained = run_here("train", "--recipe", "plain-3conv", "--epochs", 1, "--out", "run").stdout
    assert "epoch 1/1" in trained and "accuracy by epoch" in trained and "run folder: run" in trained
    assert {"config.json", "history.csv", "model.keras", "best.keras", "final.keras", "curves.png"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }
    exported = run_here("export", "run", "--format", "tflite").stdout
    assert "operators int8" in exported and "passed" in exported
    artifact = tmp_path / "run" / "plain-3conv.int8.tflite"
    report = json.loads(run_here("verify", artifact, "--json").stdout)
    assert report["passed"] and report["comparison"]["images"] == 10_000
    assert json.loads((tmp_path / "run" / "plain-3conv.int8.tflite.verify.json").read_text())["passed"]
    assert ": 3 " in run_here("predict", BLUE_PEN, "--model", artifact).stdout
    assert ": 3 " in run_here("predict", BLUE_PEN, "--model", "run").stdout
    refused = run_here("verify", artifact, "--max-flips", 0, "--max-probability-error", 0, check=1)
    assert "MISSED" in refused.stdout


@pytest.mark.slow
def test_export_uses_the_newest_run_and_reports_missing_verification(
    run_command: RunCommand, trained_run: RunFolder, tmp_path: Path
) -> None:
    shutil.copytree(trained_run.path, tmp_path / "runs" / "mine")
    config = json.loads((tmp_path / "runs" / "mine" / "config.json").read_text())
    config["data_dir"] = None
    (tmp_path / "runs" / "mine" / "config.json").write_text(json.dumps(config))
    nowhere = {**os.environ, "EDGEDIGITS_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = run_command("export", env=nowhere)
    assert "calibrated on synthetic digits" in done.stdout
    assert "NOT PROVEN" in done.stdout.splitlines()[-1] and "http" not in done.stdout
    card = json.loads(run_command("models", "show", "runs/mine/plain-3conv.int8.tflite", "--contract").stdout)
    assert card["verified"] is None and card["accuracy"] is None
    assert card["calibration"]["name"].startswith("drawn digits")


@pytest.mark.slow
def test_a_training_resumes_after_ctrl_c(run_here: RunCommand, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "edgedigits",
        "train",
        "--recipe",
        "plain-2conv",
        "--data",
        "optdigits",
        "--out",
        "run",
    ]
    training = subprocess.Popen(
        [*command, "--epochs", "15"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=restore_sigint
    )
    while not (tmp_path / "run" / "history.csv").exists():
        assert training.poll() is None
        time.sleep(0.05)
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate()
    assert training.returncode == 130
    assert "--resume run" in errors and "Traceback" not in errors
    assert (tmp_path / "run" / "checkpoint.keras").is_file()
    run_here("train", "--resume", "run")
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 16
