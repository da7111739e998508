"""Cards of the shipped models: they describe the files, and are printed and drawn."""

import dataclasses
import hashlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from benchmarks.robustness.corruptions import CORRUPTIONS
from edgedigits.cli import app
from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED, open_model, shipped_names
from edgedigits.reports.family_plot import Point, as_point, frontier_figure, plot_family
from edgedigits.reports.model_card import Card, card_page, card_path, read_card, write_card
from edgedigits.reports.published_networks import PUBLISHED
from edgedigits.training.run_folder import RunConfig, RunFolder
from edgedigits_exporters.tflite import with_contract
from edgedigits_runtime.errors import ArtifactNotFound, UnknownName
from tests.conftest import RunCommand

OURS = [
    Point("pico", 0.986, 990, 7_500, 9.0),
    Point("nano", 0.995, 7_951, 19_000, 21.0),
    Point("base", 0.997, 49_800, 66_000, 55.0),
    Point("max", 0.998, 398_000, 420_000, 310.0),
]
OTHERS = [Point(one.label, one.accuracy, one.parameters, one.bytes) for one in PUBLISHED]


def share(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.001, "high": value + 0.001}


def card() -> Card:
    """Return a complete card."""
    robustness = {"clean": 0.99, "mean_loss_points": 1.25, "corruptions": dict.fromkeys(CORRUPTIONS, 0.98)}
    file = {"format": "tflite", "precision": "int8", "bytes": 12_345, "agreement": 0.9987, "accuracy": share(0.9951)}
    return {
        "name": "tiny",
        "parameters": 7_951,
        "multiply_accumulates": 1_234_567,
        "recipe": "nano",
        "training": {
            "data": "mnist", "epochs": 60, "batch_size": 128, "teachers": ["base-0", "base-1"],
            "augmentation": {"rotation": 15, "line": 0.1, "noise": 0.0}, "data_fingerprint": "sha256:abc",
        },
        "seed": 1,
        "chosen_by": "the best validation accuracy",
        "seeds": [{"seed": seed, "int8_accuracy": 0.994 + seed / 1000} for seed in range(3)],
        "int8_accuracy_of_seeds": {"mean": 0.995, "std": 0.001},
        "files": {"tiny.tflite": {**file, "per_class": {str(label): 0.99 for label in range(10)}}},
        "robustness": {"float": robustness, "int8": robustness},
        "other_hands": {"dataset": "optdigits", "images": 1797, **share(0.9855)},
        "calibration": {"bins": 15, "images": 10_000, "expected_error": 0.0021},
        "rejection": {"digits": share(0.0018), "not_digits": share(0.957), "kinds": {"letter": share(0.93)}},
        "rebuild": "python -m benchmarks.shipped_models.build tiny",
    }  # fmt: skip


def printed(described: Card, width: int = 80) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, highlight=False)
    for part in card_page(described):
        console.print(part)
    return text.getvalue()


def test_the_card_of_a_finder_has_a_row_for_each_kind_of_scene() -> None:
    finds = {"recall": 0.91, "precision": 0.87}
    file = {"precision": "int8", "bytes": 202_138, "finds": finds}
    shown = {
        "name": "finder", "parameters": 109_540, "multiply_accumulates": 74_920_800, "files": {"finder.tflite": file},
        "scenes": {"all": {**finds, "recall_26": 0.95, "false": 0.4}, "text": {"false": 12.3}}, "ms": {"320x320": 3.1},
        "training": {"scenes": 1_000, "data": "drawn scenes", "hours": 2.5, "seed": 0}, "rebuild": "make models",
    }  # fmt: skip
    text = printed(shown)
    assert "91.0%" in text and "95%" in text and "12.3" in text and "202,138" in text


@pytest.mark.parametrize("name", shipped_names())
def test_the_card_has_the_exact_int8_accuracy(name: str, mnist: Dataset) -> None:
    described = read_card(name)
    assert described is not None and mnist.test is not None
    engine = open_model(SHIPPED / f"{name}.tflite")
    right = engine.run(mnist.test.images).argmax(axis=1) == mnist.test.labels
    assert described["files"][f"{name}.tflite"]["accuracy"]["value"] == right.mean()
    assert engine.contract.accuracy == {"top1": right.mean(), "dataset": "mnist", "split": "test", "images": 10_000}


@pytest.mark.parametrize("name", shipped_names())
def test_the_card_describes_the_shipped_files(name: str) -> None:
    described = read_card(name)
    assert described is not None
    for file, facts in described["files"].items():
        content = (SHIPPED / file).read_bytes()
        assert facts["bytes"] == len(content)
        assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert f"{Path.home()}" not in card_path(name).read_text() and "/tmp" not in card_path(name).read_text()


