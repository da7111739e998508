"""Training on a Ray cluster of two nodes: killed nodes and drivers do not change the runs."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgedigits.training.run_folder import RunFolder
from edgedigits_exporters.keras_file import load_model
from tests.support.ray_nodes import Nodes, two_nodes

pytestmark = pytest.mark.slow

SEED = 10

TRAIN = ["train", "--recipe", "plain-3conv", "--data", "optdigits", "--epochs", "5", "--seed", "0", "--seed", "1"]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    # Threads of every training compared here, because sums of floats depend on their order.
    with two_nodes({"TF_NUM_INTRAOP_THREADS": "1"}) as nodes:
        yield nodes


def start(nodes: Nodes, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=nodes.environment,
    )  # fmt: skip


def wait_for_epochs(process: "subprocess.Popen[str]", count: int) -> None:
    """Return when `count` epochs are copied back."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        count -= ": epoch " in line
        if not count:
            return
    raise AssertionError("".join(lines))


def weights(run: RunFolder) -> list[np.ndarray]:
    return [array for path in (run.final, run.best, run.model) for array in load_model(path)[0].get_weights()]


def rows(run: RunFolder) -> list[dict[str, float]]:
    return [{**row, "seconds": 0} for row in run.read_history()]


def test_killed_nodes_and_drivers_change_no_weights(nodes: Nodes, tmp_path: Path) -> None:
    moments = random.Random(SEED)
    on_ray = ["-m", "edgedigits", *TRAIN, "--out", str(tmp_path / "ray"), "--address", nodes.address]
    with start(nodes, *on_ray) as driver:
        wait_for_epochs(driver, moments.randint(1, 4))
        driver.kill()
    copied = [RunFolder(path) for path in (tmp_path / "ray").iterdir()]
    before = {run.path.name: rows(run) for run in copied}
    assert any(before.values()) and not any(run.model.exists() for run in copied)

    with start(nodes, *on_ray) as driver:
        wait_for_epochs(driver, moments.randint(1, 2))
        os.kill(nodes.raylets[1], signal.SIGKILL)
        output, _ = driver.communicate()
    assert driver.returncode == 0, output
    assert "node or process lost" in output

    with start(nodes, "-m", "edgedigits", *TRAIN, "--out", str(tmp_path / "here")) as quiet:
        output, _ = quiet.communicate()
    assert quiet.returncode == 0, output
    for name in ("plain-3conv-0", "plain-3conv-1"):
        run, undisturbed = RunFolder(tmp_path / "ray" / name), RunFolder(tmp_path / "here" / name)
        assert sorted(path.name for path in run.path.iterdir()) == sorted(p.name for p in undisturbed.path.iterdir())
        assert rows(run) == rows(undisturbed)
        assert rows(run)[: len(before.get(name, []))] == before.get(name, [])
        assert run.read_config() == undisturbed.read_config()
        assert all(np.array_equal(a, b) for a, b in zip(weights(run), weights(undisturbed), strict=True))
    # Nothing half is left of the killed driver.
    assert sorted(path.name for path in (tmp_path / "ray").iterdir()) == ["plain-3conv-0", "plain-3conv-1"]


FAILING = """
import sys
from pathlib import Path
from rich.console import Console
from edgedigits.ray_cluster import cluster
from edgedigits.training.train_options import TrainOptions
from edgedigits.training.on_ray import RayResources
from edgedigits.training.several import train_several
from edgedigits_runtime.errors import EdgedigitsError

address, runs = sys.argv[1], Path(sys.argv[2])
(runs / "not-empty").mkdir(parents=True)
(runs / "not-empty" / "a file").touch()
failures = train_several(
    [
        TrainOptions("plain-3conv", data="optdigits", epochs=1, out=runs / "good"),
        TrainOptions("plain-3conv", data="no-such-folder", epochs=1, out=runs / "without-data"),
        TrainOptions("plain-3conv", data="optdigits", epochs=1, batch_size="many", out=runs / "with-a-bug"),
        TrainOptions("plain-3conv", data="optdigits", epochs=1, out=runs / "not-empty"),
    ],
    Console(),
    RayResources(address),
)
print(*(f"{name} -> {line}" for name, line in failures.items()), sep="\\n")
for cpus, needs in ((64, ()), (1, [("no_such_module", "ray")])):
    try:
        with cluster(address, needs=needs) as found:
            found.require(cpus, 0)
    except EdgedigitsError as error:
        print("refused:", error)
"""


def test_a_failure_does_not_stop_others_and_a_client_trains(nodes: Nodes, tmp_path: Path) -> None:
    with start(nodes, "-c", FAILING, nodes.client, str(tmp_path)) as driver:
        output, _ = driver.communicate()
    assert "without-data -> " in output and "no-such-folder" in output
    assert "with-a-bug -> TypeError: " in output
    assert f"not-empty -> {tmp_path / 'not-empty'}" in output
    assert RunFolder(tmp_path / "good").model.is_file(), output
    assert not (tmp_path / "with-a-bug").exists() and not (tmp_path / "without-data").exists()
    assert "64 CPUs and 0 GPUs" in output
    assert "no_such_module" in output and "pip install 'edgedigits[ray]" in output
