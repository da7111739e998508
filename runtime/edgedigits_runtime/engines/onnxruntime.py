"""ONNX Runtime runs `.onnx` files on the CPU, or on an accelerator of the installed wheel."""

import re
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import cuda
from edgedigits_runtime.engines.binding import SIZES, BoundSession, dtype_name
from edgedigits_runtime.engines.devices import CPU, REMOTE, Device, candidates
from edgedigits_runtime.engines.engine import Engine, EngineReport, check_tensors, keep_on_cores, worker_count
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported, DeviceUnavailable, MissingExtra, first_line
from edgedigits_runtime.machine import installed_version
from edgedigits_runtime.native_messages import silenced
from edgedigits_runtime.untrusted import checked_content

NVIDIA = ("cuda", "tensorrt")

CHUNK = 64
"""Images in one call: more exceed a core's cache, and 10,000 at once were ten times slower."""

IDENTITY = bytes.fromhex(
    "080812003a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801"
    "620f0a0179120a0a08080112040a02080142040a001011"
)
"""The smallest ONNX model, y = x, to test which providers start."""

# Messages of ONNX Runtime about a model that is newer than it, or has an operator without a kernel.
UNSUPPORTED = ("opset", "IR version", "NOT_IMPLEMENTED", "is not a registered function/op", "Unsupported model")


class OnnxRuntimeEngine(Engine):
    """One session; a batch is run in calls of CHUNK images, or of as many as the file has fixed."""

    name = "onnxruntime"

    def __init__(self, session: Any, device: Device, contract: Contract, **settings: Any) -> None:
        # Read back from the session, because ONNX Runtime silently drops a provider that cannot start.
        super().__init__(contract, device.name, tuple(session.get_providers()), **settings)
        self._session = session
        given = session.get_inputs()[0]
        self._input, self._dtype = given.name, dtype_name(given.type)
        self._output = session.get_outputs()[0].name
        self._batch = _fixed_batch(given.shape, contract)

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        size = self._batch or CHUNK
        try:
            answers = [self._answer(tensor[start : start + size]) for start in range(0, len(tensor), size)]
        # Some kernels check their tensors' shapes only when they run.
        except refusals() as error:
            raise ArtifactCorrupt(f"ONNX Runtime cannot run {self.contract.name}: {reason_of(error)}") from error
        return answers[0] if len(answers) == 1 else np.concatenate(answers)

    def _answer(self, tensor: NDArray[Any]) -> NDArray[Any]:
        count = len(tensor)
        given = tensor.astype(self._dtype, copy=False)
        if self._batch is not None and count < self._batch:
            given = np.concatenate([given, np.zeros((self._batch - count, *given.shape[1:]), given.dtype)])
        if "N" not in self.contract.layout:
            given = given[0]
        answer: NDArray[Any] = self._session.run([self._output], {self._input: given})[0]
        if self._batch is not None:
            answer = answer.reshape(self._batch, -1)[:count]
        return answer.astype(self.contract.output.dtype, copy=False)

    def _release(self) -> None:
        del self._session


class CudaEngine(OnnxRuntimeEngine):
    """One session with bound memory on the GPU; calls run one after another."""

    def __init__(self, session: Any, device: Device, contract: Contract, **settings: Any) -> None:
        super().__init__(session, device, contract, **settings)
        self._bound = BoundSession(session, "cuda", device.number, (self._batch,) if self._batch else SIZES)
        self._lock = threading.Lock()

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        with self._lock:
            answer = self._bound.run(tensor.astype(self._dtype, copy=False))
        return answer.astype(self.contract.output.dtype, copy=False)

    def _release(self) -> None:
        del self._bound
        super()._release()


def open_engine(path: Path, contract: Contract | None, device: str, options: EngineOptions) -> OnnxRuntimeEngine:
    """Load an `.onnx` file; see edgedigits_runtime.engines.open_engine."""
    keep_on_cores(options.cores)
    started, session = start(path, device, options.threads)
    contract = contract or read_contract(path)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    check_tensors(contract, str(path), {"input": _tensor_of(inputs[0]), "output": _tensor_of(outputs[0])})
    reopen = partial(open_engine, path, contract, device, options)
    if started.kind == "cuda" and "N" not in contract.layout:
        if device == "auto":
            return open_engine(path, contract, "cpu", options)
        raise DeviceUnavailable(f"{path} takes one image without a batch, which runs with --device cpu only")
    if started.kind == "cuda":
        return CudaEngine(session, started, contract, reopen=reopen)
    workers = worker_count(options) if started.kind == "cpu" else 1
    return OnnxRuntimeEngine(session, started, contract, reopen=reopen, workers=workers)


