"""An engine that crashes, hangs or takes memory on demand; small, because each of its tests starts a process."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ArtifactCorrupt, UnknownName
from tests.support.tiny_models import contract


class Misbehaving(Engine):
    """An engine whose first pixel chooses its fault."""

    name = "misbehaving"

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        what = round(float(tensor[0, 0, 0, 0]) * 255)
        if what == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif what == 2:
            time.sleep(600)
        elif what == 3:
            np.ones(1 << 31, np.uint8)
        elif what == 4:
            os._exit(7)
        elif what == 5:
            raise ArtifactCorrupt("raised by the engine")
        elif what == 6:
            return np.zeros((1, 3), np.float32)
        elif what == 7:
            os.write(1, b"noise on standard output\n")
        elif what == 8:
            while True:
                pass
        return np.full((len(tensor), 10), what / 255, np.float32)


def open_misbehaving(path: Path, given: Contract | None, device: str, options: EngineOptions) -> Engine:
    assert device == "cpu" and options.isolation is None
    if path.name == "crash":
        os.abort()
    if path.name == "unknown":
        raise UnknownName("thing", "x", ["y"])
    return Misbehaving(given or contract(), "cpu", ("none",))
