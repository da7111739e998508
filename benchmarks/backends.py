"""One recipe trained under every Keras backend that is installed here; writes docs/training.md: `make backends`.

TensorFlow and JAX come with edgedigits[train] and its tests; for a third row, install PyTorch beside them.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.publishing import write_section
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.recipes import get_recipe
from edgedigits.training.phases import phases_of
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "backends.json"
DOCS = Path(__file__).parent.parent / "docs" / "training.md"

BACKENDS = ("tensorflow", "jax", "torch")
"""As KERAS_BACKEND names them, and as their modules are called."""


def train(backend: str, recipe: str, epochs: int) -> dict[str, Any]:
    """Train in a process of its own, on real MNIST, and return what it learned and how fast."""
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
    # The first epoch holds the compilation; those of the last phase compute something else.
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
    machine, epochs = result["machine"], result["epochs"]
    first = result["rows"][0]["images_per_second"]
    phases = [f"{phase.epochs} {phase.kind}" for phase in phases_of(get_recipe(result["recipe"]), epochs)]
    lines = [
        f"`{result['recipe']}`, epochs: {', '.join(phases)}; without a teacher, on"
        f" {machine['processor']}, {machine['cores']} cores:",
        "",
        "| backend | validation after each epoch | images a second | of the first |",
        "|---|---|---|---|",
    ]
    for row in result["rows"]:
        accuracies = ", ".join(f"{accuracy:.1%}" for accuracy in row["validation_accuracy"])
        speed = row["images_per_second"]
        lines.append(f"| {row['version']} | {accuracies} | {speed:,.0f} | {speed / first:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Train, keep the figures and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="pico")
    parser.add_argument("--epochs", type=int, default=2, help="at least 2: the first holds the compilation")
    parser.add_argument("--tables-only", action="store_true", help="write the table of the figures that are kept")
    given = parser.parse_args()
    if given.epochs < 2:
        parser.error(f"--epochs must be at least 2, is {given.epochs}")
    if not given.tables_only:
        found = [backend for backend in BACKENDS if importlib.util.find_spec(backend)]
        rows = [train(backend, given.recipe, given.epochs) for backend in found]
        measured = {"machine": describe_machine(), "recipe": given.recipe, "epochs": given.epochs, "rows": rows}
        write_whole(RESULTS, json.dumps(measured, indent=1) + "\n")
    write_section(DOCS, "backends", render(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
