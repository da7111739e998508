"""A report from end to end: of finished and of killed runs, and in a real browser."""

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from edgedigits.cli.report import report
from edgedigits.reports.facts import gather
from edgedigits.reports.report import make_report
from edgedigits.training.data_of_model import DataOptions
from edgedigits.training.run_folder import RunConfig, RunFolder
from edgedigits_runtime.errors import RunError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

FIGURES = {
    "accuracy", "loss", "class-distribution", "samples", "confusion-raw", "confusion-normalised", "predictions",
    "misclassified", "network", "reliability-before", "reliability-after", "rotation",
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(small_run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A copy of the small run, with its int8 export, and its report."""
    import edgedigits

    copy = RunFolder(tmp_path_factory.mktemp("reports") / "finished")
    shutil.copytree(small_run.path, copy.path)
    edgedigits.export(copy.path, format="tflite", precision="float32")
    make_report(copy).write()
    return copy


@pytest.fixture
def killed(small_run: RunFolder, tmp_path: Path) -> RunFolder:
    """The small run as it is after a kill between two epochs: without its last files."""
    copy = RunFolder(tmp_path / "killed")
    copy.path.mkdir()
    for name in ("config.json", "checkpoint.keras", "history.csv", "best.keras"):
        shutil.copy(small_run.path / name, copy.path)
    return copy


@pytest.fixture
def of_pictures(tmp_path: Path) -> RunFolder:
    """A run on a folder of 32x32 colour pictures of 3 classes; its network was never trained."""
    from edgedigits.data import load_dataset
    from edgedigits.data.splits import split
    from edgedigits.recipes import get_recipe
    from edgedigits_exporters.keras_file import float_border, save_model
    from edgedigits_runtime.contract import Contract

    random = np.random.default_rng(0)
    for label in ("cat", "dog", "very long name of a class, with $ and <b>"):
        folder = tmp_path / "pictures" / label
        folder.mkdir(parents=True)
        for i in range(20):
            Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / f"{i}.png")
    recipe, data = get_recipe("plain-3conv"), load_dataset(str(tmp_path / "pictures"))
    splits = split(data, recipe.split)
    run = RunFolder(tmp_path / "run")
    run.write_config(
        RunConfig(
            recipe.name, str(tmp_path / "pictures"), None, 1, 32, 0, False, "auto",
            splits.train.digest(), dataclasses.asdict(recipe.split), {},
        )
    )  # fmt: skip
    border = float_border(data.image_shape, len(data.labels))
    save_model(
        recipe.build(data.image_shape, len(data.labels)),
        Contract(recipe.name, *border, data.labels, reader=data.reader, recipe=recipe.name),
        run.model,
    )
    return run


def test_page_and_figures_are_written(finished: RunFolder) -> None:
    assert (finished.path / "report.html").is_file()
    for suffix in ("png", "svg"):
        assert {file.stem for file in (finished.path / "figures").glob(f"*.{suffix}")} >= FIGURES


def test_figures_of_the_page_are_those_of_the_model(finished: RunFolder) -> None:
    facts = gather(finished, DataOptions())
    assert facts.test is not None
    assert facts.splits is not None
    history = facts.history[-1]
    assert facts.validation is not None
    # The kept weights are those of the last epoch, and Keras evaluated them.
    assert facts.validation.accuracy.value == pytest.approx(history["val_accuracy"], abs=1e-6)
    assert facts.validation.loss == pytest.approx(history["val_loss"], rel=1e-3)
    assert f"{facts.test.accuracy.value:.2%}" in (finished.path / "report.html").read_text()


def test_a_report_can_be_made_again(finished: RunFolder) -> None:
    before = (finished.path / "report.html").read_bytes()
    make_report(finished).write()
    assert (finished.path / "report.html").read_bytes() == before


def test_the_report_of_a_killed_run_uses_its_checkpoint(killed: RunFolder) -> None:
    made = make_report(killed)
    assert "model.keras" in made.missing[0]
    assert f"edgedigits train --resume {killed.path}" in made.missing[0]
    assert any("temperature" in line for line in made.missing)
    made.write()
    written = {file.stem for file in (killed.path / "figures").glob("*.svg")}
    assert written >= FIGURES - {"reliability-after"}


def test_the_history_is_read_from_the_checkpoint(killed: RunFolder) -> None:
    history = killed.read_history()
    (killed.path / "history.csv").unlink()
    (killed.path / "best.keras").unlink()
    assert list(gather(killed, DataOptions()).history) == history


def test_a_run_killed_in_its_first_epoch_has_data_and_a_network(killed: RunFolder) -> None:
    from edgedigits.training.checkpoint import load_checkpoint, save_checkpoint

    model, _ = load_checkpoint(killed.checkpoint)
    save_checkpoint(model, [], killed.checkpoint)
    (killed.path / "history.csv").unlink()
    made = make_report(killed)
    assert any("random" in line for line in made.missing)
    assert any("epoch" in line for line in made.missing)
    names = {picture.name for section in made.sections for picture in section.pictures}
    assert names == {"class-distribution", "samples", "network"}


@pytest.mark.parametrize("damaged", ["model.keras", "checkpoint.keras"])
def test_a_damaged_file_is_named(killed: RunFolder, damaged: str) -> None:
    (killed.path / damaged).write_bytes(b"damaged")
    assert damaged in make_report(killed).missing[0]


def test_missing_data_are_named(killed: RunFolder) -> None:
    config = killed.read_config()
    killed.write_config(dataclasses.replace(config, data="/nowhere/pictures"))
    made = make_report(killed)
    assert any("/nowhere/pictures" in line and "--data" in line for line in made.missing)
    names = {picture.name for section in made.sections for picture in section.pictures}
    assert names == {"accuracy", "loss", "network"}
    assert not make_report(killed, data=DataOptions("optdigits")).sections[1].missing


def test_data_of_other_classes_are_refused(of_pictures: RunFolder) -> None:
    made = make_report(of_pictures, data=DataOptions("optdigits"))
    assert any("images of [28, 28, 1]" in line and "--data" in line for line in made.missing)


@pytest.mark.parametrize(("names", "fact"), [("abcdefghij", "a, b, c"), ("ab", "10")])
def test_images_that_fit_but_have_other_classes_are_refused(
    killed: RunFolder, small_run: RunFolder, tmp_path: Path, names: str, fact: str
) -> None:
    if len(names) == 10:
        # Only a finished model knows the names of its classes.
        shutil.copy(small_run.model, killed.model)
    for name in names:
        folder = tmp_path / "pictures" / name
        folder.mkdir(parents=True)
        for i in range(20):
            Image.new("L", (28, 28), i).save(folder / f"{i}.png")
    made = make_report(killed, data=DataOptions(str(tmp_path / "pictures")))
    assert any(fact in line and "--data" in line for line in made.missing)


def test_changed_data_are_noted(killed: RunFolder) -> None:
    killed.write_config(dataclasses.replace(killed.read_config(), data_fingerprint="sha256:other"))
    assert "training split" in make_report(killed).page


def test_colour_pictures_of_three_classes(of_pictures: RunFolder) -> None:
    made = make_report(of_pictures)
    made.write()
    assert "32 × 32 × 3" in made.page
    assert any("no epoch" in line for line in made.missing)
    names = {picture.name for section in made.sections for picture in section.pictures}
    assert names >= FIGURES - {"accuracy", "loss"}


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"config\.json"):
        make_report(RunFolder(tmp_path))


def test_the_command_names_the_page_and_what_is_missing(killed: RunFolder) -> None:
    app = typer.Typer()
    app.command()(report)
    done = CliRunner().invoke(app, [str(killed.path)])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{killed.path / 'report.html'}\n"
    assert "model.keras" in done.stderr


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_the_page_in_a_browser(browser: "Browser", finished: RunFolder, width: int, scheme: str) -> None:
    address = (finished.path / "report.html").as_uri()
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert not messages
    pictures = page.eval_on_selector_all(
        "img", "images => images.map(one => [one.alt, one.complete && one.naturalWidth])"
    )
    assert len(pictures) > 60
    assert all(alt and loaded for alt, loaded in pictures)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_page_fits_paper(browser: "Browser", finished: RunFolder) -> None:
    a4_without_margins = 718
    page = browser.new_page(viewport={"width": a4_without_margins, "height": 1000})
    page.emulate_media(media="print")
    page.goto((finished.path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= a4_without_margins
    page.close()
