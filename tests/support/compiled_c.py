"""A graph as C, compiled and called through ctypes, or as a program under sanitizers."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Graph
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.writing.digits_c import digits_c
from edgedigits_exporters.microcontroller.writing.digits_h import digits_h
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.engines.compiled_c import SIZES
from tests.support.needs import skip_without

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wconversion")
CANARY = 0x5A
"""Fills the bytes after the scratch memory, which the C code must not change."""

PROGRAM = """
#include "digits.h"
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    int8_t *const input = malloc(DIGITS_PIXELS), *const output = malloc(DIGITS_CLASSES);
    void *const scratch = malloc(DIGITS_SCRATCH_BYTES);

    while (fread(input, DIGITS_PIXELS, 1, stdin)) {
        digits_invoke(input, output, scratch);
        fwrite(output, DIGITS_CLASSES, 1, stdout);
    }
    free(input), free(output), free(scratch);
    return 0;
}
"""


def contract_of(graph: Graph) -> Contract:
    """Return a contract with a label for every value of the output."""
    taken, made = graph.input, graph.output
    classes = int(np.prod(made.shape))
    return Contract(
        name="network",
        input=Tensor("input", (1, *taken.shape), "int8", taken.scale, taken.zero_point),
        output=Tensor("output", (1, classes), "int8", made.scale, made.zero_point),
        labels=tuple(str(label) for label in range(classes)),
    )


def write_c(graph: Graph, kernels: Kernels, folder: Path) -> Path:
    """Write digits.c and digits.h."""
    program = make_program(graph, kernels)
    contract = contract_of(graph)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "digits.c").write_text(digits_c(program, contract, "/* A test. */"))
    (folder / "digits.h").write_text(digits_h(program, contract, "/* A test. */", version="0"))
    return folder


class CompiledC:
    """digits_invoke of a folder's digits.c.

    Args:
        folder: with digits.c and digits.h; the library is written there too.
        compiler: a compiler and its flags.
    """

    def __init__(self, folder: Path, *compiler: str) -> None:
        library = folder / f"digits{len(list(folder.glob('*.so')))}.so"
        (folder / "sizes.c").write_text(SIZES)
        sources = (str(folder / name) for name in ("digits.c", "sizes.c"))
        _compile(*(compiler or ("gcc", "-O0")), "-shared", "-fPIC", *sources, "-o", str(library), "-lm")
        loaded = ctypes.CDLL(str(library))
        self._invoke = loaded.digits_invoke
        self.scratch_bytes, _, self._classes = (ctypes.c_int32 * 3).in_dll(loaded, "digits_sizes")

    def __call__(self, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return int8 [n, classes] for int8 [n, ...]."""
        inputs = np.ascontiguousarray(inputs)
        outputs = np.zeros((len(inputs), self._classes), np.int8)
        scratch = np.full(self.scratch_bytes + 64, CANARY, np.uint8)
        assert scratch.ctypes.data % 4 == 0
        for taken, made in zip(inputs, outputs, strict=True):
            self._invoke(*(ctypes.c_void_p(array.ctypes.data) for array in (taken, made, scratch)))
        assert np.all(scratch[self.scratch_bytes :] == CANARY), "C wrote after the scratch memory"
        return outputs


def run_as_program(folder: Path, inputs: NDArray[np.int8], *compiler: str) -> NDArray[np.int8]:
    """Return int8 [n, classes] for int8 [n, ...], from a program whose buffers have exactly the needed sizes."""
    (folder / "main.c").write_text(PROGRAM)
    program = folder / "main"
    _compile(*compiler, str(folder / "digits.c"), str(folder / "main.c"), "-o", str(program), "-lm")
    ran = subprocess.run([program], input=inputs.tobytes(), capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return np.frombuffer(ran.stdout, np.int8).reshape(len(inputs), -1)


def _compile(compiler: str, *arguments: str) -> None:
    skip_without(compiler)
    made = subprocess.run([compiler, *STRICT, *arguments], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
