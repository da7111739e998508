"""The steps of `demo`: train briefly, export, verify, and read the examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.data.labelled_pictures import LabelledPicture
from edgedigits.exporting.export import Exported, export
from edgedigits.loading import load
from edgedigits.model_files import open_model
from edgedigits.reports.report import make_report
from edgedigits.reports.sections.readings import Row
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.training.fit import train
from edgedigits.training.run_folder import RunFolder
from edgedigits.training.train_options import TrainOptions
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import DataNotFound, EdgedigitsError
from edgedigits_runtime.reading.results import Reading
from edgedigits_runtime.timing import interleaved

RECIPE = "plain-3conv"
FORMATS = (("onnx", "float32"), ("tflite", "int8"))

OPTDIGITS_EPOCHS = 40
"""Optdigits has 1,293 training images, MNIST 54,000; with fewer epochs the exports fail verification."""


@dataclass(frozen=True)
class Demonstration:
    """The results of a demonstration.

    Attributes:
        dataset: "mnist", or "optdigits" if MNIST is not available.
        images: number of test images.
        rows: measurements of the Keras, ONNX and int8 TFLite files.
        readings: of the example pictures with the int8 file, and their labels.
    """

    run: RunFolder
    dataset: str
    images: int
    rows: tuple[Row, ...]
    readings: tuple[tuple[Reading, str], ...]
    report: Path


def demonstrate(
    examples: Sequence[LabelledPicture], *, epochs: int, data_dir: Path | None, console: Console
) -> Demonstration:
    """Train, export, verify and read the examples; `data_dir` is searched for MNIST first.

    Raises:
        EdgedigitsError: a step failed; the files of earlier steps are kept.
    """
    dataset = _dataset(data_dir, console)
    if dataset == "optdigits":
        epochs = max(epochs, OPTDIGITS_EPOCHS)
    console.rule(f"train {RECIPE} on {dataset}, {epochs} epochs")
    run = train(TrainOptions(RECIPE, data=dataset, data_dir=data_dir, epochs=epochs), console)
    made = []
    for file_format, precision in FORMATS:
        console.rule(f"export {precision} {file_format} and compare every decision with Keras")
        made.append(export(run.path, format=file_format, precision=precision))
        _print_proof(made[-1], console)
    console.rule("read the examples with the int8 file")
    reader = load(made[-1].path)
    readings = tuple((reader.read(picture.path), picture.label) for picture in examples)
    splits = splits_of_model(read_contract(made[-1].path), run.model, DataOptions())
    rows = _rows(run, made, splits.test)
    report = make_report(run, data=DataOptions(data_dir=data_dir), readings=readings, rows=rows).write()
    return Demonstration(run, dataset, len(splits.test), rows, readings, report)


def _dataset(data_dir: Path | None, console: Console) -> str:
    try:
        load_dataset("mnist", data_dir=data_dir)
    except DataNotFound as error:
        console.print(f"MNIST is not available ({error}); using optdigits, which needs no download", style="bold")
        return "optdigits"
    return "mnist"


def _print_proof(made: Exported, console: Console) -> None:
    found = made.verification
    if found is None:
        raise EdgedigitsError(f"{made.path} was not verified: {made.unproven}")
    console.print(
        f"{made.path.name}: {found.comparison.agreement:.2%} of {found.comparison.images:,} decisions equal Keras's,"
        f" {len(found.comparison.flips)} changed: passed",
        highlight=False,
        soft_wrap=True,
    )


def _rows(run: RunFolder, made: list[Exported], test: Samples) -> tuple[Row, ...]:
    """Measure the latency of each model for one image, and add the results of verification."""
    files = [run.model, *(one.path for one in made)]
    engines = [open_model(file) for file in files]
    latency = interleaved({str(i): partial(engine.run, test.images[:1]) for i, engine in enumerate(engines)})
    proofs = [one.verification.comparison for one in made if one.verification]
    accuracies = [proofs[0].keras_accuracy, *(proof.artifact_accuracy for proof in proofs)]
    agreements = [None, *(proof.agreement for proof in proofs)]
    return tuple(
        Row(f"{engine.contract.format} {engine.contract.precision}", engine.name, file, accuracy, agreement, ms)
        for engine, file, accuracy, agreement, ms in zip(
            engines, files, accuracies, agreements, latency.values(), strict=True
        )
    )
