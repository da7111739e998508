"""Bad input on the command line: one line, exit code 1, and no partial output."""

import gzip
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edgedigits.model_files import SHIPPED
from edgedigits.training.run_folder import RunFolder
from tests.conftest import REPOSITORY, RunCommand
from tests.support.picture_files import png_header

BLUE_PEN = REPOSITORY / "examples" / "3-blue-pen.jpg"


def refusal(run_command: RunCommand, *arguments: str | Path, **options: object) -> str:
    """Run a command that must fail, check that it prints one error line, and return the line."""
    done = run_command(*arguments, check=1, **options)
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


def test_a_missing_picture_is_refused(run_here: RunCommand) -> None:
    assert "missing.png" in refusal(run_here, "predict", "missing.png")


def test_text_with_a_picture_suffix_is_refused(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("hello")
    assert "notes.png" in refusal(run_here, "predict", "notes.png")


def test_a_truncated_jpeg_is_refused(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(BLUE_PEN.read_bytes()[:2000])
    assert "cut.jpg" in refusal(run_here, "predict", "cut.jpg")


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 10)])
def test_a_picture_without_pixels_is_refused(run_here: RunCommand, tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "empty.png").write_bytes(png_header(width, height))
    assert "empty.png" in refusal(run_here, "predict", "empty.png")


