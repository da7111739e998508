"""LiteRT runs `.tflite` files on the CPU, with XNNPACK where its wheel has it."""

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines.engine import Engine, EngineReport, check_tensors
from edgedigits_runtime.errors import ArtifactCorrupt, DeviceUnavailable
from edgedigits_runtime.native_messages import silenced


class LiteRTEngine(Engine):
    """One interpreter with a static batch of 1; a batch is run image by image."""

    name = "litert"

    def __init__(self, interpreter: Any, contract: Contract) -> None:
        super().__init__(contract, "cpu", _delegates(interpreter))
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        self._output = interpreter.get_output_details()[0]["index"]

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        answers = [self._answer(tensor[k : k + 1]) for k in range(len(tensor))]
        return answers[0] if len(answers) == 1 else np.concatenate(answers)

    def _answer(self, image: NDArray[Any]) -> NDArray[Any]:
        self._interpreter.set_tensor(self._input, image)
        self._interpreter.invoke()
        answer: NDArray[Any] = self._interpreter.get_tensor(self._output)
        return answer


def open_engine(path: Path, contract: Contract | None, device: str) -> LiteRTEngine:
    """Load a `.tflite` file; see edgedigits_runtime.engines.open_engine."""
    if device not in ("auto", "cpu"):
        raise DeviceUnavailable(f"LiteRT runs on the CPU, not on {device!r}; use --device cpu, or an ONNX model")
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise DeviceUnavailable("the LiteRT interpreter is not installed; run: pip install ai-edge-litert") from error
    try:
        # One thread: on a network this small, waking a second costs more than it saves.
        # An INFO line about XNNPACK; the delegate is read back from the graph instead.
        with silenced():
            interpreter = Interpreter(model_path=str(path), num_threads=1)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ArtifactCorrupt(f"{path} is not a whole .tflite file: {_first_line(error)}") from error
    contract = contract or read_contract(path)
    check_tensors(
        contract,
        str(path),
        {
            "input": tensor_of(interpreter.get_input_details()[0]),
            "output": tensor_of(interpreter.get_output_details()[0]),
        },
    )
    return LiteRTEngine(interpreter, contract)


def tensor_of(details: dict[str, Any]) -> Tensor:
    """Return a tensor as a contract holds it, from what the interpreter says of it."""
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
    """Say whether the interpreter can be imported."""
    try:
        from ai_edge_litert import interpreter  # noqa: F401
    except ImportError:
        return EngineReport(None, (), "pip install ai-edge-litert")
    return EngineReport(importlib.metadata.version("ai-edge-litert"), ("XNNPACK",))


def _delegates(interpreter: Any) -> tuple[str, ...]:
    """Read back what runs the graph: XNNPACK, silently dropped on some boards, shows as a DELEGATE operator."""
    operators = {details["op_name"] for details in interpreter._get_ops_details()}
    return ("XNNPACK",) if "DELEGATE" in operators else ("builtin",)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
