"""The finder as C: LiteRT's values with both kernels, for one size by rows, and for any size by layers."""

import ctypes
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.finder import (
    compare_finder,
    finder_code_of_any_size,
    finder_files,
    parsed,
)
from edgedigits_exporters.microcontroller.graph import Graph
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.writing.finder_c import CHECKED, SIZES, for_any_size
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.embedded_contract import append_zipped
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.compiled_finder import CompiledFinder
from edgedigits_runtime.engines.finder_network import FinderNetwork, open_finder_network
from edgedigits_runtime.errors import ArrayError, ArtifactUnsupported, ContractInvalid, ExportError
from edgedigits_runtime.finder_contract import read_finder_contract
from tests.conftest import RunCommand
from tests.support.needs import needs
from tests.support.quantized_graphs import tflite_of
from tests.support.random_graphs import random_finder
from tests.support.small_finder import write_small_finder
from tests.support.tiny_finder import write_finder
from tests.support.tiny_models import write_tflite

KERNELS: tuple[Kernels, ...] = ("xnnpack", "reference")
COMPILER = needs("gcc")
STRICT = ("gcc", "-std=c99", "-O0", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffp-contract=off")
SANITIZED = ("-g", "-fsanitize=undefined,address", "-fno-sanitize-recover")
ANY_SIZE = """
#include "finder.c"
uint8_t *pixels_at(uint8_t *scratch) { return scratch + ROWS_0; }
int32_t scratch_bytes(void) { return FINDER_SCRATCH_BYTES; }
int32_t output_bytes(void) { return FINDER_OUTPUT_BYTES; }
"""


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_finder(tmp_path_factory.mktemp("finder") / "finder.tflite")


def litert(model: Path, kernels: Kernels) -> FinderNetwork:
    return open_finder_network(model, options=EngineOptions(kernels="reference" if kernels == "reference" else "auto"))


def noise(size: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    """Noise in squares of random size."""
    random = np.random.default_rng(seed)
    block = int(random.integers(1, 20))
    height, width = size
    small = random.integers(0, 256, (-(-height // block), -(-width // block), 3), np.uint8)
    return np.ascontiguousarray(small.repeat(block, axis=0).repeat(block, axis=1)[:height, :width])


@COMPILER
@pytest.mark.parametrize("kernels", KERNELS)
def test_a_folder_of_c_equals_litert(finder: Path, tmp_path: Path, kernels: Kernels) -> None:
    folder = write_folder(tmp_path / "c", finder_files(finder, (32, 64), kernels))
    subprocess.run([*STRICT, "-Wconversion", *SANITIZED, "finder_selftest.c", "finder.c"], cwd=folder, check=True)
    assert subprocess.run(["./a.out"], cwd=folder, check=False, capture_output=True).stdout.endswith(b": pass\n")


@COMPILER
def test_a_folder_of_c_is_a_finder_of_one_size(finder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgedigits_runtime.engines.compiled_c.FLAGS", ("-std=c99", "-O0", "-shared", "-fPIC"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_folder(tmp_path / "c", finder_files(finder, (32, 64)))
    assert compare_finder(folder, pictures=4) == 0
    with pytest.raises(ArrayError, match=r"\[32, 64, 3\]"):
        CompiledFinder(folder).outputs(noise((64, 64)))


@COMPILER
@pytest.mark.parametrize("kernels", KERNELS)
def test_code_of_any_size_equals_litert(finder: Path, tmp_path: Path, kernels: Kernels) -> None:
    for name, text in finder_code_of_any_size(finder, kernels).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "any.c").write_text(ANY_SIZE)
    subprocess.run([*STRICT, "-shared", "-fPIC", "any.c", "-o", "any.so"], cwd=tmp_path, check=True)
    library, network = ctypes.CDLL(str(tmp_path / "any.so")), litert(finder, kernels)
    library.pixels_at.restype = ctypes.c_void_p
    for size in ((32, 32), (64, 32), (32, 96), (96, 160)):
        for name, side in zip(("finder_down", "finder_right"), size, strict=True):
            ctypes.c_int32.in_dll(library, name).value = side // 32
        scratch, made = (np.zeros(count(), np.uint8) for count in (library.scratch_bytes, library.output_bytes))
        pixels = noise(size, sum(size))
        taken = library.pixels_at(ctypes.c_void_p(scratch.ctypes.data)) - scratch.ctypes.data
        scratch[taken : taken + pixels.size] = pixels.ravel()
        library.finder_invoke(ctypes.c_void_p(made.ctypes.data), ctypes.c_void_p(scratch.ctypes.data))
        at = 0
        graph = parsed(finder, read_finder_contract(finder), size)
        for expected, tensor in zip(network.outputs(pixels), graph.outputs, strict=True):
            stored = made[at : at + expected.size].reshape(expected.shape).astype(np.float32)
            at += expected.size
            found = (stored - 128 - tensor.zero_point) * np.float32(tensor.scale)
            np.testing.assert_array_equal(found, expected)


def test_what_is_no_finder_of_a_size_is_refused(finder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="give 320x256"):
        finder_files(finder, (240, 320))
    with pytest.raises(ContractInvalid, match="finder"):
        finder_files(write_tflite(tmp_path, "int8"), (64, 64))
    with pytest.raises(ArtifactUnsupported, match="8 outputs"):
        read_graph(tflite_of(random_finder(0, (64, 64))), "x")
    with pytest.raises(ArtifactUnsupported, match="expected int8"):
        finder_files(write_finder(tmp_path / "floats.tflite"), (64, 64))
    graph, contract = random_finder(0, (64, 64)), read_finder_contract(finder)
    fewer = tmp_path / "finder.tflite"
    fewer.write_bytes(append_zipped(tflite_of(Graph(graph.input, graph.outputs[:6], graph.operators)), contract))
    with pytest.raises(ArtifactUnsupported, match="has outputs of"):
        finder_files(fewer, (64, 64))


@COMPILER
def test_the_command_writes_a_folder(finder: Path, run_command: RunCommand) -> None:
    options = ("export", finder, "--format", "c", "--size", "64x32", "--no-verify")
    assert "finder.c, finder.h" in run_command(*options).stdout
    header = (finder.parent / "finder-c" / "finder.h").read_text()
    assert "#define FINDER_WIDTH 64" in header and "#define FINDER_HEIGHT 32" in header
    assert "--force" in run_command(*options, check=1).stderr
    for size, reason in (("64", "320x256"), ("64x0", "multiples of 32"), ("99999x32", "320x256")):
        assert reason in run_command(*options[:-2], size, check=1).stderr


def test_upsampling_is_one_layer_and_memory_grows_with_the_width() -> None:
    sizes = [make_program(random_finder(1, size), "xnnpack") for size in ((64, 64), (128, 64), (64, 128))]
    first, taller, wider = (program.plan.size for program in sizes)
    assert first < taller < wider < 2.2 * first
    names = [operator.name for operator in sizes[0].operators]
    assert names.count("DEPTH_TO_SPACE") == 3 and "CONCATENATION" not in names
    assert all(sizes[0].plan.rows[end] == 1 for end in sizes[0].ends)


@given(*[st.integers(0, 500)] * 4)
@settings(max_examples=30)
def test_numbers_of_any_size_follow_from_examples(constant: int, down: int, right: int, both: int) -> None:
    def value(h: int, w: int) -> int:
        return constant + down * h + right * w + both * h * w

    texts = {size: f"x_{7} = {value(*size)}, {size[0]};" for size in (*SIZES, CHECKED)}
    text = for_any_size(texts)
    for h, w in ((1, 1), (9, 4)):
        (found,) = re.findall(r"= (.*), \(", text)
        assert eval(found, {"finder_down": h, "finder_right": w}) == value(h, w)
    assert "x_7" in text and text.endswith("(1 * finder_down);")
    texts[CHECKED] += " "
    with pytest.raises(ArtifactUnsupported, match="another finder"):
        for_any_size(texts)
    with pytest.raises(ArtifactUnsupported, match="follows no rule"):
        for_any_size({(h, w): str(h * h) for h, w in (*SIZES, CHECKED)})
