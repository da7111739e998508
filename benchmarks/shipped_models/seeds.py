"""Train the seeds of a shipped model, export them to int8, and measure each once on the test split."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.shipped_models.catalogue import INT8, run_name, run_path, teacher_files
from edgedigits.exporting.export import export_model
from edgedigits.exporting.plan import ExportRequest
from edgedigits.training.run_folder import RunFolder
from edgedigits.training.train import train_or_resume
from edgedigits.training.train_options import TrainOptions
from edgedigits.verification.reference import file_digest
from edgedigits.verification.verify import report_path
from edgedigits_runtime.errors import GateMissed, RunError


@dataclass(frozen=True)
class SeedResult:
    """The figures of one seed.

    Attributes:
        epochs: of all phases.
        teachers: such as "max-0".
        validation_accuracy: after the last epoch; it decides which seed is shipped.
        keras_accuracy, int8_accuracy: on the test split.
        agreement: share of equal decisions of the two.
        passed: whether the int8 file passed its gates.
    """

    seed: int
    epochs: int
    teachers: list[str]
    validation_accuracy: float
    keras_accuracy: float
    int8_accuracy: float
    agreement: float
    passed: bool


def train_seed(name: str, seed: int, runs: Path, console: Console) -> RunFolder:
    """Return the finished run of one seed: the existing one, resumed if necessary, or a new one.

    Raises:
        RunError: it has to be trained, but a teacher's run is not finished.
    """
    out, teachers = run_path(runs, name, seed), teacher_files(name, runs)
    if RunFolder(out).model.is_file():
        return RunFolder(out)
    if missing := [teacher for teacher in teachers if not Path(teacher).is_file()]:
        raise RunError(f"the teacher of {name} is missing: {', '.join(missing)}; build that model first")
    options = TrainOptions(recipe=name, seed=seed, teachers=teachers, out=out)
    return train_or_resume(options, console)


def measure_seed(run: RunFolder, name: str) -> SeedResult:
    """Export a run to int8 and measure it on the test split, unless this was done with the same weights."""
    report = exported(run, name, *INT8)
    figures = report["comparison"]
    config, history = run.read_config(), run.read_history()
    return SeedResult(
        seed=config.seed,
        epochs=len(history),
        teachers=[run_name(Path(teacher)) for teacher in config.teachers],
        validation_accuracy=history[-1]["val_accuracy"],
        keras_accuracy=figures["keras_accuracy"]["value"],
        int8_accuracy=figures["artifact_accuracy"]["value"],
        agreement=figures["agreement"],
        passed=report["passed"],
    )


def artifact_path(run: RunFolder, name: str, file_format: str, precision: str) -> Path:
    """Return the path of a run's export."""
    return run.path / f"{name}.{precision}.{file_format}"


def exported(run: RunFolder, name: str, file_format: str, precision: str) -> dict[str, Any]:
    """Export a run, unless this was done with the same weights, and return the verification report.

    After a missed gate there is a report, but no file.
    """
    path = artifact_path(run, name, file_format, precision)
    report = _report(path)
    # An export that was killed between the two has a report, but no file.
    lost = report is not None and report["passed"] and not path.is_file()
    if report is None or lost or report["against_fingerprint"] != file_digest(run.model):
        path.unlink(missing_ok=True)
        with contextlib.suppress(GateMissed):
            export_model(ExportRequest(run.path, file_format, precision, path))
        report = _report(path)
    if report is None:
        raise RunError(f"{path.name} could not be verified: the data of {run.path} are missing")
    return report


def forget_exports(run: RunFolder) -> None:
    """Delete the reports of a run's exports, so that they are made again after a change of the exporters."""
    for report in run.path.glob("*.verify.json"):
        report.unlink()


def _report(path: Path) -> dict[str, Any] | None:
    file = report_path(path)
    if not file.is_file():
        return None
    report: dict[str, Any] = json.loads(file.read_text())
    return report


def chosen(results: Sequence[SeedResult]) -> SeedResult:
    """Return the seed to ship: the best validation accuracy, the first of equals; never by the test split."""
    return max(results, key=lambda result: (result.validation_accuracy, -result.seed))
