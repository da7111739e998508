"""A short, seeded part of `python -m tests.torture.kills`: killed commands leave whole files, and resume."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.new_interpreter import in_new_interpreter
from tests.torture.killing import choose
from tests.torture.whole import torn

AT_RANDOM = """
from pathlib import Path
from tests.torture.kills import attack, surroundings
with surroundings():
    for name, kills in (("download", 10), ("export-web", 8)):
        attack(name, kills, 1, Path({out!r}))
"""

START = """
import tempfile
from pathlib import Path
from tests.torture.killing import Moment, run
from tests.torture.kills import COMMANDS, Attack, Count, surroundings
from tests.torture.whole import left_behind

with surroundings():
    count = Count()
    attack = Attack({name!r}, 0, count, twice=False)
    command, last = COMMANDS[{name!r}], attack.quiet.changes
    for number in {numbers}:
        with tempfile.TemporaryDirectory() as place:
            folder, where = Path(place), f"before change {{number}}"
            command.prepare(folder)
            assert run(command.start, folder, Moment("before", number)).killed
            attack.check_files(folder, where)
"""

FINISH = """
            attack.finished(folder, run(command.again(folder), folder), where)
            assert left_behind(folder) == [], left_behind(folder)
    assert count.completed == {count}, count
"""

END = """
    assert count.failures == [], count
"""


@pytest.mark.slow
def test_after_kills_at_random_files_are_whole_and_going_on_completes(tmp_path: Path) -> None:
    out = tmp_path / "kills.json"
    in_new_interpreter(AT_RANDOM.format(out=str(out)))
    for found in json.loads(out.read_text())["parts"].values():
        assert found["failures"] == [] and found["finished"]
        assert found["kills"] >= 1 and found["completed"] >= 1 and found["files_checked"] >= 1


@pytest.mark.slow
def test_an_exported_folder_is_the_old_or_the_new_one_at_each_of_its_last_changes() -> None:
    in_new_interpreter(START.format(name="export-c", numbers="range(max(1, last - 12), last + 1)") + END)


@pytest.mark.slow
def test_a_killed_training_ends_as_an_undisturbed_one() -> None:
    # Before its first checkpoint, and between its last files.
    in_new_interpreter(START.format(name="train", numbers="(10, last - 4)") + FINISH.format(count=2) + END)


def test_moments_are_those_of_their_seed() -> None:
    drawn = [[choose(np.random.default_rng([0, k]), 50, 2.0, 5.0) for k in range(40)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert {moment.how for moment in drawn[0]} == {"before", "after", "time", "fresh"}
    assert all(1 <= moment.number <= 50 for moment in drawn[0] if moment.how in ("before", "after"))


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.keras", "a.npz", "a.png", "a.tflite", "a.unknown"])
def test_a_torn_file_is_found_out(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b'{"a": [1, 2')
    assert torn(tmp_path / name)
