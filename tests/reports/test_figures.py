"""The figures: arrays in, a matplotlib Figure out."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from edgedigits.plotting.curves import best_epoch, metric_figure
from edgedigits.plotting.style import BLUE, VERMILION, escape, file_name, to_png, to_svg
from edgedigits.reports.images import grid_figure, predictions_figure
from edgedigits.reports.sections.calibration import reliability_figure
from edgedigits.reports.sections.dataset import distribution_figure
from edgedigits.reports.sections.decisions import confusion_figure, row_shares
from edgedigits.reports.sections.network import Layer, network_figure
from edgedigits.reports.sections.rotation import RotationCurve, rotation_figure
from edgedigits.verification.reliability import Reliability
from edgedigits_runtime.intervals import wilson

CONFUSION = np.array([[8, 2, 0], [0, 5, 0], [1, 0, 0]])
HISTORY = [
    {"epoch": 1, "accuracy": 0.7, "loss": 0.9, "val_accuracy": 0.8, "val_loss": 0.7},
    {"epoch": 2, "accuracy": 0.8, "loss": 0.6, "val_accuracy": 0.9, "val_loss": 0.5},
    {"epoch": 3, "accuracy": 0.9, "loss": 0.3, "val_accuracy": 0.85, "val_loss": 0.6},
]


def images(count: int, channels: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 12, 10, channels), np.uint8)


def cells(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_confusion_shows_counts_where_there_are_any() -> None:
    assert cells(confusion_figure(CONFUSION, ("a", "b", "c"), normalised=False)) == ["8", "2", "5", "1"]


def test_confusion_shows_percent_of_each_true_class() -> None:
    assert cells(confusion_figure(CONFUSION, ("a", "b", "c"), normalised=True)) == ["80.0", "20.0", "100", "100"]


def test_confusion_of_many_classes_has_no_numbers() -> None:
    figure = confusion_figure(np.eye(40, dtype=int), [f"class {i}" for i in range(40)], normalised=False)
    assert cells(figure) == []
    assert len(figure.axes[0].get_xticklabels()) == 40


def test_a_class_without_samples_has_shares_of_zero() -> None:
    np.testing.assert_array_equal(row_shares(np.array([[0, 0], [1, 3]])), [[0, 0], [0.25, 0.75]])


def test_best_epoch_is_the_latest_of_equals() -> None:
    equal = [{"epoch": float(i), "val_accuracy": 0.5} for i in range(3)]
    assert best_epoch(equal)["epoch"] == 2


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_curves_mark_best_and_final_epoch(metric: str) -> None:
    (axes,) = metric_figure(HISTORY, metric).axes
    curves = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines}
    assert list(curves) == ["training", "validation", "best: epoch 2", "final: epoch 3"]
    np.testing.assert_array_equal(curves["training"], [row[metric] for row in HISTORY])
    assert curves["best: epoch 2"] == [HISTORY[1][f"val_{metric}"]]
    assert curves["final: epoch 3"] == [HISTORY[2][f"val_{metric}"]]


def test_one_epoch_can_be_drawn() -> None:
    assert to_png(metric_figure(HISTORY[:1], "loss")).startswith(b"\x89PNG")


def test_distribution_shows_shares_of_each_split() -> None:
    figure = distribution_figure({"train": np.array([30, 10]), "test": np.array([0, 5])}, ("cat", "dog"))
    assert [bar.get_width() for bar in figure.axes[0].patches] == [75, 25, 0, 100]  # type: ignore[attr-defined]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 9])
def test_grid_shows_each_image_with_its_caption(channels: int, count: int) -> None:
    captions = [f"{i}\nof {count}" for i in range(count)]
    figure = grid_figure(images(count, channels), captions)
    assert len(figure.axes[0].images) == count
    assert cells(figure) == captions


@pytest.mark.parametrize("count", [1, 3, 4])
def test_predictions_show_the_true_class_in_blue(count: int) -> None:
    tops = [[("cat", 0.7), ("dog", 0.3)]] * count
    figure = predictions_figure(images(count, 3), tops, ["cat"] * count)
    bars = [axes for axes in figure.axes if axes.patches]
    assert len(bars) == count
    from matplotlib.colors import to_hex

    assert [to_hex(bar.get_facecolor()) for bar in bars[0].patches] == [BLUE, VERMILION]


def test_reliability_draws_the_filled_bins_only() -> None:
    found = Reliability(np.array([0, 4, 6]), np.array([0, 0.5, 1]), np.array([0, 0.6, 0.9]))
    upper, lower = reliability_figure(found).axes
    heights = [bar.get_height() for bar in upper.patches]  # type: ignore[attr-defined]
    np.testing.assert_allclose(heights, [0.5, 1, 0.1, -0.1])
    assert [bar.get_height() for bar in lower.patches] == [0, 40, 60]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("trained_to", "shaded"), [(None, 0), (12.0, 1)])
def test_rotation_shades_the_trained_angles(trained_to: float | None, shaded: int) -> None:
    curve = RotationCurve((-5, 0, 5), (wilson(1, 4), wilson(4, 4), wilson(2, 4)), 4, 10)
    (axes,) = rotation_figure(curve, trained_to).axes
    np.testing.assert_array_equal(axes.lines[-1].get_ydata(), [25, 100, 50])
    assert len(axes.patches) == shaded


def test_the_same_figure_gives_the_same_svg() -> None:
    first, second = (to_svg(confusion_figure(CONFUSION, ("a", "b", "c"), normalised=True)) for _ in range(2))
    assert first == second
    assert b"<dc:date>" not in first


@pytest.mark.parametrize("label", ["$x$", "$", r"\frac{1}{", "a" * 60, "<b>&", "$\\alpha$ $", ""])
def test_any_label_can_be_drawn(label: str) -> None:
    figure = confusion_figure(np.eye(2, dtype=int), (label, "other"), normalised=False)
    assert to_svg(figure)
    assert len(escape(label).replace("\\", "")) <= 16


def test_png_is_large_enough_for_a_screen() -> None:
    picture = Image.open(io.BytesIO(to_png(metric_figure(HISTORY, "loss"))))
    assert picture.width >= 700


def test_file_names_have_no_separators() -> None:
    assert file_name("a/b c:d.tflite") == "a-b-c-d.tflite"


# visualkeras imports TensorFlow.
@pytest.mark.slow
def test_network_is_drawn_with_every_layer() -> None:
    layers = [Layer("a", "Conv2D", (30, 30, 8), 224), Layer("b", "Flatten", (7200,), 0), Layer("c", "Odd", (3,), 9)]
    wide, narrow = network_figure(layers), network_figure(layers[1:])
    assert wide.get_size_inches()[0] > narrow.get_size_inches()[0]
    pixels = np.asarray(Image.open(io.BytesIO(to_png(wide))).convert("RGB")).reshape(-1, 3)
    for colour in (BLUE, "#009e73", "#56b4e9"):
        assert (pixels == list(bytes.fromhex(colour[1:]))).all(axis=1).any(), colour
