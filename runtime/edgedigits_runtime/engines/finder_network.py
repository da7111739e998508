"""Run a finder's file with LiteRT or ONNX Runtime: a picture of any size in, heat and boxes out."""

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import ENGINE_OF_SUFFIX
from edgedigits_runtime.engines.engine import TOP_BIT
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, ContractInvalid, UnknownName, first_line
from edgedigits_runtime.finder_contract import FinderContract, read_finder_contract

Floats = NDArray[np.float32]

KEPT_PIXELS = 1_000_000
"""Pixels of the inputs for which LiteRT interpreters are kept, those used last; a million take 40 MB."""
INT8 = (1 / 255, -128)
"""Scale and zero point of an int8 input, which takes pixels with their highest bit turned."""
VALUES = (2, 4)
"""Channels of the two outputs for each stride: heat and box."""


class FinderNetwork(ABC):
    """A loaded finder. Thread-safe; can be pickled to another process, and closed.

    Attributes:
        contract: of the file.
        engine: "litert" or "onnxruntime".
        device: where it runs, such as "cpu" or "cuda:0".
        providers: execution providers or delegates in effect, read back after loading.
    """

    def __init__(
        self,
        contract: FinderContract,
        engine: str,
        device: str,
        providers: Sequence[str],
        reopen: Callable[[], "FinderNetwork"],
    ) -> None:
        """Set the attributes above; `reopen` opens the same file again, also in another process."""
        self.contract = contract
        self.engine = engine
        self.device = device
        self.providers = tuple(providers)
        self._reopen = reopen

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reopen, ()

    def outputs(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        """Return heat [rows, columns, 2] and box [rows, columns, 4] for each stride.

        Args:
            pixels: uint8 [H, W, 3], H and W multiples of the largest stride.

        Raises:
            ArtifactCorrupt: the file cannot run, or its outputs have other shapes.
        """
        by_shape = {output.shape: output for output in self._run(pixels)}
        try:
            return [by_shape[shape][0] for shape in output_shapes(self.contract, pixels.shape)]
        except KeyError as error:
            raise ArtifactCorrupt(f"{self.contract.name} has no output of shape {list(error.args[0])}") from error

    @abstractmethod
    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        """Return all outputs as float32 [1, rows, columns, channels], in any order."""

    @abstractmethod
    def close(self) -> None:
        """Release the engine's memory; the finder cannot be used afterwards."""


def output_shapes(contract: FinderContract, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes of heat and box for each stride, for an input of height and width `shape`."""
    return [(1, shape[0] // stride, shape[1] // stride, values) for stride in contract.strides for values in VALUES]


_Resized = tuple[Any, dict[str, Any], list[tuple[int, Floats | None]]]
"""An interpreter, the details of its input, and of each output its index and see _table."""


class LiteRTFinder(FinderNetwork):
    """One interpreter for each size of input: resizing one for every picture takes longer than running it."""

    def __init__(self, contract: FinderContract, another: Callable[[], Any], **settings: Any) -> None:
        super().__init__(contract, "litert", "cpu", **settings)
        self._another = another
        self._interpreters: dict[tuple[int, ...], _Resized] = {}
        self._lock = threading.Lock()

    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        with self._lock:
            kept, shape = self._interpreters, pixels.shape
            # The last in use is the last of all.
            interpreter, given, ends = kept[shape] = kept.pop(shape) if shape in kept else self._resized(shape)
            stored = (pixels ^ TOP_BIT).view(np.int8) if given["dtype"] is np.int8 else pixels / np.float32(255)
            try:
                interpreter.set_tensor(given["index"], stored[None])
                interpreter.invoke()
            except (ValueError, RuntimeError) as error:
                raise ArtifactCorrupt(f"LiteRT cannot run {self.contract.name}: {first_line(error)}") from error
            stored_ends = [(interpreter.get_tensor(index), table) for index, table in ends]
        return [end if table is None else table[end.view(np.uint8)] for end, table in stored_ends]

    def _resized(self, shape: tuple[int, ...]) -> _Resized:
        interpreter = self._another()
        given = interpreter.get_input_details()[0]
        try:
            interpreter.resize_tensor_input(given["index"], [1, *shape])
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ArtifactCorrupt(f"{self.contract.name} cannot take {shape}: {first_line(error)}") from error
        while self._interpreters and sum(map(math.prod, [shape, *self._interpreters])) > 3 * KEPT_PIXELS:
            del self._interpreters[next(iter(self._interpreters))]
        ends = [(end["index"], _table(end)) for end in interpreter.get_output_details()]
        return interpreter, given, ends

    def close(self) -> None:
        self._interpreters.clear()


class OnnxFinder(FinderNetwork):
    """One session."""

    def __init__(self, contract: FinderContract, session: Any, **settings: Any) -> None:
        super().__init__(contract, "onnxruntime", providers=session.get_providers(), **settings)
        self._session = session
        self._input = session.get_inputs()[0].name

    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        from edgedigits_runtime.engines.onnxruntime import reason_of, refusals

        try:
            outputs: list[Floats] = self._session.run(None, {self._input: (pixels / np.float32(255))[None]})
        except refusals() as error:
            raise ArtifactCorrupt(f"ONNX Runtime cannot run {self.contract.name}: {reason_of(error)}") from error
        return outputs

    def close(self) -> None:
        self._session = None


def open_finder_network(path: Path, device: str = "auto", options: EngineOptions | None = None) -> FinderNetwork:
    """Load a finder's `.tflite` or `.onnx` file.

    Args:
        path: of the file.
        device: "auto", "cpu", or for an `.onnx` file an accelerator; see edgedigits_runtime.engines.open_engine.
        options: threads, kernels and cores; the defaults if None. For isolation see isolated_finder.py.

    Raises:
        ArtifactNotFound, ArtifactCorrupt, ArtifactUnsupported, ContractMissing, ContractInvalid: about the file.
        UnknownName: another type of file.
        DeviceUnavailable, MissingExtra: see edgedigits_runtime.engines.open_engine.
    """
    options = options or EngineOptions()
    contract = read_contract_of(path)
    reopen = partial(open_finder_network, path, device, options)
    if path.suffix == ".onnx":
        from edgedigits_runtime.engines import onnxruntime

        started, session = onnxruntime.start(path, device, options.threads, fixed_shapes=False)
        _check_session(path, session)
        return OnnxFinder(contract, session, device=started.name, reopen=reopen)
    from edgedigits_runtime.engines.litert import start

    another, first, kernels = start(path, device, options)
    _check_interpreter(path, contract, first)
    return LiteRTFinder(contract, another, providers=(kernels,), reopen=reopen)


def read_contract_of(path: Path) -> FinderContract:
    """Read the contract of a finder's file; for errors see open_finder_network."""
    if path.suffix not in ENGINE_OF_SUFFIX:
        raise UnknownName("finder's file type", path.suffix or path.name, ENGINE_OF_SUFFIX)
    if not path.is_file():
        raise ArtifactNotFound(f"no finder's file at {path}")
    return read_finder_contract(path)


def _check_interpreter(path: Path, contract: FinderContract, interpreter: Any) -> None:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    shape, dtype = tuple(inputs[0]["shape"].tolist()), inputs[0]["dtype"]
    scale, zero_point = inputs[0]["quantization"]
    stored = dtype is np.float32 or (dtype is np.int8 and np.allclose((scale, zero_point), INT8, rtol=1e-4))
    if len(inputs) != 1 or len(shape) != 4 or shape[3] != 3 or not stored:
        given = f"{dtype.__name__} {list(shape)}, scale {scale:g}, zero point {zero_point}"
        raise ContractInvalid(f"{path}: expected one input of pixels, float32 or int8 [1, H, W, 3]; got {given}")
    found = sorted(tuple(end["shape"].tolist()) for end in outputs)
    kinds = {end["dtype"] for end in outputs}
    if found != sorted(output_shapes(contract, shape[1:])) or not kinds <= {np.float32, np.int8}:
        raise ContractInvalid(f"{path}: expected heat and box for each stride of a finder; got {found}")


def _check_session(path: Path, session: Any) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    given = [(end.type, list(end.shape)) for end in inputs]
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or given[0][1][3:] != [3]:
        raise ContractInvalid(f"{path}: expected one input of pixels, float32 [1, H, W, 3]; got {given}")
    found = [(end.type, list(end.shape)) for end in outputs]
    if len(found) != 8 or any(kind != "tensor(float)" or len(shape) != 4 for kind, shape in found):
        raise ContractInvalid(f"{path}: expected heat and box for each stride of a finder; got {found}")


def _table(details: dict[str, Any]) -> Floats | None:
    """Return the value of each stored byte of an int8 output, float32 [256]; None for a float32 output."""
    if details["dtype"] is np.float32:
        return None
    scale, zero_point = details["quantization"]
    stored = np.arange(256, dtype=np.uint8).view(np.int8)
    table: Floats = (stored.astype(np.float32) - zero_point) * np.float32(scale)
    return table