def test_a_written_card_is_read_back(tmp_path: Path) -> None:
    write_card(card(), tmp_path)
    assert read_card("tiny", tmp_path) == card()
    assert read_card("huge", tmp_path) is None


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_has_every_figure_and_fits(width: int) -> None:
    text = printed(card(), width)
    assert all(len(line) <= width for line in text.splitlines())
    for figure in ("7,951 parameters", "1,234,567", "12,345", "99.51%", "99.41% to 99.61%", "99.87%", "98.55%",
                   "0.21%", "0.18%", "95.7%", "letter 93.0%", "99.50% ± 0.10", "1.25", "base-0, base-1",
                   "rotation 15, line 0.1", "sha256:abc", "models.build tiny", *CORRUPTIONS):  # fmt: skip
        assert figure in text, figure


def test_a_page_of_a_partial_card() -> None:
    partial = {key: value for key, value in card().items() if key not in ("robustness", "seeds", "rejection")}
    text = printed(partial)
    assert "99.51%" in text and "rejected" not in text and "stray line" not in text


@pytest.mark.parametrize("ours", [OURS, OURS[2:3], OURS[1:3]], ids=["family", "base", "two"])
def test_labels_of_the_frontier_do_not_overlap_and_stay_inside(ours: list[Point]) -> None:
    figure = frontier_figure(ours, OTHERS, "a processor with a name")
    figure.draw_without_rendering()
    canvas = figure.get_window_extent()
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert all(box.x0 >= canvas.x0 and box.x1 <= canvas.x1 and box.y1 <= canvas.y1 for box in boxes)
        legend = axes.get_legend()
        boxes += [legend.get_window_extent()] if legend else []
        for k, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[k + 1 :])


def test_every_point_is_inside_the_frontier_figure() -> None:
    panels = frontier_figure(OURS, OTHERS, "").axes
    assert len(panels) == 3
    bottom, top = panels[0].get_ylim()
    assert bottom > max(1 - point.accuracy for point in [*OURS, *OTHERS])
    assert top < min(1 - point.accuracy for point in [*OURS, *OTHERS])
    assert len(panels[0].texts) == len(OURS) + len(OTHERS)
    assert [text.get_text() for text in panels[2].texts] == ["pico", "nano", "base", "max"]


def test_a_point_is_the_mean_of_the_seeds() -> None:
    assert as_point(card(), 20.0) == Point("tiny", 0.995, 7_951, 12_345, 20.0)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_family_is_drawn(suffix: str, tmp_path: Path) -> None:
    made = plot_family(tmp_path / f"family{suffix}")
    if suffix == ".png":
        with Image.open(made) as picture:
            assert picture.width > 1500
    else:
        assert made.read_text().startswith("<?xml")


def test_unknown_formats_and_missing_cards_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"\.png"):
        plot_family(tmp_path / "family.gif")
    with pytest.raises(ArtifactNotFound, match=r"models\.build"):
        plot_family(tmp_path / "family.png", folder=tmp_path)


def test_show_prints_the_card_its_json_and_the_contract(run_here: RunCommand, tmp_path: Path) -> None:
    assert "parameters" in run_here("models", "show", "base").stdout
    assert json.loads(run_here("models", "show", "base", "--json").stdout) == read_card("base")
    contract = open_model(SHIPPED / "base.tflite").contract.to_json()
    assert run_here("models", "show", "base", "--contract").stdout == contract + "\n"
    assert run_here("models", "show", SHIPPED / "base.tflite", "--contract").stdout == contract + "\n"


def test_the_card_of_a_run_and_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paths are printed whole, unproven files are called so, and an unfinished run says how to resume it."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    run = RunFolder(Path("runs/plain-3conv-short-20260101-120000-with-a-name-that-is-longer-than-a-terminal-is-wide"))
    config = RunConfig("plain-3conv", "mnist", None, 9, 128, 0, None, "auto", "sha256:0", {}, {})
    run.path.mkdir(parents=True)
    run.write_config(config)

    def printed(*arguments: object) -> str:
        app(["models", *map(str, arguments)], standalone_mode=False)
        return capsys.readouterr().out

    assert f"train --resume {run.path}" in printed("show", run.path)
    artifact = run.path / "plain-3conv-short.float16.tflite"
    content = (SHIPPED / "base.tflite").read_bytes()
    contract = dataclasses.replace(open_model(SHIPPED / "base.tflite").contract, verified=None)
    artifact.write_bytes(with_contract(content, contract))
    (run.path / "broken.onnx").write_text("no model")
    for text in (printed(), printed("show", run.path)):
        assert {str(run.path)} <= set(text.splitlines())
        (line,) = [line for line in text.splitlines() if artifact.name in line]
        assert "not proven" in line
        assert "broken.onnx is not" in text
    assert printed("show", artifact).startswith(f"{artifact}\n")


def test_plot_prints_the_path(run_here: RunCommand, tmp_path: Path) -> None:
    assert run_here("models", "plot").stdout == "models.png\n"
    assert (tmp_path / "models.png").is_file()
    assert ".svg" in run_here("models", "plot", "--out", "models.jpg", check=1).stderr
