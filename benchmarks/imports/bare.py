"""Run model files in their own engines, fed by hand; nothing of edgedigits takes part."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

DOUBT = 1e-3
"""Part of a step within which a value counts as midway between two."""


def answers(path: Path, values: Values, midway: NDArray[Any] | None = None) -> NDArray[np.float32]:
    """Return the real outputs of a `.keras`, `.h5`, `.onnx` or `.tflite` file; for the inputs see litert."""
    if path.suffix == ".onnx":
        return _onnx(path, values)
    if path.suffix == ".tflite":
        return litert(path, values, midway)[1]
    import keras

    model = keras.models.load_model(path, compile=False)
    return np.asarray(model(_arranged(values, tuple(model.input_shape))), np.float32)


def _arranged(values: Values, shape: tuple[Any, ...]) -> Values:
    """Return [N, H, W, C] in the order of a model's input shape, whose batch is the first axis."""
    count, height, width, channels = values.shape
    if len(shape) == 4:
        return values if shape[1:] == (height, width, channels) else np.ascontiguousarray(values.transpose(0, 3, 1, 2))
    return values.reshape((count, -1) if len(shape) == 2 else (count, height, width))


def _onnx(path: Path, values: Values) -> NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    tensor = _arranged(values, tuple(given.shape))
    at_once = given.shape[0] if isinstance(given.shape[0], int) else len(tensor)
    parts = [
        session.run(None, {given.name: tensor[start : start + at_once]})[0] for start in range(0, len(tensor), at_once)
    ]
    return np.concatenate(parts).astype(np.float32)


def litert(path: Path, values: Values, midway: NDArray[Any] | None = None) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Return the stored and the real outputs of LiteRT, one image at a time.

    Args:
        path: a `.tflite` file.
        values: real inputs [N, H, W, C].
        midway: stored inputs for the values that lie midway between two steps, as pixels in -1..1 may do; they are
            rounded up or down by the last bit of their computation.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    given, made = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    shape = tuple(map(int, given["shape"]))
    one = _arranged(values, shape) if len(shape) > 3 or shape[:1] == (1,) else values
    stored = []
    for image in _stored(one, given, midway):
        interpreter.set_tensor(given["index"], np.ascontiguousarray(image.reshape(shape)))
        interpreter.invoke()
        stored.append(interpreter.get_tensor(made["index"]).reshape(-1).copy())
    found = np.stack(stored)
    scale, zero = made["quantization"]
    real = (found.astype(np.float32) - np.float32(zero)) * np.float32(scale) if scale else found.astype(np.float32)
    return found, real


def _stored(values: Values, tensor: dict[str, Any], midway: NDArray[Any] | None) -> NDArray[Any]:
    """Return real values as a tensor stores them."""
    scale, zero = tensor["quantization"]
    kind = np.dtype(tensor["dtype"])
    if kind == np.float32:
        return values
    limits = np.iinfo(kind)
    steps = values.astype(np.float64) / scale + zero if scale else values
    stored = np.clip(np.rint(steps), limits.min, limits.max).astype(kind)
    if midway is None:
        return stored
    doubtful = np.abs(steps - np.floor(steps) - 0.5) < DOUBT
    return np.where(doubtful, as_type(midway, kind).reshape(stored.shape), stored)


def as_type(stored: NDArray[Any], kind: Any) -> NDArray[Any]:
    """Return int8 as uint8 or the reverse, moved by 128; equal types are unchanged."""
    if stored.dtype == kind:
        return stored
    moved = stored.astype(np.int16) - np.iinfo(stored.dtype).min + np.iinfo(kind).min
    return moved.astype(kind)
