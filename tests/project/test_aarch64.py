"""The light install on a 64-bit ARM board, emulated: the same answers as here (.ci/aarch64 sets it up)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgedigits
from edgedigits.data.dataset import Dataset
from edgedigits.data.labelled_pictures import read_labelled
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow

EMULATOR = "qemu-aarch64-static"
Board = Callable[..., str]

CLASSIFY = """
import sys, numpy as np, edgedigits
classifier = edgedigits.load(sys.argv[1]).classifier
assert classifier.engine.providers == ("XNNPACK",), classifier.engine.providers
np.save(sys.argv[3], classifier.engine.invoke(classifier.engine.feed(np.load(sys.argv[2]))))
"""


@pytest.fixture(scope="module")
def board(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Board:
    """Return what runs Python with arguments on the emulated board, and gives what it printed."""
    if not sys.platform.startswith("linux") or not shutil.which(EMULATOR) or not shutil.which("apt-get"):
        pytest.skip(f"needs Linux with apt-get and {EMULATOR}: apt-get install qemu-user-static")
    folder = tmp_path_factory.mktemp("aarch64")
    subprocess.run([sys.executable, "-m", "venv", folder / "pip"], check=True)
    environment = {**os.environ, "PIP": f"{folder / 'pip' / 'bin' / 'python'} -m pip"}
    made = subprocess.run(
        [REPOSITORY / ".ci" / "aarch64", folder, wheel], env=environment, capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"the packages of an aarch64 userland are not to be had: {made.stderr.strip()[-300:]}")
    root = folder / "root"
    command = [EMULATOR, "-cpu", "cortex-a72", "-L", root, root / "usr" / "bin" / "python3.11"]

    def run(*arguments: str | Path) -> str:
        settings = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder / "site")}
        return subprocess.run(
            [*command, *arguments], env=settings, cwd=folder, check=True, capture_output=True, text=True
        ).stdout

    return run


def test_the_examples_are_read_as_here(board: Board) -> None:
    pictures = [picture.path for picture in read_labelled(REPOSITORY / "examples")]
    lines = board("-m", "edgedigits", "predict", "--json", *pictures).splitlines()
    reader = edgedigits.load()
    there = [json.loads(line) for line in lines]
    here = [reader.read(picture).to_dict() for picture in pictures]
    assert [(reading["text"], reading["digits"]) for reading in there] == [
        (reading["text"], reading["digits"]) for reading in here
    ]


def test_golden_vectors_are_replayed(board: Board) -> None:
    assert board("-m", "edgedigits", "selftest").endswith("passed: 10 pictures\n")


@pytest.mark.parametrize("name", ["base", "nano"])
def test_a_thousand_images_are_decided_as_here(name: str, board: Board, mnist: Dataset, tmp_path: Path) -> None:
    assert mnist.test is not None
    images = mnist.test.images[:1000]
    np.save(tmp_path / "images.npy", images)
    board("-c", CLASSIFY, name, tmp_path / "images.npy", tmp_path / "answers.npy")
    engine = edgedigits.load(name).classifier.engine
    there, here = np.load(tmp_path / "answers.npy"), engine.invoke(engine.feed(images))
    np.testing.assert_array_equal(there.argmax(axis=1), here.argmax(axis=1))
    # XNNPACK's kernels for the two processors round a few of them the other way, by one step of 1/256.
    off = np.abs(there.astype(int) - here)
    assert off.max() <= 1
    assert np.count_nonzero(off.any(axis=1)) <= 10


def test_the_emulation_is_seen(board: Board) -> None:
    output = board("-c", "from edgedigits.machine.fingerprint import fingerprint as f; print(f().to_dict())")
    assert "'emulator': 'QEMU'" in output
    assert "'architecture': 'aarch64'" in output
