"""Building the shipped models: teachers, the choice of a seed, and a whole build of a small run."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.shipped_models.build import BuildOptions, build, measure_again, write_result
from benchmarks.shipped_models.card import multiply_accumulates
from benchmarks.shipped_models.catalogue import INT8, SEEDS, SHIPPED_MODELS, ShippedModel, build_order, teacher_files
from benchmarks.shipped_models.seeds import SeedResult, chosen, forget_exports, measure_seed, train_seed
from edgedigits.model_files import shipped_names
from edgedigits.recipes import RECIPES
from edgedigits.reports.model_card import Card
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.errors import EdgedigitsError, RunError, UnknownName
from tests.support.needs import needs


def result(seed: int, validation: float) -> SeedResult:
    return SeedResult(seed, 40, [], validation, 0.99, 0.99, 1.0, passed=True)


def test_every_shipped_model_has_a_recipe_and_an_int8_file_first() -> None:
    assert set(SHIPPED_MODELS) <= set(RECIPES)
    assert all(model.formats[0] == INT8 for model in SHIPPED_MODELS.values())
    assert set(shipped_names()) <= set(SHIPPED_MODELS)


@given(st.sets(st.sampled_from(sorted(SHIPPED_MODELS))))
def test_models_are_built_after_their_teachers(names: set[str]) -> None:
    order = build_order(names)
    assert sorted(order) == sorted(names)
    for position, name in enumerate(order):
        teachers = {teacher.rpartition("-")[0] for teacher in SHIPPED_MODELS[name].teachers}
        assert not teachers & set(order[position:])


def test_an_order_of_another_plan_and_an_unknown_name() -> None:
    plan = {"a": ShippedModel(teachers=("c-0", "b-1")), "b": ShippedModel(), "c": ShippedModel()}
    order = build_order(plan, plan)
    assert sorted(order) == ["a", "b", "c"] and order[-1] == "a"
    with pytest.raises(UnknownName, match="a, b, c"):
        build_order(["d"], plan)


def test_every_teacher_is_a_run_of_another_shipped_model() -> None:
    runs = {f"{name}-{seed}" for name in SHIPPED_MODELS for seed in SEEDS}
    for name, model in SHIPPED_MODELS.items():
        assert set(model.teachers) <= runs - {f"{name}-{seed}" for seed in SEEDS}


def test_a_student_is_not_trained_without_its_teachers(tmp_path: Path) -> None:
    student = next(name for name, model in SHIPPED_MODELS.items() if model.teachers)
    assert teacher_files(student, tmp_path)[0] == str(tmp_path / SHIPPED_MODELS[student].teachers[0] / "model.keras")
    with pytest.raises(RunError, match=r"model\.keras"):
        train_seed(student, 0, tmp_path, Console(quiet=True))
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.floats(0.9, 1), min_size=1, max_size=6))
def test_validation_chooses_the_seed_and_the_first_of_equals(accuracies: list[float]) -> None:
    best = chosen([result(seed, accuracy) for seed, accuracy in enumerate(accuracies)])
    assert best.validation_accuracy == max(accuracies)
    assert best.seed == accuracies.index(max(accuracies))


def test_the_test_split_does_not_choose_the_seed() -> None:
    lucky = SeedResult(1, 40, [], 0.980, 0.999, 0.999, 1.0, passed=True)
    assert chosen([result(0, 0.981), lucky]).seed == 0


def test_results_keep_other_models(tmp_path: Path) -> None:
    keys = ("parameters", "multiply_accumulates", "seeds", "int8_accuracy_of_seeds", "seed", "chosen_by", "machine")
    for name, parameters in (("nano", 1), ("base", 2), ("nano", 3)):
        write_result({"name": name, **dict.fromkeys(keys), "parameters": parameters}, tmp_path / "new" / "family.json")
    written = json.loads((tmp_path / "new" / "family.json").read_text())
    assert [(name, row["parameters"]) for name, row in written.items()] == [("base", 2), ("nano", 3)]


def test_multiply_accumulates_of_convolutions_and_dense_layers() -> None:
    import keras
    from keras import layers

    counted = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3, padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    assert multiply_accumulates(counted) == 28 * 28 * 9 * 8 + 12 * 12 * 9 * 8 * 16 + 576 * 10 == 228_096
    separable = keras.Sequential(
        [keras.Input((10, 10, 4)), layers.DepthwiseConv2D(3, strides=2, padding="same"), layers.Conv2D(6, 1)]
    )
    assert multiply_accumulates(separable) == 5 * 5 * 9 * 4 + 5 * 5 * 4 * 6


def test_measuring_without_a_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EdgedigitsError, match="base"):
        measure_again("base", tmp_path)


# Files must be equal byte by byte: a converter that goes on counts the names of tensors on.
@needs("clang", "wasm-ld")
@pytest.mark.slow
@pytest.mark.usefixtures("own_converter")
def test_a_finished_run_is_shipped_with_its_card(
    small_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHIPPED_MODELS, "plain-3conv", ShippedModel())
    # The run has fewer epochs than the recipe, and is used as it is.
    shutil.copytree(small_run.path, tmp_path / "runs" / "plain-3conv-0")
    options = BuildOptions((0,), tmp_path / "runs", tmp_path / "shipped", tmp_path / "family.json")
    card = build("plain-3conv", options, Console(quiet=True))
    assert sorted(path.name for path in options.out.iterdir()) == [
        f"plain-3conv.{suffix}"
        for suffix in ("card.json", "golden.npz", "keras", "onnx", "onnx.golden.npz", "tflite", "wasm")
    ]
    assert card["parameters"] == 93_322 and card["seed"] == 0 and card["training"]["data"] == "optdigits"
    assert card["multiply_accumulates"] == sum(
        [26 * 26 * 9 * 32, 11 * 11 * 9 * 32 * 64, 3 * 3 * 9 * 64 * 64, 576 * 64, 64 * 10]
    )
    assert card["seeds"][0]["int8_accuracy"] == card["files"]["plain-3conv.tflite"]["accuracy"]["value"] > 0.8
    assert card["robustness"]["int8"]["clean"] == card["seeds"][0]["int8_accuracy"]
    assert card["other_hands"]["value"] > 0.8 and 0 < card["calibration"]["expected_error"] < 0.2
    assert card["rejection"]["threshold"] == card["files"]["plain-3conv.tflite"]["rejection_threshold"]
    assert str(tmp_path) not in json.dumps(card)
    assert json.loads(options.results.read_text())["plain-3conv"]["seeds"] == card["seeds"]
    assert measure_again("plain-3conv", options.out) == card
    exports = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/*.tflite")}
    forget_exports(RunFolder(tmp_path / "runs" / "plain-3conv-0"))
    assert build("plain-3conv", options, Console(quiet=True)) == card
    assert all(path.stat().st_mtime_ns > made for path, made in exports.items())
    export = options.runs / "plain-3conv-0" / "plain-3conv.int8.tflite"
    # As after a kill between the report and the file.
    export.unlink()
    assert measure_seed(RunFolder(export.parent), "plain-3conv").passed and export.is_file()
    assert_that_a_worse_seed_beside_it_changes_only_the_seeds(card, options)


def assert_that_a_worse_seed_beside_it_changes_only_the_seeds(card: Card, options: BuildOptions) -> None:
    worse = options.runs / "plain-3conv-1"
    shutil.copytree(options.runs / "plain-3conv-0", worse)
    config = json.loads((worse / "config.json").read_text())
    (worse / "config.json").write_text(json.dumps({**config, "seed": 1}))
    header, *epochs = (worse / "history.csv").read_text().splitlines()
    row = dict(zip(header.split(","), epochs[-1].split(","), strict=True)) | {"val_accuracy": "0.01"}
    (worse / "history.csv").write_text("\n".join([header, *epochs[:-1], ",".join(row.values())]) + "\n")
    both = build("plain-3conv", dataclasses.replace(options, seeds=(1,), beside=True), Console(quiet=True))
    assert [(row["seed"], row["validation_accuracy"]) for row in both["seeds"]] == [
        (0, card["seeds"][0]["validation_accuracy"]),
        (1, 0.01),
    ]
    assert both["int8_accuracy_of_seeds"]["std"] == 0
    assert {key for key in card if card[key] != both[key]} == {"seeds", "int8_accuracy_of_seeds"}
    assert json.loads(options.results.read_text())["plain-3conv"]["seeds"] == both["seeds"]
