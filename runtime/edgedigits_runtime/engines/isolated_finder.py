"""Run a finder in a child process with limits, as isolated.py does a classifier."""

import contextlib
import dataclasses
import importlib
import math
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.child_process import Child, limit_memory
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines import ENGINE_OF_SUFFIX, ENGINES
from edgedigits_runtime.engines.finder_network import (
    FinderNetwork,
    Floats,
    open_finder_network,
    output_shapes,
    read_contract_of,
)
from edgedigits_runtime.engines.isolated import LIBRARIES
from edgedigits_runtime.errors import EngineCrashed


class IsolatedFinder(FinderNetwork):
    """A finder in a child process. The next call after a crash opens the file again."""

    def __init__(self, child: Child, request: dict[str, Any], isolation: Isolation, **settings: Any) -> None:
        """Open the file in the child; errors are those of open_finder_network."""
        self._child, self._request, self._isolation = child, request, isolation
        self._lock = threading.Lock()
        facts = self._open()
        providers = (*map(str, facts["providers"]), "isolated")
        super().__init__(engine=str(facts["engine"]), device=str(facts["device"]), providers=providers, **settings)

    def _open(self) -> dict[str, Any]:
        seconds = self._isolation.opening_seconds
        facts = self._child.call(f"{__name__}:open_here", self._request, seconds=seconds, max_bytes=0)
        if not (isinstance(facts, dict) and facts.keys() == {"engine", "device", "providers"}):
            raise self._child.crash()
        return facts

    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        shapes = output_shapes(self.contract, pixels.shape)
        with self._lock:
            if self._child.process is None:
                self._open()
            most = 4 * sum(map(math.prod, shapes))
            answer = self._child.call(f"{__name__}:run_here", pixels, seconds=self._isolation.seconds, max_bytes=most)
            if not isinstance(answer, list) or not all(getattr(each, "dtype", None) == np.float32 for each in answer):
                raise self._child.crash()
        return [output[np.newaxis] for output in answer]

    def close(self) -> None:
        self._child.end()


def open_isolated_finder(path: Path, device: str, options: EngineOptions) -> IsolatedFinder:
    """Load a finder's file in a child process within the limits of `options.isolation`.

    Raises:
        EngineCrashed: the child crashed, took too long, or exceeded its memory limit.
        EdgedigitsError: raised by open_finder_network.
    """
    contract = read_contract_of(path)
    isolation = options.isolation or Isolation()
    request = {
        "path": str(path),
        "device": "cpu" if device == "auto" else device,
        "options": dataclasses.asdict(dataclasses.replace(options, isolation=None)),
        "memory_bytes": isolation.memory_bytes,
    }
    environment = {"MALLOC_ARENA_MAX": "2"}
    child = Child(f"the finder of {path}", EngineCrashed, advice="do not use this file", environment=environment)
    reopen = partial(open_isolated_finder, path, device, options)
    return IsolatedFinder(child, request, isolation, contract=contract, reopen=reopen)


_opened: FinderNetwork
"""The finder of this process; in the child."""


def open_here(request: dict[str, Any]) -> dict[str, Any]:
    """Open a finder in this process within its memory limit, and describe it; runs in the child."""
    global _opened
    path, device, options = Path(request["path"]), request["device"], request["options"]
    with contextlib.suppress(ImportError):  # The opener names a missing library.
        importlib.import_module(LIBRARIES[ENGINES[ENGINE_OF_SUFFIX[path.suffix]]])
    if device == "cpu":
        limit_memory(request["memory_bytes"])
    _opened = open_finder_network(path, device, EngineOptions(**{**options, "cores": tuple(options["cores"])}))
    return {"engine": _opened.engine, "device": _opened.device, "providers": list(_opened.providers)}


def run_here(pixels: NDArray[np.uint8]) -> list[Floats]:
    """Run the finder that open_here opened; runs in the child."""
    return _opened.outputs(pixels)
