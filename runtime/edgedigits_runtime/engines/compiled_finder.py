"""The C export of a finder, compiled with the system's compiler, for pictures of one size."""

import ctypes
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.engines.compiled_c import compiled
from edgedigits_runtime.engines.finder_network import FinderNetwork, Floats
from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.finder_contract import read_finder_contract

SIZES = """
#include "finder.h"
const int32_t finder_sizes[4] = {FINDER_SCRATCH_BYTES, FINDER_OUTPUT_BYTES, FINDER_HEIGHT, FINDER_WIDTH};
"""
OUTPUTS = 8


class _Output(ctypes.Structure):
    _fields_ = (("stride", ctypes.c_uint8), ("channels", ctypes.c_uint8), ("zero", ctypes.c_uint8),
                ("scale", ctypes.c_float))  # fmt: skip


class CompiledFinder(FinderNetwork):
    """One shared library.

    Attributes:
        size: height and width of the pictures.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(read_finder_contract(folder), "c", "cpu", ("C",), partial(CompiledFinder, folder))
        library = ctypes.CDLL(str(compiled(folder, "finder", SIZES)))
        self._scratch, self._bytes, *size = (ctypes.c_int32 * 4).in_dll(library, "finder_sizes")
        self.size = (size[0], size[1])
        self._facts = list((_Output * OUTPUTS).in_dll(library, "finder_outputs"))
        self._invoke = library.finder_invoke
        self._invoke.argtypes = (ctypes.c_void_p,) * 3
        self._invoke.restype = None

    def _run(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        height, width = self.size
        if pixels.shape != (height, width, 3):
            raise ArrayError(f"expected [{height}, {width}, 3], for which the C was made; got {list(pixels.shape)}")
        given, made = np.ascontiguousarray(pixels), np.empty(self._bytes, np.uint8)
        scratch = (ctypes.c_int32 * -(-self._scratch // 4))()
        self._invoke(given.ctypes.data, made.ctypes.data, scratch)
        outputs, at = [], 0
        for fact in self._facts:
            shape = (1, height // fact.stride, width // fact.stride, fact.channels)
            end = at + int(np.prod(shape))
            real = (made[at:end].astype(np.float32) - fact.zero) * np.float32(fact.scale)
            outputs.append(real.reshape(shape))
            at = end
        return outputs

    def close(self) -> None:
        """Keep the library loaded, as the operating system does."""
