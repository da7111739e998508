"""--finder in the commands that read pictures."""

import json
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

from edgedigits_runtime.synthetic.samples import mnist_like
from tests.conftest import REPOSITORY, RunCommand
from tests.support.tiny_finder import page_of, write_finder

DIGITS, LABELS = mnist_like(4, seed=3)
TEXT = "".join(map(str, LABELS))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    Image.fromarray(page_of(DIGITS)).save(tmp_path / "page.png")
    write_finder(tmp_path / "finder.tflite")
    return tmp_path / "page.png"


def test_predict_reads_with_a_finder_and_draws_its_map(run_here: RunCommand, page: Path) -> None:
    options = ("--finder", "finder.tflite", "--annotate", "drawn", "--show-input", "drawn", "--explain", "drawn")
    reading = json.loads(run_here("predict", page, "--json", *options).stdout)
    jsonschema.validate(reading, json.loads((REPOSITORY / "docs" / "reading.schema.json").read_text()))
    assert reading["text"] == TEXT and reading["finder"]["model"] == "tiny-finder"
    assert len(list(Path("drawn").iterdir())) == 3
    by_rules = json.loads(run_here("predict", page, "--json", "--finder", "none").stdout)
    assert by_rules["text"] == TEXT and "finder" not in by_rules
    assert "tiny-finder on litert" in run_here("predict", page, "-v", *options[:2]).stderr


def test_evaluate_and_watch_read_with_a_finder(run_here: RunCommand, page: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(f"file,label\npage.png,{TEXT}\n")
    evaluated = json.loads(run_here("evaluate", tmp_path, "--finder", "finder.tflite", "--json", "-").stdout)
    assert evaluated["ms"].keys() == {"decode", "find", "frame", "classify", "judge", "total"}
    watched = run_here("watch", "synthetic", "--finder", "finder.tflite", "--duration", "0.3", "--json").stdout
    assert all("find" in json.loads(line)["ms"] for line in watched.splitlines())


@pytest.mark.parametrize(
    "command", [("predict", "page.png"), ("bench",), ("serve", "--port", "0"), ("watch", "synthetic")]
)
def test_a_finder_that_cannot_be_used_is_one_line(run_here: RunCommand, page: Path, command: tuple[str, ...]) -> None:
    assert page.is_file()
    for options in (("--finder", "missing.onnx"), ("--model", "finder.tflite"), ("--finder", "page.png")):
        said = run_here(*command, *options, check=1).stderr
        assert said.startswith("error: ") and said.count("\n") == 1 and "finder" in said
