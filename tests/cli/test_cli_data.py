"""`edgedigits data`: its tables, JSON and errors."""

import contextlib
import dataclasses
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgedigits.cli.data import app
from edgedigits.data import DATASETS, fashion_mnist, storage
from edgedigits_runtime.errors import ChecksumMismatch, DataNotFound, MissingExtra, UnknownName
from tests.support.mirrors import Mirror


@pytest.fixture(autouse=True)
def _without_user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEDIGITS_DATA", raising=False)
    monkeypatch.setattr(storage, "user_cache", lambda: tmp_path / "cache")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("no_proxy", "*")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def printed(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    return result.output


def words(*arguments: str | Path) -> str:
    return " ".join(printed(*arguments).split())


@contextlib.contextmanager
def published(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """Serve small files in place of Fashion-MNIST's."""
    contents = {file.name: gzip.compress(file.name.encode()) for file in fashion_mnist.DESCRIPTION.files}
    with Mirror(lambda path: contents[path.removeprefix("/")]) as mirror:
        files = tuple(
            dataclasses.replace(file, checksum=hashlib.md5(contents[file.name]).hexdigest(), mirrors=(mirror.url,))
            for file in fashion_mnist.DESCRIPTION.files
        )
        monkeypatch.setattr(fashion_mnist, "DESCRIPTION", dataclasses.replace(fashion_mnist.DESCRIPTION, files=files))
        yield contents


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for label in ("cat", "[dog]"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        Image.new("L", (8, 6)).save(tmp_path / "pets" / label / "a.png")
    return tmp_path / "pets"


def test_list_has_every_dataset():
    text = words("list")
    assert "mnist 60,000 10,000 28x28x1 10 not found" in text
    assert "cifar10 50,000 10,000 32x32x3 10 not found" in text
    assert "optdigits 1,797 - 28x28x1 10 bundled" in text


def test_list_has_folders_and_states(tmp_path):
    for file in fashion_mnist.DESCRIPTION.files[:3]:
        (tmp_path / "here" / "fashion-mnist").mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / "fashion-mnist" / file.name).write_bytes(b"")
    lines = [json.loads(line) for line in printed("list", "--json", "--data-dir", tmp_path / "here").splitlines()]
    assert [line["name"] for line in lines] == list(DATASETS)
    states = {line["name"]: line["state"] for line in lines}
    assert states == {
        "mnist": "not found",
        "fashion-mnist": "incomplete",
        "cifar10": "not found",
        "optdigits": "bundled",
        **dict.fromkeys(("hands", "semeion", "optdigits-orig", "pendigits", "omniglot"), "not found"),
    }
    assert lines[1]["folders"] == [str(tmp_path / "here" / "fashion-mnist")]


def test_info_describes_a_dataset():
    text = words("info", "fashion-mnist")
    assert "60,000 + 10,000 test" in text
    assert "Ankle boot" in text
    assert "t10k-labels-idx1-ubyte.gz not found" in text


def test_info_as_json():
    found = json.loads(printed("info", "mnist", "--json"))
    assert found["labels"] == list("0123456789")
    assert found["shape"] == [28, 28, 1]
    assert found["files"][0]["checksum"] == "6bbc9ace898e44ae57da46a324031adb"
    assert found["files"][0]["path"] is None


def test_info_of_a_folder(pictures):
    assert "[dog], cat" in words("info", pictures)
    found = json.loads(printed("info", pictures, "--json"))
    assert (found["name"], found["train"], found["test"], found["shape"]) == ("pets", 2, None, [6, 8, 1])


def test_info_of_a_dataset_and_of_a_folder_have_the_same_fields(pictures):
    ours = json.loads(printed("info", "mnist", "--json"))
    theirs = json.loads(printed("info", pictures, "--json"))
    assert set(ours) == set(theirs)


def test_download_then_verify(tmp_path, monkeypatch):
    with published(monkeypatch) as contents:
        text = printed("download", "fashion-mnist", "optdigits")
    target = tmp_path / "cache" / "fashion-mnist"
    assert all(f"fashion-mnist: {target / name}" in text for name in contents)
    assert "optdigits: " in text and "sklearn" in text
    assert {path.name: path.read_bytes() for path in target.iterdir()} == contents
    # The server has stopped, so nothing is downloaded again.
    printed("download", "fashion-mnist")
    assert words("verify", "fashion-mnist").count(" right") == 4


def test_download_to_a_named_folder(tmp_path, monkeypatch):
    with published(monkeypatch) as contents:
        printed("download", "fashion-mnist", "--data-dir", tmp_path / "mine")
    assert {path.name for path in (tmp_path / "mine" / "fashion-mnist").iterdir()} == set(contents)
    assert not (tmp_path / "cache").exists()


def test_verify_names_the_damaged_file(tmp_path, monkeypatch):
    with published(monkeypatch):
        printed("download", "fashion-mnist")
    damaged = tmp_path / "cache" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    result = run("verify", "fashion-mnist")
    assert isinstance(result.exception, ChecksumMismatch)
    assert str(damaged) in str(result.exception)
    text = " ".join(result.output.split())
    assert text.count(" right") == 3
    assert "t10k-labels-idx1-ubyte.gz wrong checksum" in text


def test_verify_does_not_download(tmp_path, monkeypatch):
    with published(monkeypatch):
        result = run("verify", "fashion-mnist")
    assert isinstance(result.exception, DataNotFound)
    assert not (tmp_path / "cache").exists()


def test_verify_a_bundled_dataset_and_a_folder(pictures, monkeypatch):
    text = words("verify", "optdigits", pictures)
    assert "optdigits comes with sklearn right" in text
    assert "2 pictures right" in text
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    assert isinstance(run("verify", "optdigits").exception, MissingExtra)


@pytest.mark.parametrize("command", ["info", "download", "verify"])
def test_an_unknown_name_is_an_error(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    result = run(command, "nope")
    assert isinstance(result.exception, UnknownName)
    assert "mnist" in str(result.exception)


@pytest.mark.parametrize("command", ["list", "info", "download", "verify"])
def test_help_has_an_example(command):
    assert f"Example: edgedigits data {command}" in printed(command, "--help")
