"""Train variants of the smallest recipes briefly, to choose among them, and write benchmarks/results/training.md.

    python -m benchmarks.variants         # all that results/variants.json lacks: 20 minutes
    python -m benchmarks.variants "pico"  # one, again

Each learns from `base`, with the same seed, for EPOCHS epochs of the first phase and GENTLE of the gentle one. They are
measured on validation images and on separate drawings, so that test images choose nothing.
"""

import argparse
import dataclasses
import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras import layers
from rich.console import Console

from benchmarks.publishing import RESULTS, read_results, table, write_results, write_section
from benchmarks.robustness.rejection import measure_rejection
from benchmarks.shipped_models.card import multiply_accumulates
from edgedigits.data import load_dataset
from edgedigits.data.splits import split
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import open_model
from edgedigits.recipes import RECIPES, blocks, get_recipe
from edgedigits.recipes.recipe import Recipe
from edgedigits.training.fit import train
from edgedigits.training.train_options import TrainOptions
from edgedigits_exporters.keras_file import load_model

VARIANTS_FILE = RESULTS / "variants.json"

EPOCHS, GENTLE = 6, 2
TEACHER = "base"

NON_DIGITS_SEED = 11
"""Another one than that of the cards."""


def network(body: Callable[[], list[Any]]) -> Callable[[int], list[Any]]:
    """Return a builder of these layers, global average pooling, and probabilities."""
    return lambda classes: [*body(), *blocks.head(classes)]


NANO, PICO = get_recipe("nano"), get_recipe("pico")
NANO_DEPTHWISE = network(lambda: [
    *blocks.convolution(12), *blocks.separable(24, strides=2), *blocks.separable(32),
    *blocks.separable(44, strides=2), *blocks.separable(60, 5),
])  # fmt: skip
NANO_STRIDED = network(lambda: [
    *blocks.convolution(8), *blocks.convolution(12, strides=2), *blocks.convolution(14),
    *blocks.convolution(18, strides=2), *blocks.convolution(18),
])  # fmt: skip
PICO_POOLED = network(lambda: [
    *blocks.convolution(6), layers.MaxPooling2D(2), *blocks.slim(8, padding="valid"),
    *blocks.slim(10, padding="valid"), *blocks.slim(11, padding="valid"), *blocks.slim(12, padding="valid"),
])  # fmt: skip
PICO_FULL = network(lambda: [
    *blocks.convolution(5, padding="valid"), layers.MaxPooling2D(2), *blocks.convolution(5, padding="valid"),
    *blocks.convolution(6, padding="valid"), layers.MaxPooling2D(2), *blocks.convolution(6, padding="valid"),
])  # fmt: skip

VARIANTS: dict[str, Recipe] = {
    "nano": NANO,
    "nano, depthwise separable": dataclasses.replace(NANO, layers=NANO_DEPTHWISE),
    "nano, strides for pooling": dataclasses.replace(NANO, layers=NANO_STRIDED),
    "nano, non-digits at full weight": dataclasses.replace(NANO, non_digits_weight=1.0),
    "pico": PICO,
    "pico, pooled early": dataclasses.replace(PICO, layers=PICO_POOLED),
    "pico, full convolutions": dataclasses.replace(PICO, layers=PICO_FULL),
}


def measure(variant: str, console: Console) -> dict[str, Any]:
    """Train one variant and return its cost and accuracy."""
    recipe = dataclasses.replace(VARIANTS[variant], epochs=EPOCHS, gentle_epochs=GENTLE, quantization_epochs=0)
    # Training looks up a recipe by its name.
    importlib.import_module(RECIPES[recipe.name]).RECIPE = recipe  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        options = TrainOptions(recipe=recipe.name, teachers=(TEACHER,), out=Path(folder) / "run")
        run = train(options, console)
        last = run.read_history()[-1]
        trained, _ = load_model(run.model)
        validation = split(load_dataset(recipe.dataset), recipe.split).validation
        rejection = measure_rejection(open_model(run.model), validation, seed=NON_DIGITS_SEED)
        return {
            "parameters": trained.count_params(),
            "multiply_accumulates": multiply_accumulates(trained),
            "validation_loss": last["val_loss"],
            "validation_accuracy": last["val_accuracy"],
            "not_digits_rejected": rejection.not_digits.value,
            "machine": describe_machine(),
        }


def render(results: dict[str, Any]) -> str:
    """Return the table as Markdown."""
    head = ("parameters", "multiply-accumulates", "validation loss", "validation accuracy", "non-digits rejected")
    rows = [
        [variant, f"{row['parameters']:,}", f"{row['multiply_accumulates']:,}", f"{row['validation_loss']:.4f}",
         f"{row['validation_accuracy']:.2%}", f"{row['not_digits_rejected']:.0%}"]
        for variant in VARIANTS
        if (row := results.get(variant))
    ]  # fmt: skip
    return table(["variant", *head], rows)


def main() -> None:
    """Train the named variants, write each row as it is measured, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"of: {'; '.join(VARIANTS)}")
    given = parser.parse_args()
    for variant in given.variants:
        if variant not in VARIANTS:
            parser.error(f"unknown variant {variant!r}; known: {'; '.join(VARIANTS)}")
    for variant in given.variants or [variant for variant in VARIANTS if variant not in read_results(VARIANTS_FILE)]:
        row = measure(variant, Console())
        # Read again: another process may have trained others meanwhile.
        write_results(VARIANTS_FILE, {**read_results(VARIANTS_FILE), variant: row})
    write_section(RESULTS / "training.md", "variants", render(read_results(VARIANTS_FILE)))


if __name__ == "__main__":
    main()