def test_a_huge_picture_is_refused_before_decoding(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(png_header(100_000, 100_000))
    assert "100000x100000" in refusal(run_here, "predict", "huge.png")


def test_the_pixel_limit_is_an_option(run_here: RunCommand, tmp_path: Path) -> None:
    Image.new("L", (50, 50), 255).save(tmp_path / "page.png")
    assert "100" in refusal(run_here, "predict", "page.png", "--max-pixels", "100")
    assert "page.png: no digit" in run_here("predict", "page.png").stdout


@pytest.mark.parametrize(
    ("arguments", "wrong", "known"),
    [
        (["train", "--recipe", "nope"], "nope", "plain-3conv"),
        (["export", "base", "--format", "nope"], "nope", "tflite"),
        (["export", "base", "--precision", "int3"], "int3", "dynamic"),
        (["predict", "a.png", "--model", "nope"], "nope", "base"),
        (["predict", "a.png", "--engine", "nope"], "nope", "litert"),
        (["data", "info", "nope"], "nope", "optdigits"),
        (["verify", "nope"], "nope", "base"),
    ],
)
def test_unknown_names_list_the_known(run_here: RunCommand, arguments: list[str], wrong: str, known: str) -> None:
    line = refusal(run_here, *arguments)
    assert repr(wrong) in line and known in line


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("damage", ["truncated", "corrupt", "empty"])
def test_a_damaged_model_file_is_refused(run_command: RunCommand, tmp_path: Path, suffix: str, damage: str) -> None:
    content = (SHIPPED / f"base{suffix}").read_bytes()
    damaged = {"truncated": content[: len(content) // 2], "corrupt": b"\x00" * len(content), "empty": b""}[damage]
    (tmp_path / f"bad{suffix}").write_bytes(damaged)
    assert f"bad{suffix}" in refusal(run_command, "predict", BLUE_PEN, "--model", f"bad{suffix}")


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
def test_a_damaged_keras_file_is_refused(run_command: RunCommand, tmp_path: Path, damage: str) -> None:
    content = bytearray((SHIPPED / "base.keras").read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 3 : len(content) // 3 + 5000] = bytes(5000)
    (tmp_path / "bad.keras").write_bytes(content)
    line = refusal(run_command, "export", "bad.keras")
    assert "bad.keras" in line
    assert [path.name for path in tmp_path.iterdir()] == ["bad.keras"]


def test_the_error_of_a_model_that_states_too_little_has_the_import_to_type(
    run_command: RunCommand, tmp_path: Path
) -> None:
    from tests.support.tiny_models import onnx_bytes

    (tmp_path / "foreign.onnx").write_bytes(onnx_bytes(None))
    line = refusal(run_command, "predict", BLUE_PEN, "--model", "foreign.onnx")
    assert "edgedigits import foreign.onnx" in line


def test_a_dataset_file_with_a_wrong_checksum_is_refused(run_here: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / "mnist" / f"{name}-ubyte.gz").write_bytes(gzip.compress(b"not MNIST"))
    assert "train-images-idx3-ubyte.gz" in refusal(run_here, "data", "verify", "mnist", "--data-dir", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [0, 1])
def test_a_folder_with_too_few_classes_is_refused(run_here: RunCommand, tmp_path: Path, classes: int) -> None:
    (tmp_path / "pictures").mkdir()
    for number in range(classes):
        (tmp_path / "pictures" / str(number)).mkdir()
        Image.new("L", (28, 28)).save(tmp_path / "pictures" / str(number) / "a.png")
    assert "pictures" in refusal(run_here, "train", "--data", "pictures")
    assert not (tmp_path / "runs").exists()


def test_the_error_of_a_missing_extra_has_the_command(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['onnxruntime'] = None\n"
        "from edgedigits.cli import main\n"
        f"sys.argv = ['edgedigits', 'predict', {str(BLUE_PEN)!r}, '--model', {str(SHIPPED / 'base.onnx')!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "pip install 'edgedigits[onnx]'" in done.stderr


def test_export_to_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is missing; install the package util-linux")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        f"mount -t tmpfs -o size=64k none {disk} && echo old > {disk}/base.tflite || exit 99; "
        f"{sys.executable} -m edgedigits export base --out {disk}/base.tflite; echo code $?; "
        f"ls -A {disk}; cat {disk}/base.tflite"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"this machine forbids unshare (package util-linux): {done.stderr.strip()}")
    assert done.stdout.split() == ["code", "1", "base.tflite", "old"], done.stdout + done.stderr
    assert "No space left" in done.stderr


def test_export_beyond_a_file_size_limit_leaves_nothing(run_command: RunCommand, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    line = refusal(run_command, "export", "base", "--out", "base.tflite", preexec_fn=limit)
    assert "base.tflite" in line
    assert list(tmp_path.iterdir()) == []


def test_export_into_a_read_only_folder_is_refused(run_command: RunCommand, tmp_path: Path) -> None:
    # Permission bits do not stop the administrator, but /proc does.
    folder = Path("/proc") if os.geteuid() == 0 else tmp_path / "locked"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o500)
    assert "base.tflite" in refusal(run_command, "export", "base", "--out", folder / "base.tflite")


def test_export_to_a_wrong_suffix_is_refused(run_command: RunCommand) -> None:
    assert ".tflite" in refusal(run_command, "export", "base", "--out", "base.bin")


@pytest.mark.slow
def test_an_unfinished_run_names_the_command(run_command: RunCommand, small_run: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(small_run.path, tmp_path / "run")
    (tmp_path / "run" / "model.keras").unlink()
    assert "--resume run" in refusal(run_command, "export", "run")


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        ("train --recipe none", "none"),
        ("train --data none", "none"),
        ("train --data empty", "class folders"),
        ("train --resume empty", "config.json"),
        ("train --out full", "not empty"),
        ("train --recipe finder --out full", "not empty"),
        ("distill --recipe nano --teacher none", "none"),
        ("distill --recipe nano --teacher base --out full", "not empty"),
        ("report empty", "config.json"),
        ("reproduce --recipe none", "none"),
        ("export none", "none"),
        ("verify none.tflite", "none.tflite"),
        ("verify base.tflite --split none", "none"),
    ],
)
def test_errors_come_before_keras_is_imported(
    run_here: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, fact: str
) -> None:
    def refuse() -> None:
        pytest.fail("Keras takes seconds to import")

    monkeypatch.setattr("edgedigits_exporters.keras_backend.load_keras", refuse)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert fact in refusal(run_here, *arguments.split())
