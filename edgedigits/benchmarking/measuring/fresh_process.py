"""Start a process that reads pictures with a model, as a user's would, and take what it says."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from edgedigits.benchmarking.measuring.first_reading import CODE
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.errors import EngineDied

PATIENCE = 300.0
"""Seconds; importing TensorFlow from a slow card takes long."""


@dataclass(frozen=True)
class Setup:
    """What a fresh process is told to read with.

    Attributes:
        engine: that was found to run the model, so that its library is imported ahead of loading.
        model: the file.
        asked: the engine as the user named it; None for the usual one.
        device, options, contract: see edgedigits.load.
    """

    engine: str
    model: Path
    asked: str | None = None
    device: str = "auto"
    options: EngineOptions = EngineOptions()
    contract: Path | None = None


def first_reading(setup: Setup, pictures: tuple[Path, ...]) -> dict[str, int]:
    """Read pictures in a fresh process; return what first_reading.main prints, and "spawned", when it was started.

    Raises:
        EngineDied: the process failed or hung; the message has its last line.
    """
    options = setup.options
    command = [
        *(sys.executable, "-P", "-c", CODE, setup.engine, str(setup.model), setup.asked or "", setup.device),
        *(str(options.threads), options.kernels, ",".join(map(str, options.cores)), str(setup.contract or "")),
        *map(str, pictures),
    ]
    spawned = time.perf_counter_ns()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise EngineDied(f"a fresh process with {setup.engine} had read nothing after {PATIENCE:.0f} s") from None
    lines = [line.partition("=") for line in done.stdout.splitlines()]
    found = {name: int(value) for name, equals, value in lines if equals and value.isdigit()}
    if done.returncode or "read" not in found:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise EngineDied(f"a fresh process with {setup.engine} failed: {said}")
    return {"spawned": spawned, **found}
