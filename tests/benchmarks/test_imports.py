"""The table of kinds of model: its text, its rules, and a sample of it."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.imports import bare, small_mnist, trained
from benchmarks.imports.__main__ import KINDS, folder_of
from benchmarks.imports.kind import column_l2, inverted, mnist_mean, probabilities, raw, stated_for, symmetric, unit
from benchmarks.imports.one_process import convert_once
from benchmarks.imports.onnx_kinds import Form, write
from benchmarks.imports.page import render, short
from benchmarks.imports.pictures import digits, shapes
from benchmarks.imports.steps import COLUMNS, Cell, Row, attempt, take
from edgedigits.benchmarking.results.result_file import plain
from edgedigits.data import DATASETS
from edgedigits.data.dataset import Dataset
from edgedigits_runtime.contract import Contract, Scaling, Tensor
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.preprocessing import network_input
from tests.conftest import once

MACHINE = {"processor": "a CPU", "cores": 2}


def row(*, refused: bool = False, **states: str) -> Row:
    cells = {column: Cell(states.get(column, "proven"), f"{column} text") for column in COLUMNS}
    return Row("ONNX", "a kind", refused, 1.0, cells)


def test_kinds_have_names_and_folders_of_their_own() -> None:
    assert len({(kind.group, kind.name) for kind in KINDS}) == len(KINDS) >= 40
    assert len({folder_of(kind) for kind in KINDS}) == len(KINDS)


def test_a_reason_is_one_short_line_without_folders() -> None:
    reason = f"ExportError: /tmp/a place/model.keras has | {'many words ' * 40}"
    text = short(reason)
    assert "\n" not in text and "/tmp" not in text and len(text) <= 200 and "\\|" in text


def test_equal_reasons_share_a_note() -> None:
    refused = row(c="refused", verify="refused")
    refused.cells["c"] = refused.cells["verify"] = Cell("refused", "ExportError: no kernel")
    text = render({"rows": [plain(refused), plain(row())], "machine": MACHINE})
    assert text.count("no kernel") == 1 and text.count("refused (1)") == 2


def test_a_row_is_right_if_import_refuses_what_it_must() -> None:
    assert row().right and row(c="refused").right and not row(c="wrong").right
    assert not row(**{"import": "refused"}).right and row(refused=True, **{"import": "refused"}).right
    assert not row(refused=True).right


def test_only_errors_of_edgedigits_are_refusals() -> None:
    def refuse() -> str:
        raise ArtifactUnsupported("no")

    assert attempt(refuse).state == "refused"
    assert attempt(lambda: str(1 / 0)).state == "wrong"
    assert attempt(lambda: "99%") == Cell("proven", "99%")


@pytest.mark.parametrize("feed", [unit, raw, symmetric, mnist_mean, inverted, column_l2])
def test_what_an_owner_states_is_what_is_fed_by_hand(feed: object) -> None:
    images = np.random.default_rng(3).integers(0, 256, (4, 28, 28, 1), np.uint8)
    stated = dict(stated_for(feed))  # type: ignore[arg-type]
    if isinstance(found := stated["normalisation"], dict):
        stated["normalisation"] = Scaling(tuple(found["scale"]), tuple(found["offset"]))
    contract = dataclasses.replace(
        Contract("a", Tensor("x", (None, 28, 28, 1), "float32"), Tensor("y", (None, 2), "float32"), ("0", "1")),
        **stated,
    )
    np.testing.assert_allclose(network_input(images, contract), feed(images), atol=1e-5)  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["probabilities", "logits", "log-probabilities", "sigmoid", "sigmoids"])
def test_probabilities_sum_to_one(kind: str) -> None:
    values = np.float32([[0.25]]) if kind == "sigmoid" else np.float32([[0.25, 0.75]])
    found = probabilities(values, kind)
    assert found.shape == (1, 2) and found.sum() == pytest.approx(1)


def test_shapes_are_drawn_alike_for_a_seed() -> None:
    first, again = shapes(6, 4), shapes.__wrapped__(6, 4)
    assert (first.images == again.images).all() and set(first.labels) == {0, 1, 2}


@pytest.fixture
def networks(mnist: Dataset, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the base network, trained on as few images as the others."""
    del mnist
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(trained, "fitting", digits)
    return once(tmp_path_factory, "imports", trained.base_network)


@pytest.fixture
def small_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the dataset, and import TensorFlow once."""
    monkeypatch.setitem(DATASETS, small_mnist.NAME, "benchmarks.imports.small_mnist")
    for module in ("onnx", "tflite"):
        monkeypatch.setattr(f"edgedigits_exporters.{module}.convert_in_child", convert_once)


SAMPLE = (
    "Keras 3: CNN on pixel / 255", "Keras 3: Rescaling", "Keras 3: Lambda", "ONNX: NCHW, batch 1, opset 9",
    "ONNX: untrained", "TFLite: int8, pixels -1..1", "TFLite: [784], int8",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_a_sample_of_the_table_is_right(small_dataset: None, networks: Path, tmp_path: Path) -> None:
    shutil.copy(networks / "base.keras", tmp_path)
    chosen = [kind for kind in KINDS if f"{kind.group}: {kind.name}" in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    rows = [take(kind, folder_of(kind, tmp_path)) for kind in chosen]
    assert [row.cells for row in rows if not row.right] == []


@pytest.mark.slow
def test_forms_of_one_network_answer_alike(networks: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(2).integers(0, 256, (3, 28, 28, 1), np.uint8)
    found = [
        probabilities(bare.answers(write(form, tmp_path / f"{number}.onnx", networks), feed(images)), form.output)
        for number, (form, feed) in enumerate([
            (Form(), unit), (Form(9, "NHWC", 1, output="probabilities"), unit),
            (Form(21, "NF", given="raw", output="log-probabilities"), raw), (Form(given="inverted"), inverted),
        ])
    ]  # fmt: skip
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-4)
