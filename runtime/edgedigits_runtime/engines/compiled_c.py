"""The C export as an engine: compiled once with the system's compiler, cached, and called through ctypes."""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import find_c_file
from edgedigits_runtime.engines.engine import Engine, EngineReport, keep_on_cores, worker_count
from edgedigits_runtime.errors import ArtifactCorrupt, DeviceUnavailable
from edgedigits_runtime.whole_files import whole_file

FLAGS = ("-std=c99", "-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")
"""-ffp-contract=off: a fused multiply-add rounds differently than the model does."""

SIZES = """
#include "digits.h"
#include <stddef.h>
#ifndef DIGITS_OUTPUTS /* Exports of earlier versions. */
#define DIGITS_OUTPUTS DIGITS_CLASSES
#endif
const int32_t digits_sizes[3] = {DIGITS_SCRATCH_BYTES, DIGITS_PIXELS, DIGITS_OUTPUTS};
"""
"""Exports the header's sizes under these compiler flags."""


class CompiledCEngine(Engine):
    """One shared library; each thread has its own scratch memory."""

    name = "c"

    def __init__(self, library: ctypes.CDLL, contract: Contract, **settings: Any) -> None:
        super().__init__(contract, "cpu", **settings)
        scratch, _, outputs = (ctypes.c_int32 * 3).in_dll(library, "digits_sizes")
        self._invoke_one = library.digits_invoke
        self._invoke_one.argtypes = (ctypes.c_void_p,) * 3
        self._invoke_one.restype = None
        self._scratch_words = -(-scratch // 4)
        self._outputs = int(outputs)
        self._own = threading.local()

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        given = np.ascontiguousarray(tensor)
        answers = np.empty((len(given), self._outputs), np.int8)
        taken, made, step = given.ctypes.data, answers.ctypes.data, given[0].nbytes
        scratch = self._scratch()
        for k in range(len(given)):
            self._invoke_one(taken + k * step, made + k * self._outputs, scratch)
        return answers

    def _scratch(self) -> Any:
        if not hasattr(self._own, "scratch"):
            self._own.scratch = (ctypes.c_int32 * self._scratch_words)()
        return self._own.scratch


def open_engine(path: Path, contract: Contract | None, device: str, options: EngineOptions) -> CompiledCEngine:
    """Load a folder of C; see edgedigits_runtime.engines.open_engine."""
    if device not in ("auto", "cpu"):
        raise DeviceUnavailable(f"a C export runs on the CPU, not on {device!r}; use --device cpu, or an ONNX model")
    keep_on_cores(options.cores)
    contract = contract or read_contract(path)
    library = ctypes.CDLL(str(compiled(path)))
    _check_contract(library, contract, path)
    reopen = partial(open_engine, path, contract, device, options)
    kernels = (f"C ({contract.kernels} rounding)",)
    return CompiledCEngine(library, contract, providers=kernels, reopen=reopen, workers=worker_count(options))


def compiled(folder: Path, name: str = "digits", beside: str = SIZES) -> Path:
    """Return the shared library of a folder's C files of a name, compiled with the C code `beside`, or from the cache.

    Raises:
        DeviceUnavailable: there is no C compiler.
        ArtifactCorrupt: a file is missing, or cannot be compiled.
    """
    compiler = find_compiler()
    if compiler is None:
        raise DeviceUnavailable(
            f"{folder} has to be compiled and there is no C compiler: install one (apt-get install gcc), name it in CC,"
            " or use the .tflite file with LiteRT"
        )
    try:
        header, source = (find_c_file(folder, f"{name}.{kind}") for kind in "hc")
        texts = [header.read_bytes(), source.read_bytes()]
    except OSError as error:
        raise ArtifactCorrupt(f"{folder} is not a whole C export: {error}; export it again") from error
    identity = hashlib.sha256(b"\0".join([*texts, beside.encode(), _version(compiler), " ".join(FLAGS).encode()]))
    library = _cache() / f"{identity.hexdigest()[:32]}.so"
    if not library.is_file():
        with whole_file(library) as temporary:
            _compile(compiler, source, header.parent, beside, temporary)
    return library


def find_compiler() -> str | None:
    """Return the path of the C compiler: the one in CC, else cc, gcc or clang; None if there is none."""
    wanted = os.environ.get("CC")
    return next(filter(None, map(shutil.which, [wanted] if wanted else ["cc", "gcc", "clang"])), None)


def _compile(compiler: str, source: Path, include: Path, beside: str, library: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as place:
        sizes = Path(place) / "sizes.c"
        sizes.write_text(beside)
        command = [compiler, *FLAGS, f"-I{include}", str(source), str(sizes), "-o", str(library), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "error" in line), "it gave no reason")
        raise ArtifactCorrupt(f"{compiler} cannot compile {source.parent}: {reason.strip()}; export it again")


def _version(compiler: str) -> bytes:
    return subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("edgedigits", appauthor=False) / "compiled"


def _check_contract(library: ctypes.CDLL, contract: Contract, path: Path) -> None:
    for tensor in (contract.input, contract.output):
        if tensor.dtype != "int8":
            raise ArtifactCorrupt(
                f"{path} has {tensor.dtype} in its contract, expected int8, which C takes and returns; export it again"
            )
    _, pixels, outputs = (ctypes.c_int32 * 3).in_dll(library, "digits_sizes")
    height, width, channels = contract.image_shape
    expected = height * width * channels, contract.values
    if (pixels, outputs) != expected:
        raise ArtifactCorrupt(
            f"{path} takes {pixels} values and returns {outputs}; its contract has {expected[0]} and {expected[1]};"
            " export it again"
        )


def probe() -> EngineReport:
    """Report the compiler."""
    compiler = find_compiler()
    if compiler is None:
        return EngineReport(None, (), "apt-get install gcc")
    number = re.search(r"\d+\.\d+[.\d]*", _version(compiler).decode(errors="replace"))
    return EngineReport(number.group() if number else "unknown", (Path(compiler).name,))