def start(path: Path, wanted: str, threads: int, *, fixed_shapes: bool = True) -> tuple[Device, Any]:
    """Return the first device that starts, and a session on it; CUDA captures the calls if their shapes are fixed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("ONNX Runtime", "onnx") from error
    built = onnxruntime.get_available_providers()
    if wanted != "cpu" and len(cuda.installed_wheels()) > 1:
        raise DeviceUnavailable(cuda.wheel_problem(built))
    if wanted.startswith(NVIDIA) and (problem := cuda.wheel_problem(built)):
        raise DeviceUnavailable(f"--device {wanted} cannot start: {problem}")
    devices = candidates(wanted, built)
    content = checked_content(path)
    for device in devices:
        try:
            session = _session(path, content, device, threads, fixed_shapes)
        except DeviceUnavailable:
            if wanted != "auto":
                raise
            continue
        if device.provider in session.get_providers():
            return device, session
    reason = f"{devices[0].provider} does not start on this machine"
    if devices[0].kind in NVIDIA:
        reason = cuda.missing_piece(built)
    raise DeviceUnavailable(f"--device {wanted} cannot start: {reason}")


def _session(path: Path, content: bytes, device: Device, threads: int, fixed_shapes: bool) -> Any:
    """Load a checked file on a device; the session lacks the provider if it does not start."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Otherwise the bytes may be loaded as ONNX Runtime's own format, which was not checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
    if device.kind in NVIDIA:
        cuda.preload()
    try:
        # A provider that does not start prints its reason, which start finds out by itself. The fallback would print a
        # banner and try the same provider again.
        providers = _providers(device, fixed_shapes)
        with silenced():
            return onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=0)
    except refusals() as error:
        reason = reason_of(error)
        if not _starts(device.provider):
            raise DeviceUnavailable(f"--device {device.name} cannot start: {reason}") from error
        if any(part in str(error) for part in UNSUPPORTED):
            raise ArtifactUnsupported(
                f"{path} is newer than this ONNX Runtime, {onnxruntime.__version__}, or holds an operator that it"
                f" does not know: {reason}"
            ) from error
        raise ArtifactCorrupt(f"{path} is not a whole .onnx file: {reason}") from error


def _providers(device: Device, fixed_shapes: bool) -> list[Any]:
    """Return the providers of a session: the device's, and the CPU's for the rest."""
    if device.kind == "cpu":
        return [CPU]
    settings: dict[str, str] = {}
    if device.kind in ("cuda", "tensorrt", "directml"):
        settings["device_id"] = str(device.number)
    if device.kind == "cuda" and fixed_shapes:
        settings["enable_cuda_graph"] = "1"
    return [(device.provider, settings), CPU]


def refusals() -> tuple[type[Exception], ...]:
    """Return the exceptions of ONNX Runtime on a damaged file; a name that is not UTF-8 raises ValueError."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (state.InvalidProtobuf, state.InvalidGraph, state.InvalidArgument, state.NotImplemented, state.NoModel)
    return (*own, state.Fail, state.RuntimeException, RuntimeError, ValueError)


def reason_of(error: Exception) -> str:
    """Return the first line of an error without the place in ONNX Runtime's source."""
    line = first_line(error)
    return re.sub(r"^\S+\.(cc|h):\d+ .*\) (?=[A-Z])", "", line)


def _fixed_batch(shape: list[Any], contract: Contract) -> int | None:
    """Return how many images an input takes at once; None if any number."""
    if "N" not in contract.layout:
        return 1
    return shape[0] if shape and isinstance(shape[0], int) else None


def _tensor_of(end: Any) -> Tensor:
    """Convert ONNX Runtime's tensor to a contract's Tensor; a free batch has a name as its size.

    float16 and float64 are float32 in a contract; the engine casts them.
    """
    shape = tuple(size if isinstance(size, int) else None for size in end.shape)
    dtype = dtype_name(end.type)
    return Tensor(end.name, shape, "float32" if dtype in ("float16", "float64") else dtype)


def probe() -> EngineReport:
    """Report the installed wheel and which of its providers start."""
    try:
        import onnxruntime
    except ImportError:
        return EngineReport(None, (), "pip install 'edgedigits[onnx]'")
    built = onnxruntime.get_available_providers()
    wheels = cuda.installed_wheels()
    started = tuple(name for name in built if _starts(name))
    mend = None
    if len(wheels) > 1 or ("CUDAExecutionProvider" in built and "CUDAExecutionProvider" not in started):
        mend = cuda.missing_piece(built)
    version = installed_version(wheels[0]) if wheels else onnxruntime.__version__
    return EngineReport(version, started, mend)


def _starts(provider: str) -> bool:
    """Return whether a session on the provider has it; the wheel's own list is only what it was built with."""
    import onnxruntime

    if provider == REMOTE:
        return False
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        with silenced():
            session = onnxruntime.InferenceSession(IDENTITY, options, providers=[provider], enable_fallback=0)
    except refusals():
        return False
    return provider in session.get_providers()
