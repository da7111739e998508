"""Keras as an engine: the reference of exports, and the reader of run folders."""

import threading
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.keras_file import load_model
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ArtifactCorrupt, DeviceUnavailable, first_line

CHUNK = 500


class KerasEngine(Engine):
    """A Keras model, called directly: that is faster than `predict` for a few images."""

    name = "keras"

    def __init__(self, model: Any, contract: Contract, reopen: Callable[[], Engine] | None = None) -> None:
        import keras

        super().__init__(contract, "cpu", (keras.backend.backend(),), reopen=reopen)
        self._model = model
        self._lock = threading.Lock()

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        from keras import ops

        chunks = [tensor[start : start + CHUNK] for start in range(0, len(tensor), CHUNK)]
        try:
            with self._lock, warnings.catch_warnings():
                # Of a model whose one input is in a list.
                warnings.filterwarnings("ignore", message="The structure of `inputs`")
                return np.concatenate([ops.convert_to_numpy(self._model(chunk, training=False)) for chunk in chunks])
        # A layer that a file configured in an unusual way can raise any exception.
        except Exception as error:
            reason = first_line(error)
            raise ArtifactCorrupt(f"Keras cannot run {self.contract.name}: {reason}") from error

    def _release(self) -> None:
        del self._model


def open_engine(path: Path, contract: Contract | None, device: str, options: EngineOptions) -> KerasEngine:
    """Load a `.keras` file; see edgedigits_runtime.engines.open_engine. Keras ignores the options.

    Raises:
        MissingExtra: Keras is not installed.
        DeviceUnavailable: `device` is neither "auto" nor "cpu".
        ArtifactError: the file cannot be used.
    """
    if device not in ("auto", "cpu"):
        raise DeviceUnavailable(f"a .keras file runs on the CPU, not on {device!r}; export it to ONNX first")
    return KerasEngine(*load_model(path, contract), partial(open_engine, path, contract, device, options))
