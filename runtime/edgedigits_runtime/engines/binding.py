"""A session of ONNX Runtime whose input and output stay on the device: on GPUs, copies cost more than computing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZES = (1, 16, 256)
"""Batch sizes with bound memory and, on CUDA, a recorded graph; other batches are padded to the next size."""


class BoundSession:
    """Run tensors through memory bound once for each batch size. Not thread-safe."""

    def __init__(self, session: Any, device: str, number: int = 0, sizes: tuple[int, ...] = SIZES) -> None:
        """Bind a session with one input and one output, whose first axis is free, for ascending sizes; warm up."""
        import onnxruntime

        self._session = session
        self._bound = {}
        given, answer = session.get_inputs()[0], session.get_outputs()[0]
        for size in sizes:
            tensors = [
                onnxruntime.OrtValue.ortvalue_from_shape_and_type(
                    [size, *end.shape[1:]], np.dtype(dtype_name(end.type)), device, number
                )
                for end in (given, answer)
            ]
            binding = session.io_binding()
            binding.bind_ortvalue_input(given.name, tensors[0])
            binding.bind_ortvalue_output(answer.name, tensors[1])
            options = onnxruntime.RunOptions()
            # A recorded graph holds addresses, so each size has its own.
            options.add_run_config_entry("gpu_graph_id", str(size))
            self._bound[size] = (binding, options, *tensors)
        for size in sizes:
            for _ in range(2):
                self.run(np.zeros((size, *given.shape[1:]), dtype_name(given.type)))

    def run(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the output [N, classes] of an input [N, H, W, C]; each image is copied to the device once."""
        largest = max(self._bound)
        answers = [self._answer(tensor[start : start + largest]) for start in range(0, len(tensor), largest)]
        return answers[0] if len(answers) == 1 else np.concatenate(answers)

    def _answer(self, tensor: NDArray[Any]) -> NDArray[Any]:
        count = len(tensor)
        size = min(size for size in self._bound if size >= count)
        binding, options, given, answer = self._bound[size]
        if count < size:
            filled = np.zeros((size, *tensor.shape[1:]), tensor.dtype)
            filled[:count] = tensor
            tensor = filled
        given.update_inplace(np.ascontiguousarray(tensor))
        self._session.run_with_iobinding(binding, options)
        # On a CPU, NumPy reads the bound memory directly, which the next call overwrites.
        answers: NDArray[Any] = answer.numpy()[:count].copy()
        return answers


def dtype_name(kind: str) -> str:
    """Convert ONNX Runtime's type, such as tensor(float), to NumPy's name."""
    name = kind.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(name, name)
