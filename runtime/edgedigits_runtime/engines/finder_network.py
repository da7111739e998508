"""Run a finder's file with LiteRT or ONNX Runtime: a picture of any size in, heat and boxes out."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.engine import TOP_BIT
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, UnknownName, first_line
from edgedigits_runtime.finder_contract import FinderContract, read_finder_contract

Floats = NDArray[np.float32]
SHAPES = 8
"""Sizes of input for which a LiteRT interpreter is kept."""


class FinderNetwork(ABC):
    """A loaded finder. Thread-safe.

    Attributes:
        contract: of the file.
        providers: execution providers or delegates in effect.
    """

    def __init__(self, contract: FinderContract, providers: tuple[str, ...]) -> None:
        self.contract = contract
        self.providers = providers

    def outputs(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        """Return heat [rows, columns, 2] and box [rows, columns, 4] for each stride.

        Args:
            pixels: uint8 [H, W, 3], H and W multiples of the largest stride.

        Raises:
            ArtifactCorrupt: the file's outputs have other shapes.
        """
        height, width = pixels.shape[:2]
        by_shape = {output.shape: output for output in self._run(pixels)}
        try:
            return [
                by_shape[1, height // stride, width // stride, channels][0]
                for stride in self.contract.strides
                for channels in (2, 4)
            ]
        except KeyError as error:
            raise ArtifactCorrupt(f"{self.contract.name} has no output of shape {list(error.args[0])}") from error

    @abstractmethod
    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        """Return all outputs as float32 [1, rows, columns, channels], in any order."""


class LiteRTFinder(FinderNetwork):
    """One interpreter for each size of input."""

    def __init__(self, contract: FinderContract, another: Callable[[], Any], providers: tuple[str, ...]) -> None:
        super().__init__(contract, providers)
        self._another = another
        self._interpreters: dict[tuple[int, ...], Any] = {}
        self._lock = threading.Lock()

    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        with self._lock:
            interpreter = self._interpreters.get(pixels.shape) or self._resized(pixels.shape)
            given = interpreter.get_input_details()[0]
            stored = (pixels ^ TOP_BIT).view(np.int8) if given["dtype"] is np.int8 else pixels / np.float32(255)
            interpreter.set_tensor(given["index"], stored[None])
            interpreter.invoke()
            return [_real(interpreter.get_tensor(end["index"]), end) for end in interpreter.get_output_details()]

    def _resized(self, shape: tuple[int, ...]) -> Any:
        interpreter = self._another()
        try:
            interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], [1, *shape])
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ArtifactCorrupt(f"{self.contract.name} cannot take {shape}: {first_line(error)}") from error
        if len(self._interpreters) >= SHAPES:
            del self._interpreters[next(iter(self._interpreters))]
        self._interpreters[shape] = interpreter
        return interpreter


class OnnxFinder(FinderNetwork):
    """One session."""

    def __init__(self, contract: FinderContract, session: Any) -> None:
        super().__init__(contract, tuple(session.get_providers()))
        self._session = session
        self._input = session.get_inputs()[0].name

    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        outputs: list[Floats] = self._session.run(None, {self._input: (pixels / np.float32(255))[None]})
        return outputs


def open_finder_network(path: Path, device: str = "auto", options: EngineOptions | None = None) -> FinderNetwork:
    """Load a finder's `.tflite` or `.onnx` file.

    Raises:
        ArtifactNotFound, ArtifactCorrupt, ArtifactUnsupported, ContractMissing, ContractInvalid: about the file.
        UnknownName: another type of file.
        DeviceUnavailable, MissingExtra: see edgedigits_runtime.engines.open_engine.
    """
    options = options or EngineOptions()
    if path.suffix not in (".tflite", ".onnx"):
        raise UnknownName("finder's file type", path.suffix or path.name, (".tflite", ".onnx"))
    if not path.is_file():
        raise ArtifactNotFound(f"no model file at {path}")
    contract = read_finder_contract(path)
    if path.suffix == ".onnx":
        from edgedigits_runtime.engines import onnxruntime

        return OnnxFinder(contract, onnxruntime.start(path, device, options.threads, fixed_shapes=False)[1])
    from edgedigits_runtime.engines.litert import start

    another, _, kernels = start(path, device, options)
    return LiteRTFinder(contract, another, (kernels,))


def _real(stored: NDArray[Any], details: dict[str, Any]) -> Floats:
    scale, zero_point = details["quantization"]
    return stored if stored.dtype == np.float32 else (stored.astype(np.float32) - zero_point) * np.float32(scale)
