"""Train one recipe under every installed Keras backend, and write benchmarks/results/training.md: `make backends`.

TensorFlow and JAX come with edgedigits[train-cpu] and its tests; install PyTorch for a third row.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.publishing import (
    RESULTS,
    place_of,
    read_results,
    table,
    with_machine,
    write_results,
    write_section,
)
from edgedigits.recipes import get_recipe
from edgedigits.training.phases import phases_of
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.embedded_contract import read_contract

BACKENDS_FILE = RESULTS / "backends.json"

BACKENDS = ("tensorflow", "jax", "torch")
"""Values of KERAS_BACKEND, which are module names too."""


def train(backend: str, recipe: str, epochs: int) -> dict[str, Any]:
    """Train on MNIST in a separate process, and return accuracy and speed."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        command = [sys.executable, "-m", "edgedigits", "train", "--recipe", recipe, "--epochs", str(epochs)]
        subprocess.run(
            [*command, "--data", "mnist", "--out", str(run.path)],
            env={**os.environ, "KERAS_BACKEND": backend},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        history, used = run.read_history(), read_contract(run.model).training
    assert used is not None
    # The first epoch includes compilation; the last phase computes something else.
    seconds = min(row["seconds"] for row in history[1:epochs])
    return {
        "backend": backend,
        "version": _version(backend),
        "validation_accuracy": [row["val_accuracy"] for row in history],
        "images_per_second": used.count / seconds,
    }


def _version(module: str) -> str:
    name = importlib.metadata.packages_distributions()[module][0]
    return f"{name} {importlib.metadata.version(name)}"


def render(result: dict[str, Any]) -> str:
    """Return the table as Markdown."""
    epochs = result["epochs"]
    first = result["rows"][0]["images_per_second"]
    phases = [f"{phase.epochs} {phase.kind}" for phase in phases_of(get_recipe(result["recipe"]), epochs)]
    caption = f"`{result['recipe']}`, epochs: {', '.join(phases)}; without a teacher, on {place_of(result['machine'])}:"
    rows = []
    for row in result["rows"]:
        accuracies = ", ".join(f"{accuracy:.1%}" for accuracy in row["validation_accuracy"])
        speed = row["images_per_second"]
        rows.append([row["version"], accuracies, f"{speed:,.0f}", f"{speed / first:.2f}"])
    return f"{caption}\n\n{table(['backend', 'validation after each epoch', 'images a second', 'of the first'], rows)}"


def main() -> None:
    """Train, write the figures and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="pico")
    parser.add_argument("--epochs", type=int, default=2, help="at least 2, since the first one includes compilation")
    parser.add_argument("--tables-only", action="store_true", help="write the table of the stored figures")
    given = parser.parse_args()
    if given.epochs < 2:
        parser.error(f"--epochs must be at least 2, is {given.epochs}")
    if not given.tables_only:
        found = [backend for backend in BACKENDS if importlib.util.find_spec(backend)]
        rows = [train(backend, given.recipe, given.epochs) for backend in found]
        write_results(BACKENDS_FILE, with_machine(recipe=given.recipe, epochs=given.epochs, rows=rows))
    write_section(RESULTS / "training.md", "backends", render(read_results(BACKENDS_FILE)))


if __name__ == "__main__":
    main()
