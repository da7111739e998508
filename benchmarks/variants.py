"""What the smallest networks were chosen from: variants of a recipe, each trained briefly; writes docs/training.md.

    python -m benchmarks.variants         # all that are not in results/variants.json yet: 20 minutes
    python -m benchmarks.variants "pico"  # this one, again

Each learns from `base`, with the same seed and for EPOCHS epochs of the first phase and GENTLE of the gentle one.
All is measured on the validation images and on drawings that nothing is reported of: the test images choose nothing.
"""

import argparse
import dataclasses
import importlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from keras import layers
from rich.console import Console

from benchmarks.behaviour.rejection import measure_rejection
from benchmarks.publishing import write_section
from benchmarks.shipped_models.cost import multiply_accumulates
from edgedigits.data import load_dataset
from edgedigits.data.splits import split
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import open_model
from edgedigits.recipes import RECIPES, blocks, get_recipe
from edgedigits.recipes.recipe import ImageShape, Recipe
from edgedigits.training.fit import train
from edgedigits.training.options import TrainOptions
from edgedigits_exporters.keras_file import load_model
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "variants.json"
DOCS = Path(__file__).parent.parent / "docs" / "training.md"

EPOCHS, GENTLE = 6, 2
TEACHER = "base"

MARKS_SEED = 11
"""Of the drawings that are no digits; those that cards report have another."""


def network(body: Callable[[], list[Any]]) -> Callable[[ImageShape, int], Any]:
    """Return a builder of these layers, their mean over the places, and probabilities."""

    def build(image_shape: ImageShape, classes: int) -> Any:
        return keras.Sequential([keras.Input(image_shape, name="image"), *body(), *blocks.head(classes)])

    return build


NANO, PICO = get_recipe("nano"), get_recipe("pico")
NANO_DEPTHWISE = network(
    lambda: [
        *blocks.convolution(12),
        *blocks.separable(24, strides=2),
        *blocks.separable(32),
        *blocks.separable(44, strides=2),
        *blocks.separable(60, 5),
    ]
)
NANO_STRIDED = network(
    lambda: [
        *blocks.convolution(8),
        *blocks.convolution(12, strides=2),
        *blocks.convolution(14),
        *blocks.convolution(18, strides=2),
        *blocks.convolution(18),
    ]
)
PICO_POOLED = network(
    lambda: [
        *blocks.convolution(6),
        layers.MaxPooling2D(2),
        *blocks.slim(8, padding="valid"),
        *blocks.slim(10, padding="valid"),
        *blocks.slim(11, padding="valid"),
        *blocks.slim(12, padding="valid"),
    ]
)
PICO_FULL = network(
    lambda: [
        *blocks.convolution(5, padding="valid"),
        layers.MaxPooling2D(2),
        *blocks.convolution(5, padding="valid"),
        *blocks.convolution(6, padding="valid"),
        layers.MaxPooling2D(2),
        *blocks.convolution(6, padding="valid"),
    ]
)

VARIANTS: dict[str, Recipe] = {
    "nano": NANO,
    "nano, depthwise separable": dataclasses.replace(NANO, build=NANO_DEPTHWISE),
    "nano, strides for pooling": dataclasses.replace(NANO, build=NANO_STRIDED),
    "nano, what is no digit at the full weight": dataclasses.replace(NANO, non_digits_weight=1.0),
    "pico": PICO,
    "pico, pooled early": dataclasses.replace(PICO, build=PICO_POOLED),
    "pico, full convolutions": dataclasses.replace(PICO, build=PICO_FULL),
}


def measure(variant: str, console: Console) -> dict[str, Any]:
    """Train one variant and return what it costs and what it learned."""
    recipe = dataclasses.replace(VARIANTS[variant], epochs=EPOCHS, gentle_epochs=GENTLE, quantization_epochs=0)
    # Training finds a recipe by its name.
    importlib.import_module(RECIPES[recipe.name]).RECIPE = recipe  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        options = TrainOptions(recipe=recipe.name, teachers=(TEACHER,), out=Path(folder) / "run")
        run = train(options, console)
        last = run.read_history()[-1]
        trained, _ = load_model(run.model)
        validation = split(load_dataset(recipe.dataset), recipe.split).validation
        rejection = measure_rejection(open_model(run.model), validation, seed=MARKS_SEED)
        return {
            "parameters": trained.count_params(),
            "multiply_accumulates": multiply_accumulates(trained),
            "validation_loss": last["val_loss"],
            "validation_accuracy": last["val_accuracy"],
            "not_digits_rejected": rejection.not_digits.value,
            "machine": describe_machine(),
        }


def read_results() -> dict[str, Any]:
    """Return the row of each variant that was trained so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}


def render(results: dict[str, Any]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| variant | parameters | multiply-accumulates | validation loss | validation accuracy | no digit, rejected |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {variant} | {row['parameters']:,} | {row['multiply_accumulates']:,} | {row['validation_loss']:.4f}"
        f" | {row['validation_accuracy']:.2%} | {row['not_digits_rejected']:.0%} |"
        for variant in VARIANTS
        if (row := results.get(variant))
    ]
    return "\n".join(lines)


def main() -> None:
    """Train what was asked for, keep each row as it comes, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"of: {'; '.join(VARIANTS)}")
    given = parser.parse_args()
    for variant in given.variants:
        if variant not in VARIANTS:
            parser.error(f"no variant {variant!r}; there are: {'; '.join(VARIANTS)}")
    for variant in given.variants or [variant for variant in VARIANTS if variant not in read_results()]:
        row = measure(variant, Console())
        # Read again: another core may have trained others meanwhile.
        write_whole(RESULTS, json.dumps({**read_results(), variant: row}, indent=1) + "\n")
    write_section(DOCS, "variants", render(read_results()))


if __name__ == "__main__":
    main()
