"""Run an engine in a child process with limits, so that a crash, a hang or a leak there is one error here.

The child opens the file after it has taken its limits of memory; see edgedigits_runtime.child_process for the rest.
"""

import contextlib
import dataclasses
import importlib
import math
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.child_process import Child, limit_memory
from edgedigits_runtime.contract import Contract, parse_contract
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import EngineCrashed

LIBRARIES = {
    "edgedigits_runtime.engines.litert": "ai_edge_litert.interpreter",
    "edgedigits_runtime.engines.onnxruntime": "onnxruntime",
    "edgedigits_exporters.keras_engine": "keras",
}
"""Imported before the memory limit is set, so that the limit counts the model's memory alone."""

CHUNK = 64
"""Images in one call; the time limit applies to each call."""


class IsolatedEngine(Engine):
    """An engine in a child process. The next call after a crash opens the file again."""

    def __init__(
        self, child: Child, request: dict[str, Any], isolation: Isolation, reopen: Callable[[], Engine]
    ) -> None:
        """Open the file in the child; errors are those of open_isolated."""
        self._child, self._request, self._isolation = child, request, isolation
        self._lock = threading.Lock()
        facts = self._open()
        self.name = str(facts["name"])
        contract = parse_contract(request["contract"] or str(facts["contract"]), request["path"])
        providers = (*map(str, facts["providers"]), "isolated")
        super().__init__(contract, str(facts["device"]), providers, reopen=reopen)

    def _open(self) -> dict[str, Any]:
        seconds = self._isolation.opening_seconds
        facts = self._child.call(f"{__name__}:open_here", self._request, seconds=seconds, max_bytes=0)
        if not (isinstance(facts, dict) and facts.keys() == {"name", "device", "providers", "contract"}):
            raise self._child.crash()
        return facts

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        with self._lock:
            return np.concatenate([self._answer(tensor[k : k + CHUNK]) for k in range(0, len(tensor), CHUNK)])

    def _answer(self, tensor: NDArray[Any]) -> NDArray[Any]:
        if self._child.process is None:
            self._require_open()
            self._open()
        output = self.contract.output
        shape = (len(tensor), self.contract.values)
        max_bytes = math.prod(shape) * np.dtype(output.dtype).itemsize
        answer = self._child.call(
            f"{__name__}:invoke_here", tensor, seconds=self._isolation.seconds, max_bytes=max_bytes
        )
        if not (isinstance(answer, np.ndarray) and answer.dtype == output.dtype and answer.shape == shape):
            raise self._child.crash()
        return answer

    def _release(self) -> None:
        self._child.end()


def open_isolated(
    opener: str, path: Path, contract: Contract | None, device: str, options: EngineOptions
) -> IsolatedEngine:
    """Load a model file in a child process.

    Args:
        opener: "module:function" that opens the file there, such as an engine module's open_engine.
        path, contract: see edgedigits_runtime.engines.open_engine.
        device: "auto" is the CPU. An accelerator has no memory limit, because it maps more memory than there is.
        options: includes the limits, in `isolation`.

    Raises:
        EngineCrashed: the child crashed, took too long, or exceeded its memory limit.
        EdgedigitsError: raised by the opener.
    """
    isolation = options.isolation or Isolation()
    request = {
        "opener": opener,
        "path": str(path),
        "contract": contract.to_json() if contract else None,
        "device": "cpu" if device == "auto" else device,
        "options": dataclasses.asdict(dataclasses.replace(options, isolation=None, workers=1)),
        "memory_bytes": isolation.memory_bytes,
    }
    child = Child(
        f"the engine of {path}",
        EngineCrashed,
        advice="do not use this file",
        # Each arena of the C library would take 64 MiB of the memory limit.
        environment={"MALLOC_ARENA_MAX": "2"},
    )
    return IsolatedEngine(child, request, isolation, partial(open_isolated, opener, path, contract, device, options))


_opened: Engine
"""The engine of this process; in the child."""


def open_here(request: dict[str, Any]) -> dict[str, Any]:
    """Open a model file in this process within its memory limit, and describe the engine; runs in the child."""
    global _opened
    options, device, path = request["options"], request["device"], request["path"]
    contract = parse_contract(request["contract"], path) if request["contract"] else None
    module, name = request["opener"].split(":")
    with contextlib.suppress(ImportError):  # The opener names a missing library.
        importlib.import_module(LIBRARIES.get(module, module))
    if device == "cpu":
        limit_memory(request["memory_bytes"])
    settings = EngineOptions(**{**options, "cores": tuple(options["cores"])})
    _opened = getattr(importlib.import_module(module), name)(Path(path), contract, device, settings)
    facts = {"name": _opened.name, "device": _opened.device, "providers": _opened.providers}
    return {**facts, "contract": _opened.contract.to_json()}


def invoke_here(tensor: NDArray[Any]) -> NDArray[Any]:
    """Invoke the engine that open_here opened; runs in the child."""
    return _opened.invoke(tensor)
