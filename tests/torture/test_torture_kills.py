"""A short, seeded part of `python -m tests.torture.kills`."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.new_interpreter import in_new_interpreter
from tests.torture.file_checks import damage
from tests.torture.forking import choose

RANDOM_KILLS = """
from pathlib import Path
from tests.torture.commands import surroundings
from tests.torture.kills import attack
with surroundings():
    for name, kills in (("download", 10), ("export-web", 8)):
        attack(name, kills, 1, Path({out!r}))
"""

START = """
import tempfile
from pathlib import Path
from tests.torture.commands import COMMANDS, surroundings
from tests.torture.file_checks import left_behind
from tests.torture.forking import Moment, run
from tests.torture.kills import Attack, new_count

with surroundings():
    count = new_count()
    attack = Attack({name!r}, 0, count, twice=False)
    command, last = COMMANDS[{name!r}], attack.undisturbed.changes
    for number in {numbers}:
        with tempfile.TemporaryDirectory() as place:
            folder, where = Path(place), f"before change {{number}}"
            command.prepare(folder)
            assert run(command.start, folder, Moment("before", number)).killed
            attack.check_files(folder, where)
"""

FINISH = """
            attack.check_end(folder, run(command.resumed(folder), folder), where)
            assert left_behind(folder) == [], left_behind(folder)
    assert count["completed"] == {count}, count
"""

END = """
    assert count["failures"] == [], count
"""


@pytest.mark.slow
def test_random_kills_leave_intact_files_and_commands_resume(tmp_path: Path) -> None:
    out = tmp_path / "kills.json"
    in_new_interpreter(RANDOM_KILLS.format(out=str(out)))
    for found in json.loads(out.read_text())["parts"].values():
        assert found["failures"] == [] and found["finished"]
        assert found["kills"] >= 1 and found["completed"] >= 1 and found["files_checked"] >= 1


@pytest.mark.slow
def test_a_killed_export_leaves_the_old_or_the_new_folder() -> None:
    in_new_interpreter(START.format(name="export-c", numbers="range(max(1, last - 12), last + 1)") + END)


@pytest.mark.slow
def test_a_resumed_training_equals_an_undisturbed_one() -> None:
    # Before its first checkpoint, and between its last files.
    in_new_interpreter(START.format(name="train", numbers="(10, last - 4)") + FINISH.format(count=2) + END)


def test_moments_depend_on_the_seed() -> None:
    drawn = [[choose(np.random.default_rng([0, k]), 50, 2.0, 5.0) for k in range(40)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert {moment.how for moment in drawn[0]} == {"before", "after", "time", "fresh"}
    assert all(1 <= moment.number <= 50 for moment in drawn[0] if moment.how in ("before", "after"))


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.keras", "a.npz", "a.png", "a.tflite", "a.unknown"])
def test_a_damaged_file_is_detected(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b'{"a": [1, 2')
    assert damage(tmp_path / name)
