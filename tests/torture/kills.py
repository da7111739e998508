"""kill -9 at random moments: every file must be the old or the new one, intact, and the command must resume.

    python -m tests.torture.kills --kills 200 --seed 0
    python -m tests.torture.kills --command train --kills 20 --out found.json

A killed command is resumed as a user would, may be killed again, and at last runs to its end. Its files must equal
those of an undisturbed run. An interrupted attack resumes with the same seed.
"""

import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.torture.commands import COMMANDS, new_folder, surroundings
from tests.torture.file_checks import damage, digest, left_behind, visible
from tests.torture.forking import Ended, choose, run, run_fresh
from tests.torture.runner import interrupted, parser, record

FINISHED_SHARE = 0.3
"""Share of the killed commands that then run to their end; the others are killed again."""

MAX_FAILURES = 10
"""Failures that are recorded in full."""


Count = dict[str, Any]


def new_count() -> Count:
    """Return the results of an attack that has not begun; `failures` lists broken promises."""
    names = ("kills", "tries", "how", "completed", "files_checked", "temporary_files_left", "failed", "failures")
    return {name: {"how": {}, "failures": []}.get(name, 0) for name in names}


class Attack:
    """Kill one command again and again.

    Attributes:
        undisturbed: the end of a run without kills; a second one, in a new interpreter, must have the same outcome.
    """

    def __init__(self, name: str, seed: int, count: Count, *, twice: bool = True) -> None:
        self.name, self.command, self.count = name, COMMANDS[name], count
        self._seed = [seed, zlib.crc32(name.encode())]
        self.command.import_modules()
        folder = self._prepared()
        self._old, old_folder = {digest(path) for path in visible(folder)}, self._replaced(folder)
        self.undisturbed = run(self.command.start, folder)
        if self.undisturbed.code:
            raise SystemExit(f"{name} failed without an attack:\n{self.undisturbed.output}")
        self._new = {digest(path) for path in visible(folder)}
        self._replaced_before_and_after = old_folder, self._replaced(folder)
        self._outcome = self.command.outcome(folder)
        shutil.rmtree(folder)
        self._fresh_seconds = self.undisturbed.seconds
        if twice:
            folder = self._prepared()
            self._fresh_seconds = run_fresh(self.command.start, folder).seconds
            self._check_outcome(folder, "an undisturbed second run")
            shutil.rmtree(folder)

    def _prepared(self) -> Path:
        folder = new_folder(self.name)
        self.command.prepare(folder)
        return folder

    def kill_until(self, kills: int) -> Iterator[None]:
        """Kill until so many kills are counted; yield after each."""
        while self.count["kills"] < kills:
            folder = self._prepared()
            yield from self._until_complete(folder, kills)
            shutil.rmtree(folder, ignore_errors=True)

    def _until_complete(self, folder: Path, kills: int) -> Iterator[None]:
        arguments = self.command.start
        while True:
            rng = np.random.default_rng([*self._seed, self.count["tries"]])
            self.count["tries"] += 1
            # A resumed command has less left to do.
            changes = self.undisturbed.changes if arguments == self.command.start else self.undisturbed.changes // 2
            moment = choose(rng, max(1, changes), self.undisturbed.seconds, self._fresh_seconds, self.command.moments)
            ended = run(arguments, folder, moment)
            where = f"try {self.count['tries'] - 1}, {moment}"
            if not ended.killed:
                self.check_end(folder, ended, where)
                return
            self.count["kills"] += 1
            self.count["how"][moment.how] = self.count["how"].get(moment.how, 0) + 1
            self.check_files(folder, where)
            yield
            arguments = self.command.resumed(folder)
            if rng.random() < FINISHED_SHARE or self.count["kills"] >= kills:
                self.check_end(folder, run(arguments, folder), where)
                return

    def _fail(self, what: str) -> None:
        """Count a broken promise, and keep the first ones."""
        self.count["failed"] += 1
        print("FAILED", what, flush=True)
        if len(self.count["failures"]) < MAX_FAILURES:
            self.count["failures"].append(what)

    def check_end(self, folder: Path, ended: Ended, where: str) -> None:
        """Check a command that was not killed any more."""
        if ended.code:
            self._fail(f"{where}: the resumed command ended with {ended.code}: {ended.output[-300:].strip()}")
            return
        self.count["completed"] += 1
        self.count["temporary_files_left"] += len(left_behind(folder))
        self._check_outcome(folder, where)

    def _check_outcome(self, folder: Path, where: str) -> None:
        found = self.command.outcome(folder)
        if found != self._outcome:
            different = _difference(found, self._outcome)
            self._fail(f"{where}: the outcome differs from an undisturbed run's: {different}")

    def check_files(self, folder: Path, where: str) -> None:
        """Check the files that a killed command left."""
        for path in visible(folder):
            self.count["files_checked"] += 1
            if digest(path) not in self._old | self._new and (why := damage(path)):
                self._fail(f"{where}: {path.relative_to(folder)} is damaged: {why}")
        if self._replaced(folder) not in self._replaced_before_and_after:
            self._fail(f"{where}: {self.command.replaced_folder}/ is neither the old nor the new folder")

    def _replaced(self, folder: Path) -> dict[str, str]:
        """Return the files of the folder that the command replaces, with their digests."""
        if self.command.replaced_folder is None:
            return {}
        place = folder / self.command.replaced_folder
        return {str(path.relative_to(place)): digest(path) for path in visible(place)}


def _difference(found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        names = found.keys() | expected.keys()
        return ", ".join(sorted(name for name in names if found.get(name) != expected.get(name)))
    return f"{found} and {expected}"[:300]


def attack(name: str, kills: int, seed: int, out: Path) -> Count:
    """Kill one of COMMANDS so many times, and record the results after each."""
    command, known = COMMANDS[name], interrupted(out, name, seed)
    count = {key: known.get(key, value) for key, value in new_count().items()}

    def keep(finished: bool) -> None:
        record(out, name, {"finished": finished, "counts_as": command.counts_as, "seed": seed, **count})

    if count["kills"] < kills:
        with command.around():
            for _ in Attack(name, seed, count).kill_until(kills):
                print(f"{name}:", *(f"{count[key]} {key}," for key in ("kills", "completed", "failed")), flush=True)
                keep(False)
    keep(True)
    return count


def main() -> None:
    """Kill the chosen commands."""
    arguments = parser(__doc__, "kills")
    arguments.add_argument("--command", choices=COMMANDS, action="append", help="default: all of them")
    arguments.add_argument("--kills", type=int, default=200, help="of each command, shared among its entries")
    given = arguments.parse_args()
    names = given.command or list(COMMANDS)
    with surroundings():
        counts = [attack(name, round(given.kills * COMMANDS[name].share), given.seed, given.out) for name in names]
    sys.exit(any(count["failed"] for count in counts))


if __name__ == "__main__":
    main()
