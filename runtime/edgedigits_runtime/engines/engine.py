"""What every engine is: pixels in, probabilities out, and the truth about where it ran."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.errors import ContractInvalid
from edgedigits_runtime.preprocessing import (
    Images,
    Probabilities,
    as_batch,
    dequantize,
    normalise,
    pixel_table,
    quantize,
)


class Engine(ABC):
    """A loaded model. May be called from several threads; calls are answered one after another.

    Attributes:
        name: "litert", "onnxruntime" or "keras".
        device: where it runs, such as "cpu".
        providers: execution providers or delegates in effect, read back after loading.
        contract: how the model is fed and read.
    """

    name: str

    def __init__(self, contract: Contract, device: str, providers: tuple[str, ...]) -> None:
        self.contract = contract
        self.device = device
        self.providers = providers
        self._table = pixel_table(contract.normalisation, contract.input)
        self._lock = threading.Lock()

    def run(self, batch: Images) -> Probabilities:
        """Return the probabilities, float32 [N, classes], of uint8 images [N, H, W, C] (ink bright on dark).

        Raises:
            ArrayError: the batch has another dtype or shape than the model takes, or is empty.
        """
        return dequantize(self.invoke(self.feed(batch)), self.contract.output)

    def feed(self, batch: Images) -> NDArray[Any]:
        """Return the tensor that the model is given for these images: normalised, quantized, [N, H, W, C]."""
        images = as_batch(batch, self.contract.image_shape)
        if self._table is not None:
            stored = images.tobytes().translate(self._table)
            return np.frombuffer(stored, self.contract.input.dtype).reshape(images.shape)
        return quantize(normalise(images, self.contract.normalisation), self.contract.input)

    def invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the model's output tensor [N, classes] as stored, for an input tensor as `feed` makes it."""
        with self._lock:
            return self._invoke(tensor)

    @abstractmethod
    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]: ...


@dataclass(frozen=True)
class EngineReport:
    """What `doctor` says of an engine.

    Attributes:
        version: of its library; None if it is not installed.
        providers: those that really start on this machine.
        mend: the command that installs what is missing; None if nothing is.
    """

    version: str | None
    providers: tuple[str, ...]
    mend: str | None = None


def check_tensors(contract: Contract, source: str, found: dict[str, Tensor]) -> None:
    """Compare the contract with the file's own "input" and "output": shape without the batch, dtype, scale, zero point.

    Raises:
        ContractInvalid: they differ.
    """
    for border, tensor in (("input", contract.input), ("output", contract.output)):
        if _described(tensor) != _described(found[border]):
            raise ContractInvalid(
                f"{source}: the contract says {border} {_described(tensor)}, the file has {_described(found[border])}"
            )


def _described(tensor: Tensor) -> str:
    quantization = ""
    if tensor.scale is not None:
        # A scale is a float32 in the file, and may be written with fewer digits by hand.
        quantization = f", scale {tensor.scale:.6g}, zero point {tensor.zero_point}"
    sizes = ["batch", *map(str, tensor.shape[1:])]
    return f"{tensor.dtype} [{', '.join(sizes)}]{quantization}"
