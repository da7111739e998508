"""The interface of all engines: pixels in, probabilities out, and where the model really runs."""

import dataclasses
import os
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.errors import ContractInvalid, DeviceUnavailable, EngineClosed
from edgedigits_runtime.machine import core_count
from edgedigits_runtime.preprocessing import (
    Images,
    Probabilities,
    arrange,
    as_batch,
    dequantize,
    normalise,
    pixel_table,
    probabilities_of,
    quantize,
)

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# How int8 models with scale 1/255, such as the shipped ones, store pixels, and the bit that differs from uint8.
MINUS_128 = np.arange(-128, 128, dtype=np.int8).tobytes()
TOP_BIT = np.uint8(0x80)


class Engine(ABC):
    """A loaded model. Thread-safe; can be pickled to another process, and closed.

    Attributes:
        name: "litert", "onnxruntime" or "keras".
        device: where it runs, such as "cpu" or "cuda:0".
        providers: execution providers or delegates in effect, read back after loading.
        contract: how the model is fed and read.
        workers: concurrent calls for an array with many images.
    """

    name: str

    part = 256
    """Images of a large array in one worker's call."""

    def __init__(
        self,
        contract: Contract,
        device: str,
        providers: tuple[str, ...],
        *,
        reopen: Callable[[], "Engine"] | None = None,
        workers: int = 1,
    ) -> None:
        """Set the attributes above; `reopen` opens the same file again, also in another process."""
        self.contract = contract
        self.device = device
        self.providers = providers
        self.workers = workers
        self._reopen = reopen
        self._closed = False
        self._table = pixel_table(contract)

    def run(self, batch: Images) -> Probabilities:
        """Return the probabilities of the labels, float32 [N, classes], of uint8 images [N, H, W, C].

        Their sum is 1 minus that of a non-digit, if the contract has `non_digit`. See `run_all` for the errors.
        """
        return self.run_all(batch)[:, : len(self.contract.labels)]

    def run_all(self, batch: Images) -> Probabilities:
        """Return the probabilities of the labels and, if the contract has `non_digit`, last that of a non-digit.

        Args:
            batch: uint8 [N, H, W, C], ink bright on dark.

        Raises:
            ArrayError: the batch has another dtype or shape than the model's input, or is empty.
            EngineClosed: after `close`.
        """
        images = as_batch(batch, self.contract.image_shape)
        if self.workers == 1 or len(images) <= self.part:
            return self._run(images)
        parts = [images[start : start + self.part] for start in range(0, len(images), self.part)]
        return np.concatenate(list(self._pool.map(self._run, parts)))

    def feed(self, batch: Images) -> NDArray[Any]:
        """Return the model's input tensor for these images: normalised, quantized, in the contract's layout."""
        return self._fed(as_batch(batch, self.contract.image_shape))

    def invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the model's output tensor [N, values] as stored, for an input tensor from `feed`."""
        self._require_open()
        return self._invoke(tensor).reshape(len(tensor), -1)

    def close(self) -> None:
        """Release threads and memory; the engine cannot be used afterwards."""
        if not self._closed:
            self._closed = True
            if "_pool" in self.__dict__:
                self._pool.shutdown()
            self._release()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the way to open it: another process loads the file again."""
        if self._reopen is None:
            raise pickle.PicklingError(f"{self.contract.name} is in memory only; save it, and open the file")
        return self._reopen, ()

    @cached_property
    def _pool(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self.workers, thread_name_prefix=self.contract.name)

    def _require_open(self) -> None:
        if self._closed:
            raise EngineClosed(f"{self.contract.name} was closed; open it again")

    def _run(self, images: Images) -> Probabilities:
        stored = self.invoke(self._fed(images))
        output, kind = self.contract.output, self.contract.output_kind
        return probabilities_of(dequantize(stored, output), kind, output.scale)

    def _fed(self, images: Images) -> NDArray[Any]:
        contract = self.contract
        if self._table == MINUS_128:
            stored: NDArray[Any] = (images ^ TOP_BIT).view(np.int8)
        elif self._table is not None:
            content = images.tobytes().translate(self._table)
            stored = np.frombuffer(content, contract.input.dtype).reshape(images.shape)
        else:
            stored = quantize(normalise(images, contract.normalisation, contract.polarity), contract.input)
        return arrange(stored, contract.layout)

    @abstractmethod
    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Run the model on a tensor from `feed`; called from several threads at once."""

    def _release(self) -> None:  # noqa: B027  # Not every engine holds something.
        """Release the library's resources."""


class EngineReport(NamedTuple):
    """State of an engine for `doctor`.

    Attributes:
        version: of its library; None if it is not installed.
        providers: those that start on this machine.
        mend: the command that installs what is missing; None if nothing is.
    """

    version: str | None
    providers: tuple[str, ...]
    mend: str | None = None


def worker_count(options: EngineOptions) -> int:
    return core_count() if options.workers is None else options.workers


def keep_on_cores(cores: tuple[int, ...]) -> None:
    """Pin this thread, and the threads it starts later, to processor cores.

    Raises:
        DeviceUnavailable: no such core, or the system does not support it.
    """
    if not cores:
        return
    try:
        os.sched_setaffinity(0, cores)
    except AttributeError:
        raise DeviceUnavailable("this system does not let a process choose its cores; leave them out") from None
    except OSError as error:
        free = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        wanted = ", ".join(map(str, cores))
        raise DeviceUnavailable(f"this process cannot run on core {wanted}; it may use {free}") from error


def check_tensors(contract: Contract, source: str, found: dict[str, Tensor]) -> None:
    """Compare the contract with the file's "input" and "output": shape without the batch, dtype, scale, zero point.

    Raises:
        ContractInvalid: they differ.
    """
    for end, tensor in (("input", contract.input), ("output", contract.output)):
        if found[end].scale is None:
            # An ONNX file does not store the quantization of its input and output; the contract does.
            tensor = dataclasses.replace(tensor, scale=None, zero_point=None)
        batched = "N" in contract.layout if end == "input" else len(tensor.shape) > 1
        ours, theirs = _described(tensor, batched), _described(found[end], batched)
        if ours != theirs:
            raise ContractInvalid(f"{source}: the contract has {end} {ours}, the file has {theirs}")


def _described(tensor: Tensor, batched: bool) -> str:
    quantization = ""
    if tensor.scale is not None:
        # A scale is float32 in the file, and may be written by hand with fewer digits.
        quantization = f", scale {tensor.scale:.6g}, zero point {tensor.zero_point}"
    sizes = ["batch", *map(str, tensor.shape[1:])] if batched else map(str, tensor.shape)
    return f"{tensor.dtype} [{', '.join(sizes)}]{quantization}"
