"""kill -9 at random moments: afterwards every file is the old or the new whole one, and going on completes.

    python -m tests.torture.kills --kills 200 --seed 0
    python -m tests.torture.kills --command train --kills 20 --out found.json

A killed command is gone on with as its user would, and that may be killed again, until one run comes to its end; what
it leaves must be what a run leaves that nobody disturbed. torture/killing.py says how a command is killed.
A command is one entry of COMMANDS. An attack that was stopped goes on where it was if it is given the same seed.
"""

import argparse
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgedigits_runtime.synthetic.samples import mnist_like
from tests.torture.killing import SHARES, Ended, choose, run, run_fresh
from tests.torture.ray_nodes import nodes_of_their_own, two_nodes_as_auto
from tests.torture.recording import RESULTS, read_result, record
from tests.torture.served import ENVIRONMENT
from tests.torture.whole import digest, left_behind, same, torn, visible

ENOUGH = 0.3
"""Of the killed ones are gone on with to the end, the others are killed again."""

KEPT = 10
"""Failures that are written out."""

BULK_PICTURES = 48

TRAINING = (
    "keras", "tensorflow", "scipy.optimize", "sklearn.datasets", "matplotlib.backends.backend_agg",
    "edgedigits.training.fit", "edgedigits.reports.terminal",
)  # fmt: skip
CLI = ("edgedigits.cli",)
LITERT = (*CLI, "edgedigits.exporting.export", "edgedigits.exporting.source", "ai_edge_litert.interpreter", "PIL.Image")


def _nothing(_: Path) -> None:
    """Begin in an empty folder."""


def _all_files(folder: Path) -> Any:
    return {str(path.relative_to(folder)): same(path) for path in visible(folder)}


@dataclass(frozen=True)
class Command:
    """A command to kill.

    Attributes:
        counts_as: the command of the report.
        share: of the kills of that command.
        start: its arguments, for the folder that it runs in.
        again: how its user goes on after a kill; None is by the same command.
        prepare: what stands in the folder before.
        outcome: what a finished folder holds; the same each time.
        as_one: a folder in it that is replaced as one.
        imports: modules that are imported before the fork. None of them computes anything.
        moments: shares of the ways in which a moment is drawn; see torture/killing.py.
        around: what runs beside it all the time.
    """

    counts_as: str
    start: list[str]
    share: float = 1.0
    again: Callable[[Path], list[str]] | None = None
    prepare: Callable[[Path], None] = _nothing
    outcome: Callable[[Path], Any] = _all_files
    as_one: str | None = None
    imports: tuple[str, ...] = CLI
    moments: tuple[float, ...] = SHARES
    around: Callable[[], AbstractContextManager[None]] = nullcontext


def _resume(folder: Path) -> list[str]:
    """As the messages say: a folder that holds a run is resumed."""
    return ["train", "--resume", "run"] if (folder / "run" / "config.json").exists() else COMMANDS["train"].start


def _trained(folder: Path) -> None:
    """A run to export, and an older export of it."""
    model = _once("trained", COMMANDS["train"].start) / "run" / "model.keras"
    shutil.copyfile(model, folder / "model.keras")
    older = ["export", "model.keras", "--precision", "float32", "--out", "digits.tflite", "--no-verify"]
    for path in visible(_once("older export", older, model)):
        shutil.copyfile(path, folder / path.name)


