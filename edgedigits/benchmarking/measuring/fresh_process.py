"""Read pictures with a model in a fresh process, as a user's would."""

import time
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.child_process import Child
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.errors import EdgedigitsError, EngineDied

PRELUDE = "import time; started = time.perf_counter_ns()"
"""The child's first moment, before any import."""

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
    """Read pictures in a fresh process; return the result of first_reading.main, and "spawned", when it was started.

    Raises:
        EngineDied: the process failed or exceeded PATIENCE.
    """
    options = {"threads": setup.options.threads, "kernels": setup.options.kernels, "cores": setup.options.cores}
    contract = str(setup.contract) if setup.contract else None
    child = Child(f"a fresh process with {setup.engine}", EngineDied, prelude=PRELUDE, keep_output=True)
    spawned = time.perf_counter_ns()
    try:
        with child:
            found: dict[str, int] = child.call(
                "edgedigits.benchmarking.measuring.first_reading:main",
                *(setup.engine, str(setup.model), setup.asked, setup.device, options, contract),
                [str(picture) for picture in pictures],
                seconds=PATIENCE,
            )
    except EngineDied:
        raise
    except EdgedigitsError as error:
        raise EngineDied(f"a fresh process with {setup.engine} failed: {error}") from error
    return {"spawned": spawned, **found}
