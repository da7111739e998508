"""The commands to attack, and their surroundings: a scratch folder, and a mirror on the loopback interface."""

import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from edgedigits_runtime.synthetic.samples import mnist_like
from tests.support.new_interpreter import background
from tests.support.ray_nodes import own_nodes, two_nodes_as_auto
from tests.torture.file_checks import comparable, visible
from tests.torture.forking import OUTPUT, SHARES, TEMPORARY, run
from tests.torture.served import ENVIRONMENT

BULK_PICTURES = 48

CLI = ("edgedigits.cli",)
LITERT = (*CLI, "edgedigits.exporting.export", "edgedigits.exporting.source", "ai_edge_litert.interpreter", "PIL.Image")
CONVERSION = ("sklearn.datasets", "scipy.optimize")
TRAINING = (
    *(*CLI, *CONVERSION, "keras", "tensorflow", "matplotlib.backends.backend_agg"),
    *("edgedigits.training.fit", "edgedigits.plotting.curves"),
)


def _nothing(_: Path) -> None:
    """Leave the folder empty."""


def _all_files(folder: Path) -> Any:
    return {str(path.relative_to(folder)): comparable(path) for path in visible(folder)}


@dataclass(frozen=True)
class Command:
    """A command to attack."""

    counts_as: str  # name in the report
    line: str  # arguments, separated by spaces
    share: float = 1.0  # of the kills of its name in the report
    resume: Callable[[Path], list[str]] | None = None  # arguments to continue after a kill; the same command if None
    prepare: Callable[[Path], None] = _nothing  # writes the files that exist before
    outcome: Callable[[Path], Any] = _all_files  # contents of a finished folder, equal for equal runs
    replaced_folder: str | None = None  # a folder that the command replaces as a whole
    imports: tuple[str, ...] = CLI  # modules that are imported before the fork
    moments: tuple[float, ...] = SHARES  # shares of the kinds of moments, see `forking.choose`
    around: Callable[[], AbstractContextManager[None]] = nullcontext  # runs beside the whole attack

    @property
    def start(self) -> list[str]:
        """The arguments."""
        return self.line.split()

    def resumed(self, folder: Path) -> list[str]:
        """Return the arguments to continue a killed command in a folder."""
        return self.resume(folder) if self.resume else self.start

    def import_modules(self) -> None:
        """Import what the forked command needs."""
        for module in self.imports:
            importlib.import_module(module)


def _resume_training(folder: Path) -> list[str]:
    return ["train", "--resume", "run"] if (folder / "run" / "config.json").exists() else COMMANDS["train"].start


def _trained(folder: Path) -> None:
    """Write a model to export, and an older export of it."""
    model = _once(COMMANDS["train"].start) / "run" / "model.keras"
    older = _once(["export", "model.keras", "--precision", "float32", "--out", "digits.tflite", "--no-verify"], model)
    for path in (model, *visible(older)):
        shutil.copyfile(path, folder / path.name)


def _measured(folder: Path) -> Any:
    """Return whether a benchmark is complete, and its sections; times differ between runs."""
    result = json.loads((folder / "result.json").read_text())
    return result["complete"], sorted(result)


def _pictures(folder: Path) -> None:
    """Write drawn digits, and one unreadable picture."""
    (folder / "in").mkdir()
    for number, digit in enumerate(mnist_like(BULK_PICTURES, seed=10)[0]):
        Image.fromarray(255 - digit).save(folder / "in" / f"{number:02d}.png")
    (folder / "in" / "text.png").write_text("no picture")


def _rows(folder: Path) -> Any:
    """Return the rows of each part; the folder is removed from the paths in errors."""
    from pyarrow.parquet import read_table

    parts = sorted((folder / "out").glob("part-*"))
    return {path.name: json.dumps(read_table(path).to_pylist()).replace(str(folder.resolve()), "") for path in parts}


def _export(line: str, share: float, older: str = "", folder: str | None = None) -> Command:
    """Return an export; `older` makes the files that it replaces."""

    def prepare(place: Path) -> None:
        shutil.copytree(_once(older.split()), place, dirs_exist_ok=True)

    imports = LITERT if older else (*LITERT, *CONVERSION)
    prepared = prepare if older else _trained
    return Command("export", line, share=share, prepare=prepared, replaced_folder=folder, imports=imports)


def _read_bulk(share: float, around: Callable[[], AbstractContextManager[None]], address: str = "") -> Command:
    return Command(
        "read-bulk",
        f"read-bulk in --out out --part-size 8 --resume {address}",
        share=share,
        prepare=_pictures,
        outcome=_rows,
        imports=(*CLI, "edgedigits.bulk.bulk_reading"),
        # The command itself writes a few small files; other processes write the parts.
        moments=(0.2, 0.2, 0.55, 0.05),
        around=around,
    )


COMMANDS: dict[str, Command] = {
    "train": Command("train", "train --recipe tiny --out run", resume=_resume_training, imports=TRAINING),
    "export-tflite": _export("export model.keras --format tflite --out digits.tflite", 0.2),
    "export-shipped": _export("export base --out base.tflite", 0.1, "export nano --out base.tflite"),
    "export-c": _export(
        "export pico --format c --out c --force --no-verify", 0.4, "export nano --format c --out c --no-verify", "c"
    ),
    "export-web": _export(
        "export pico --format web --out site --force --no-verify",
        0.4,
        "export nano --format web --out site --no-verify",
        "site",
    ),
    "download": Command(
        "data download",
        "data download served --data-dir data",
        imports=(*CLI, "edgedigits.data.download", "tests.torture.served"),
    ),
    "bench": Command(
        "bench",
        "bench --model pico --pictures small --iterations 1 --seconds 0 --out result.json",
        outcome=_measured,
        imports=(*LITERT, "edgedigits.benchmarking.sections"),
    ),
    "read-bulk": _read_bulk(0.8, two_nodes_as_auto, "--address auto"),
    "read-bulk-local": _read_bulk(0.2, own_nodes),
}

_made: dict[tuple[str, ...], Path] = {}
_scratch: list[Path] = []


def new_folder(name: str) -> Path:
    """Return a new empty folder within the surroundings."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_scratch[0]))


def _once(arguments: list[str], *files: Path) -> Path:
    """Return the folder in which a command ran; it runs once within the surroundings."""
    if (key := tuple(arguments)) not in _made:
        folder = new_folder("made")
        for file in files:
            shutil.copyfile(file, folder / file.name)
        ended = run(arguments, folder)
        if ended.code:
            raise SystemExit(f"{arguments} failed without an attack:\n{ended.output}")
        shutil.rmtree(folder / TEMPORARY, ignore_errors=True)
        (folder / OUTPUT).unlink(missing_ok=True)
        _made[key] = folder
    return _made[key]


@contextmanager
def surroundings() -> Iterator[None]:
    """Start the mirror and make a scratch folder; remove both at the end."""
    with tempfile.TemporaryDirectory(prefix="edgedigits-kills-") as scratch, background("tests.torture.served") as url:
        os.environ[ENVIRONMENT] = url
        _scratch.append(Path(scratch))
        try:
            yield
        finally:
            _scratch.pop()
            _made.clear()
