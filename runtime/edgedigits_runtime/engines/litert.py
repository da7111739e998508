"""LiteRT runs `.tflite` files on the CPU, with XNNPACK if its wheel has it."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions, Kernels
from edgedigits_runtime.engines.engine import Engine, EngineReport, check_tensors, keep_on_cores, worker_count
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported, DeviceUnavailable, first_line
from edgedigits_runtime.machine import installed_version
from edgedigits_runtime.native_messages import silenced
from edgedigits_runtime.untrusted import checked_content

# Messages of LiteRT about an operator without a kernel.
UNSUPPORTED = ("custom op", "Flex", "Didn't find op for builtin opcode", "Op builtin_code out of range")

STATEFUL = "UNIDIRECTIONAL_SEQUENCE_LSTM"
"""The operator that keeps variables from one run to the next."""


class LiteRTEngine(Engine):
    """Interpreters with a static batch, mostly of 1, one for each concurrent call; arrays are run batch by batch."""

    name = "litert"

    def __init__(self, interpreter: Any, another: Callable[[], Any], contract: Contract, **settings: Any) -> None:
        """Take a first interpreter, and a function that makes another one when a second thread needs it."""
        super().__init__(contract, "cpu", **settings)
        self._another = another
        self._made = 1
        self._making = threading.Lock()
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._free.put(interpreter)
        self._input = interpreter.get_input_details()[0]["index"]
        self._output = interpreter.get_output_details()[0]["index"]
        self._batched = "N" in contract.layout
        self._batch = int(interpreter.get_input_details()[0]["shape"][0]) if self._batched else 1
        # Else an answer would depend on the images before it.
        self._keeps_state = STATEFUL in {details["op_name"] for details in interpreter._get_ops_details()}

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        interpreter = self._borrowed()
        try:
            return self._answers(interpreter, tensor)
        # Some kernels check their tensors' types only when they run.
        except RuntimeError as error:
            raise ArtifactCorrupt(f"LiteRT cannot run {self.contract.name}: {first_line(error)}") from error
        finally:
            self._free.put(interpreter)

    def _answers(self, interpreter: Any, tensor: NDArray[Any]) -> NDArray[Any]:
        # Local names, because each attribute access counts at 35 microseconds an image.
        given, answer = self._input, self._output
        set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
        answers = []
        # Slices of one image or of a fixed batch, or the images themselves.
        for image in filled(tensor, self._batch) if self._batched else tensor:
            if self._keeps_state:
                interpreter.reset_all_variables()
            set_tensor(given, image)
            invoke()
            answers.append(get_tensor(answer))
        joined = answers[0] if len(answers) == 1 else np.concatenate(answers)
        return joined if self._batch == 1 else joined[: len(tensor)]

    def _borrowed(self) -> Any:
        """Return an unused interpreter: a free one, a new one, or the next to become free."""
        try:
            return self._free.get_nowait()
        except Empty:
            pass
        with self._making:
            if self._made < self.workers:
                interpreter = self._another()
                self._made += 1
                return interpreter
        return self._free.get()

    def _release(self) -> None:
        # Interpreters in use are released by their users.
        while not self._free.empty():
            self._free.get()


def filled(tensor: NDArray[Any], batch: int) -> NDArray[Any]:
    """Return a tensor [N, ...] as [parts, batch, ...], the last part filled up with zeros."""
    missing = -len(tensor) % batch
    if missing:
        tensor = np.concatenate([tensor, np.zeros((missing, *tensor.shape[1:]), tensor.dtype)])
    return tensor.reshape(-1, batch, *tensor.shape[1:])


def open_engine(path: Path, contract: Contract | None, device: str, options: EngineOptions) -> LiteRTEngine:
    """Load a `.tflite` file; see edgedigits_runtime.engines.open_engine."""
    another, interpreter, kernels = start(path, device, options)
    contract = contract or read_contract(path)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    check_tensors(contract, str(path), {"input": tensor_of(inputs[0]), "output": tensor_of(outputs[0])})
    reopen = partial(open_engine, path, contract, device, options)
    workers = worker_count(options)
    return LiteRTEngine(interpreter, another, contract, providers=(kernels,), reopen=reopen, workers=workers)


def start(path: Path, device: str, options: EngineOptions) -> tuple[Callable[[], Any], Any, str]:
    """Return a function that makes interpreters of a checked file, a first one, and the kernels that it really uses."""
    if device not in ("auto", "cpu"):
        raise DeviceUnavailable(f"LiteRT runs on the CPU, not on {device!r}; use --device cpu, or an ONNX model")
    keep_on_cores(options.cores)
    # The checked bytes, because the file may change meanwhile.
    content = checked_content(path, options.trusted_sha256)
    another = partial(_interpreter, path, content, options.threads, options.kernels)
    interpreter = another()
    kernels = _kernels(interpreter, options.kernels)
    if options.kernels == "xnnpack" and kernels != "XNNPACK":
        raise DeviceUnavailable("XNNPACK does not start on this processor; use --kernels auto or builtin")
    return another, interpreter, kernels


def _interpreter(path: Path, content: bytes, threads: int, kernels: Kernels) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise DeviceUnavailable("the LiteRT interpreter is not installed; run: pip install ai-edge-litert") from error
    resolvers = {"builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "reference": OpResolverType.BUILTIN_REF}
    resolver = resolvers.get(kernels, OpResolverType.AUTO)
    try:
        # LiteRT prints an INFO line about XNNPACK; the delegate is read back from the graph instead.
        with silenced():
            interpreter = Interpreter(
                model_content=content, num_threads=threads, experimental_op_resolver_type=resolver
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = first_line(error)
        if any(part in str(error) for part in UNSUPPORTED):
            raise ArtifactUnsupported(
                f"{path} holds an operator that LiteRT has no kernel for: {reason}; convert it with built-in operators"
            ) from error
        raise ArtifactCorrupt(f"{path} is not a whole .tflite file: {reason}") from error
    return interpreter


def tensor_of(details: dict[str, Any]) -> Tensor:
    """Convert the interpreter's details of a tensor to a contract's Tensor."""
    scale, zero_point = details["quantization"]
    quantized = details["dtype"].__name__ != "float32"
    return Tensor(
        name=details["name"],
        shape=tuple(int(size) for size in details["shape"]),
        dtype=details["dtype"].__name__,
        scale=float(scale) if quantized else None,
        zero_point=int(zero_point) if quantized else None,
    )


def probe() -> EngineReport:
    """Report whether the interpreter can be imported."""
    try:
        from ai_edge_litert import interpreter  # noqa: F401
    except ImportError:
        return EngineReport(None, (), "pip install ai-edge-litert")
    return EngineReport(installed_version("ai-edge-litert"), ("XNNPACK",))


def _kernels(interpreter: Any, wanted: Kernels) -> str:
    """Read back the kernels: XNNPACK, which some boards drop silently, is a DELEGATE operator of the graph."""
    operators = {details["op_name"] for details in interpreter._get_ops_details()}
    if "DELEGATE" in operators:
        return "XNNPACK"
    return "reference" if wanted == "reference" else "builtin"