def _older(*arguments: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        shutil.copytree(_once(" ".join(arguments), list(arguments)), folder, dirs_exist_ok=True)

    return prepare


def _measured(folder: Path) -> Any:
    """Of a benchmark: no time is the same twice, so only that it is complete and has all its sections."""
    result = json.loads((folder / "result.json").read_text())
    return result["complete"], sorted(result)


def _pictures(folder: Path) -> None:
    """Drawn digits, and one that cannot be read."""
    (folder / "in").mkdir()
    for number, digit in enumerate(mnist_like(BULK_PICTURES, seed=10)[0]):
        Image.fromarray(255 - digit).save(folder / "in" / f"{number:02d}.png")
    (folder / "in" / "text.png").write_text("no picture")


def _rows(folder: Path) -> Any:
    """The rows of each part; an error names a picture by its whole path, which is another in each folder."""
    from pyarrow.parquet import read_table

    here = str(folder.resolve())
    parts = sorted((folder / "out").glob("part-*"))
    return {path.name: json.dumps(read_table(path).to_pylist()).replace(here, "") for path in parts}


def _reading(share: float, around: Callable[[], AbstractContextManager[None]], *address: str) -> Command:
    arguments = ["read-bulk", "in", "--out", "out", "--part-size", "8", "--resume", *address]
    # The command itself writes a few small files; the parts come from processes that end when it does.
    moments = (0.2, 0.2, 0.55, 0.05)
    return Command(
        "read-bulk",
        arguments,
        share=share,
        prepare=_pictures,
        outcome=_rows,
        imports=(*CLI, "edgedigits.bulk.bulk_reading"),
        moments=moments,
        around=around,
    )


COMMANDS: dict[str, Command] = {
    "train": Command(
        "train",
        ["train", "--recipe", "tiny", "--out", "run"],
        again=_resume,
        imports=(*CLI, *TRAINING),
    ),
    "export-tflite": Command(
        "export",
        ["export", "model.keras", "--format", "tflite", "--out", "digits.tflite"],
        share=0.2,
        prepare=_trained,
        imports=(*LITERT, "sklearn.datasets", "scipy.optimize"),
    ),
    "export-shipped": Command(
        "export",
        ["export", "base", "--out", "base.tflite"],
        share=0.1,
        prepare=_older("export", "nano", "--out", "base.tflite"),
        imports=LITERT,
    ),
    "export-c": Command(
        "export",
        ["export", "pico", "--format", "c", "--out", "c", "--force", "--no-verify"],
        share=0.4,
        prepare=_older("export", "nano", "--format", "c", "--out", "c", "--no-verify"),
        as_one="c",
        imports=LITERT,
    ),
    "export-web": Command(
        "export",
        ["export", "pico", "--format", "web", "--out", "site", "--force", "--no-verify"],
        share=0.4,
        prepare=_older("export", "nano", "--format", "web", "--out", "site", "--no-verify"),
        as_one="site",
        imports=LITERT,
    ),
    "download": Command(
        "data download",
        ["data", "download", "served", "--data-dir", "data"],
        imports=(*CLI, "edgedigits.data.download", "tests.torture.served"),
    ),
    "bench": Command(
        "bench",
        [
            "bench",
            "--model",
            "pico",
            "--pictures",
            "small",
            "--iterations",
            "1",
            "--seconds",
            "0",
            "--out",
            "result.json",
        ],
        outcome=_measured,
        imports=(*LITERT, "edgedigits.benchmarking.run"),
    ),
    "read-bulk": _reading(0.8, two_nodes_as_auto, "--address", "auto"),
    "read-bulk-local": _reading(0.2, nodes_of_their_own),
}

_made: dict[str, Path] = {}
_scratch: list[Path] = []


def _once(name: str, arguments: list[str], *files: Path) -> Path:
    """Return the folder in which a command ran, once for all kills."""
    if name not in _made:
        folder = Path(tempfile.mkdtemp(prefix="made-", dir=_scratch[0]))
        for file in files:
            shutil.copyfile(file, folder / file.name)
        ended = run(arguments, folder)
        if ended.code:
            raise SystemExit(f"{arguments} failed by itself:\n{ended.said}")
        _forget(folder)
        _made[name] = folder
    return _made[name]


def _forget(folder: Path) -> None:
    shutil.rmtree(folder / ".tmp", ignore_errors=True)
    (folder / ".said").unlink(missing_ok=True)


@dataclass
class Count:
    """What became of the kills of one command; `failures` says each thing that was not as promised."""

    kills: int = 0
    tries: int = 0
    how: dict[str, int] = field(default_factory=dict)
    completed: int = 0
    files_checked: int = 0
    temporary_files_left: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    def fail(self, what: str) -> None:
        """Count a broken promise, and keep the first ones."""
        self.failed += 1
        print("FAILED", what, flush=True)
        if len(self.failures) < KEPT:
            self.failures.append(what)


class Attack:
    """Kill one command again and again.

    Attributes:
        quiet: how the command ended that nobody killed; a second one, in a new interpreter, must end alike.
    """

    def __init__(self, name: str, seed: int, count: Count, *, twice: bool = True) -> None:
        self.name, self.command, self.count = name, COMMANDS[name], count
        self._seed = [seed, zlib.crc32(name.encode())]
        for module in self.command.imports:
            importlib.import_module(module)
        folder = self._begin()
        self._old = {digest(path) for path in visible(folder)}
        self._old_folder = self._as_one(folder)
        self.quiet = run(self.command.start, folder)
        if self.quiet.code:
            raise SystemExit(f"{name} failed by itself:\n{self.quiet.said}")
        self._new = {digest(path) for path in visible(folder)}
        self._new_folder = self._as_one(folder)
        self._outcome = self.command.outcome(folder)
        shutil.rmtree(folder)
        self._fresh_seconds = self.quiet.seconds
        if not twice:
            return
        folder = self._begin()
        self._fresh_seconds = run_fresh(self.command.start, folder).seconds
        self._check_outcome(folder, "an undisturbed second run")
        shutil.rmtree(folder)

    def _begin(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=_scratch[0]))
        self.command.prepare(folder)
        return folder

    def go_on(self, kills: int) -> Iterator[None]:
        """Kill until so many were counted; yield after each."""
        while self.count.kills < kills:
            folder = self._begin()
            yield from self._until_it_completes(folder, kills)
            shutil.rmtree(folder, ignore_errors=True)

    def _until_it_completes(self, folder: Path, kills: int) -> Iterator[None]:
        arguments = self.command.start
        while True:
            rng = np.random.default_rng([*self._seed, self.count.tries])
            self.count.tries += 1
            # What is gone on with has less left to do.
            changes = self.quiet.changes if arguments == self.command.start else max(1, self.quiet.changes // 2)
            moment = choose(rng, changes, self.quiet.seconds, self._fresh_seconds, self.command.moments)
            ended = run(arguments, folder, moment)
            where = f"try {self.count.tries - 1}, {moment}"
            if not ended.killed:
                self.finished(folder, ended, where)
                return
            self.count.kills += 1
            self.count.how[moment.how] = self.count.how.get(moment.how, 0) + 1
            self.check_files(folder, where)
            yield
            arguments = self.command.again(folder) if self.command.again else self.command.start
            if rng.random() < ENOUGH or self.count.kills >= kills:
                self.finished(folder, run(arguments, folder), where)
                return

    def finished(self, folder: Path, ended: Ended, where: str) -> None:
        if ended.code:
            self.count.fail(f"{where}: going on ended with {ended.code}: {ended.said[-300:].strip()}")
            return
        self.count.completed += 1
        self.count.temporary_files_left += len(left_behind(folder))
        self._check_outcome(folder, where)

    def _check_outcome(self, folder: Path, where: str) -> None:
        found = self.command.outcome(folder)
        if found != self._outcome:
            apart = _difference(found, self._outcome)
            self.count.fail(f"{where}: what it made differs from an undisturbed run's: {apart}")

    def check_files(self, folder: Path, where: str) -> None:
        for path in visible(folder):
            self.count.files_checked += 1
            if digest(path) not in self._old | self._new and (why := torn(path)):
                self.count.fail(f"{where}: {path.relative_to(folder)} is not whole: {why}")
        if self.command.as_one and self._as_one(folder) not in (self._old_folder, self._new_folder):
            self.count.fail(f"{where}: {self.command.as_one}/ is neither the old nor the new one")

    def _as_one(self, folder: Path) -> dict[str, str]:
        place = folder / (self.command.as_one or ".")
        return {str(path.relative_to(place)): digest(path) for path in visible(place)} if place.is_dir() else {}


def _difference(found: Any, wanted: Any) -> str:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return ", ".join(sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)))
    return f"{found} and {wanted}"[:300]


