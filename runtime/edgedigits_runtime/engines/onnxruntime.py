"""ONNX Runtime runs `.onnx` files, here on the CPU."""

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Tensor, parse_contract
from edgedigits_runtime.embedded_contract import ONNX_PROPERTY, missing
from edgedigits_runtime.engines.engine import Engine, EngineReport, check_tensors
from edgedigits_runtime.errors import ArtifactCorrupt, DeviceUnavailable, MissingExtra
from edgedigits_runtime.native_messages import silenced

PROVIDERS = {"cpu": "CPUExecutionProvider"}

CHUNK = 64
"""Images in one call: more of them no longer fit a core's cache, and 10,000 at once were ten times slower."""

REMOTE = "AzureExecutionProvider"
"""It runs nothing here, but calls a server."""

IDENTITY = bytes.fromhex(
    "080812003a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801"
    "620f0a0179120a0a08080112040a02080142040a001011"
)
"""The smallest ONNX model, y = x, to see what starts."""

WHEELS = ("onnxruntime", "onnxruntime-gpu")


class OnnxRuntimeEngine(Engine):
    """One session; a batch is run in calls of CHUNK images."""

    name = "onnxruntime"

    def __init__(self, session: Any, contract: Contract) -> None:
        # Read back from the session: ONNX Runtime drops a provider that cannot start without an error.
        super().__init__(contract, "cpu", tuple(session.get_providers()))
        self._session = session
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        chunks = [tensor[start : start + CHUNK] for start in range(0, len(tensor), CHUNK)]
        return np.concatenate([self._session.run([self._output], {self._input: chunk})[0] for chunk in chunks])


def open_engine(path: Path, contract: Contract | None, device: str) -> OnnxRuntimeEngine:
    """Load an `.onnx` file; see edgedigits_runtime.engines.open_engine."""
    if device not in ("auto", *PROVIDERS):
        raise DeviceUnavailable(f"ONNX Runtime runs on {', '.join(PROVIDERS)} here, not on {device!r}")
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("ONNX Runtime", "onnx") from error
    options = onnxruntime.SessionOptions()
    # One thread: on a network this small, waking a second costs more than it saves.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        # The fallback would print a banner on standard output, and try the same provider once more.
        providers = [PROVIDERS["cpu"]]
        session = onnxruntime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        embedded = session.get_modelmeta().custom_metadata_map.get(ONNX_PROPERTY)
    except _refusals() as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ArtifactCorrupt(f"{path} is not a whole .onnx file: {reason}") from error
    if contract is None:
        if embedded is None:
            raise missing(path)
        contract = parse_contract(embedded, str(path))
    check_tensors(
        contract,
        str(path),
        {"input": _tensor_of(inputs[0]), "output": _tensor_of(outputs[0])},
    )
    return OnnxRuntimeEngine(session, contract)


def _refusals() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises on a damaged file; where a name in it is no text, it is a ValueError."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (state.InvalidProtobuf, state.InvalidGraph, state.InvalidArgument, state.NotImplemented, state.NoModel)
    return (*own, state.Fail, state.RuntimeException, RuntimeError, ValueError)


def _tensor_of(border: Any) -> Tensor:
    """Return a tensor as a contract holds it; a free batch has a name for a size."""
    shape = tuple(size if isinstance(size, int) else None for size in border.shape)
    kind = border.type.removeprefix("tensor(").removesuffix(")")
    return Tensor(border.name, shape, "float32" if kind == "float" else kind)


def probe() -> EngineReport:
    """Say which wheel is installed and which of its providers start."""
    try:
        import onnxruntime
    except ImportError:
        return EngineReport(None, (), "pip install 'edgedigits[onnx]'")
    installed = [wheel for wheel in WHEELS if _version(wheel)]
    mend = None
    if len(installed) > 1:
        mend = "pip uninstall onnxruntime onnxruntime-gpu, then install one of them: they overwrite each other"
    started = tuple(name for name in onnxruntime.get_available_providers() if _starts(name))
    return EngineReport(_version(installed[0]) if installed else onnxruntime.__version__, started, mend)


def _starts(provider: str) -> bool:
    """Whether a session on the provider really has it: the wheel's own list only says what it was built with."""
    import onnxruntime

    if provider == REMOTE:
        return False
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        with silenced():
            session = onnxruntime.InferenceSession(IDENTITY, options, providers=[provider])
    except _refusals():
        return False
    return provider in session.get_providers()


def _version(wheel: str) -> str | None:
    try:
        return importlib.metadata.version(wheel)
    except importlib.metadata.PackageNotFoundError:
        return None
