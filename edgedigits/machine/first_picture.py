"""The cost of the first picture on this machine: fresh processes do what `edgedigits predict` does, part by part."""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from edgedigits_runtime.errors import EngineDied, first_line

PARTS = {
    "Python": "pass",
    "Typer and the command": (
        "import edgedigits.cli, typer.main; typer.main.get_command(edgedigits.cli.app).get_command(None, 'predict')"
    ),
    "NumPy": "import numpy",
    "Pillow": "import PIL.Image, PIL.PngImagePlugin",
    "LiteRT": "import ai_edge_litert.interpreter",
    "reader": "import edgedigits.loading, edgedigits.predicting.pictures, edgedigits.predicting.text",
    "opening the model": "reader = edgedigits.loading.load()",
    "first reading": "reader.read(picture)",
}
"""Code of each part; all but the last two are imports. The model's SHA-256 and contract are checked as it is opened."""

MEASURE = """
import io, json, sys, time
begun, found = 0.0, {}
for name, code in json.loads(sys.argv[1]).items():
    if code.endswith("(picture)"):
        file = io.BytesIO()
        drawn = PIL.Image.new("L", (28, 28))
        drawn.paste(255, (13, 4, 16, 24))
        drawn.save(file, "PNG")
        picture = file.getvalue()
        begun = time.process_time()
    exec(code)
    now = time.process_time()
    found[name], begun = 1e3 * (now - begun), now
print(json.dumps(found))
"""

SECONDS = 300.0
"""Time for one process; a slow card takes long."""


class FirstPicture(NamedTuple):
    """Medians of fresh processes.

    Attributes:
        parts: milliseconds of CPU of each of PARTS.
        wall: milliseconds from the start of the process to its end.
        numpy: milliseconds of CPU of a process that only imports NumPy, as Python does by default.
        compiled: whether Python finds edgedigits' compiled files, and need not compile at each start.
    """

    parts: dict[str, float]
    wall: float
    numpy: float
    compiled: bool

    @property
    def cpu(self) -> float:
        """Milliseconds of CPU of all parts."""
        return sum(self.parts.values())


def measure_first_picture(repeats: int) -> FirstPicture:
    """Start `repeats` processes of each kind in turns; raises EngineDied if one fails."""
    # Before the first process, which may store the files.
    compiled = Path(importlib.util.cache_from_source(__file__)).is_file()
    found = [(_run(PARTS, "1"), _run({"Python": "pass", "NumPy": "import numpy"}, None)) for _ in range(repeats)]
    parts = {name: statistics.median(parts[name] for (parts, _), _ in found) for name in PARTS}
    wall = statistics.median(wall for (_, wall), _ in found)
    return FirstPicture(parts, wall, statistics.median(sum(parts.values()) for _, (parts, _) in found), compiled)


def _run(parts: dict[str, str], blas_threads: str | None) -> tuple[dict[str, float], float]:
    """Return the milliseconds of CPU of each part in a fresh process, and its milliseconds by the clock."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if blas_threads:
        environment["OPENBLAS_NUM_THREADS"] = blas_threads
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", MEASURE, json.dumps(parts)],
            capture_output=True, text=True, check=True, env=environment, timeout=SECONDS,
        )  # fmt: skip
    except subprocess.SubprocessError as error:
        told = (getattr(error, "stderr", "") or "").strip().splitlines()
        raise EngineDied(
            f"a process that reads a first picture failed: {told[-1] if told else first_line(error)}"
        ) from error
    wall = 1e3 * (time.perf_counter() - start)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured, wall
