"""The run folder of a training.

runs/<recipe>-<time>/
    config.json         settings, seed, versions, data fingerprint
    history.csv         one row per finished epoch
    checkpoint.keras    weights and optimiser state of the last finished epoch, for resuming
    best.keras          weights of the epoch with the best validation accuracy
    final.keras         weights of the last epoch
    model.keras         best or final, set by the recipe
    curves.png          accuracy and loss by epoch
"""

import csv
import dataclasses
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgedigits.recipes import FINDER
from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import OutputNotWritable, RunError
from edgedigits_runtime.whole_files import remove_abandoned, write_whole

RUNS = Path("runs")


@dataclass(frozen=True)
class RunConfig:
    """Settings of a training, as in `config.json`; see also TrainOptions.

    Args:
        data_dir: folder that was searched first.
        augmentation: its limits; None for none.
        data_fingerprint: SHA-256 of the training split.
        split: the split plan.
        versions: of Python and the libraries.
        teachers: their files.
        reader: how a folder's pictures were framed; "plain" in runs of older versions.
        started_from, own_pictures: of a fine-tuning, the `.keras` file and the folder; else None.
    """

    recipe: str
    data: str
    data_dir: str | None
    epochs: int
    batch_size: int
    seed: int
    augmentation: dict[str, float] | None
    device: str
    data_fingerprint: str
    split: dict[str, Any]
    versions: dict[str, str]
    mixed_precision: bool = False
    parallel: bool = False
    teachers: list[str] = field(default_factory=list)
    reader: ReaderKind = "plain"
    started_from: str | None = None
    own_pictures: str | None = None


@dataclass(unsafe_hash=True)
class RunFolder:
    """Paths, config and history of a run."""

    path: Path

    def __post_init__(self) -> None:
        self.config = self.path / "config.json"
        self.history = self.path / "history.csv"
        self.checkpoint = self.path / "checkpoint.keras"
        self.best = self.path / "best.keras"
        self.final = self.path / "final.keras"
        self.model = self.path / "model.keras"
        self.curves = self.path / "curves.png"

    def refuse_other_files(self) -> None:
        """Raise RunError if the folder has files."""
        if self.path.exists() and any(self.path.iterdir()):
            raise RunError(f"{self.path} is not empty; give another --out, or continue it with --resume {self.path}")

    def read_config(self) -> RunConfig:
        """Read `config.json`; raise RunError if the folder holds no run, or its config is damaged."""
        try:
            return RunConfig(**json.loads(self.config.read_text()))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RunError(f"{self.path} is not a run folder: config.json is missing") from error
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise RunError(f"{self.config} is damaged: {error}") from error

    def is_finder(self) -> bool:
        """Return whether a finder is trained here; not if the config is missing or damaged."""
        try:
            return self.read_config().recipe == FINDER
        except RunError:
            return False

    def write_config(self, config: RunConfig) -> None:
        write_whole(self.config, json.dumps(dataclasses.asdict(config), indent=1))

    def write_history(self, rows: list[dict[str, float]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.history, text.getvalue())

    def read_history(self) -> list[dict[str, float]]:
        """Return one row per finished epoch."""
        if not self.history.exists():
            return []
        with self.history.open(newline="") as stream:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]


def format_epoch(row: Mapping[str, float], epochs: int) -> str:
    """Return the line to print for a finished epoch."""
    return (
        f"epoch {int(row['epoch'])}/{epochs}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}"
        f"  val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}  {row['seconds']:.1f} s"
    )


def new_run(recipe: str, runs: Path = RUNS) -> RunFolder:
    """Make an empty run folder named by recipe and time."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for attempt in range(1, 1000):
        path = runs / (f"{recipe}-{stamp}" if attempt == 1 else f"{recipe}-{stamp}-{attempt}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputNotWritable(f"cannot make the run folder {path}: {error.strerror}") from error
        return RunFolder(path)
    raise RunError(f"cannot make a new run folder under {runs}")


def start_run(out: Path | None, recipe: str) -> RunFolder:
    """Make the run folder of a training; None is a new one under RUNS.

    Raises:
        OutputNotWritable: it cannot be made.
        RunError: it holds other files; see RunFolder.refuse_other_files.
    """
    if out is None:
        return new_run(recipe, RUNS)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(f"cannot make the run folder {out}: {error.strerror}") from error
    # A run that was killed before it wrote its config left only temporary files.
    remove_abandoned(out)
    run = RunFolder(out)
    run.refuse_other_files()
    return run


def check_out(out: Path | None) -> None:
    """Raise what start_run raises for a folder that exists, without making one."""
    if out is not None and out.exists():
        start_run(out, "")


def newest_run(runs: Path = RUNS) -> RunFolder | None:
    """Return the newest finished run under `runs`, or None."""
    # Names with a dot are still being written.
    finished = sorted(runs.glob("[!.]*/model.keras"), key=lambda model: model.stat().st_mtime)
    return RunFolder(finished[-1].parent) if finished else None