@contextmanager
def surroundings() -> Iterator[None]:
    """Offer a scratch folder, and a mirror on the loopback interface, and take both away again."""
    import os

    command = [sys.executable, "-m", "tests.torture.served"]
    with (
        tempfile.TemporaryDirectory(prefix="edgedigits-kills-") as scratch,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mirror,
    ):
        if mirror.stdin is None or mirror.stdout is None:
            raise SystemExit("the mirror has no pipes")
        os.environ[ENVIRONMENT] = mirror.stdout.readline().strip()
        _scratch.append(Path(scratch))
        try:
            yield
        finally:
            _scratch.pop()
            _made.clear()
            mirror.stdin.close()


def attack(name: str, kills: int, seed: int, out: Path) -> Count:
    """Kill one command of COMMANDS so many times in all, and write down after each what was found."""
    known = read_result(out).get("parts", {}).get(name, {})
    names = Count.__dataclass_fields__
    stopped = known.get("seed") == seed and not known["finished"]
    count = Count(**{key: value for key, value in known.items() if stopped and key in names})
    entry = {"counts_as": COMMANDS[name].counts_as, "seed": seed}
    if count.kills < kills:
        with COMMANDS[name].around():
            for _ in Attack(name, seed, count).go_on(kills):
                print(f"{name}: {count.kills} kills, {count.completed} completed, {count.failed} failed", flush=True)
                record(out, name, {"finished": False, **entry, **vars(count)})
    record(out, name, {"finished": True, **entry, **vars(count)})
    return count


def main() -> None:
    """Kill the commands that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", choices=COMMANDS, action="append", help="all of them if it is not given")
    parser.add_argument("--kills", type=int, default=200, help="of each command, shared among its entries")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "kills.json")
    given = parser.parse_args()
    with surroundings():
        failed = [
            attack(name, round(given.kills * COMMANDS[name].share), given.seed, given.out).failed
            for name in given.command or COMMANDS
        ]
    sys.exit(any(failed))


if __name__ == "__main__":
    main()
