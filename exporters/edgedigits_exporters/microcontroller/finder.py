"""Export a finder to standalone C99: a folder with the network for pictures of one size, and a self-test."""

import dataclasses
import hashlib
import math
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Graph
from edgedigits_exporters.microcontroller.layer import STORED
from edgedigits_exporters.microcontroller.parsing import read_resized_graph
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.values import format_sides
from edgedigits_exporters.microcontroller.writing.finder_c import Heading, finder_texts, finder_texts_of_any_size
from edgedigits_exporters.microcontroller.writing.project_files import fill_file
from edgedigits_runtime.embedded_contract import MEMBER
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.compiled_finder import CompiledFinder
from edgedigits_runtime.engines.finder_network import FinderNetwork, open_finder_network
from edgedigits_runtime.errors import ArtifactUnsupported, ExportError
from edgedigits_runtime.finder_contract import FinderContract, read_finder_contract
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import draw_scene

TEMPLATES = files("edgedigits_exporters.microcontroller.writing").joinpath("finder")
LONGEST = 4096
CHANNELS = (2, 4)
"""Of the heat and the box of each stride."""


def finder_files(model: Path, size: tuple[int, int], kernels: Kernels = "xnnpack") -> dict[str, str | bytes]:
    """Return the content of each file of the folder of C by its name.

    Args:
        model: an int8 finder's `.tflite` file.
        size: height and width of the pictures, in pixels.
        kernels: see COptions.

    Raises:
        ArtifactError: the file cannot be used, is no finder, or holds operators or types that C lacks.
        ExportError: a size that the network cannot take.
    """
    contract, content = read_finder_contract(model), model.read_bytes()
    _require_size(contract, size)
    program = make_program(parsed(model, contract, size), kernels)
    texts = finder_texts(program, contract, _heading(contract, content, kernels))
    hashes = _hashes(open_finder_network(model, options=_litert(kernels)), program.graph)
    height, width = size
    marks = {
        "NAME": contract.name, "HEIGHT": height, "WIDTH": width, "KERNELS": kernels, "VERSION": version("edgedigits"),
        "SCRATCH": f"{program.plan.size:,}", "WIDE": f"{program.wide_plan.size:,}",
        "OUTPUT_BYTES": f"{sum(math.prod(output.shape) for output in program.graph.outputs):,}",
        "FLASH": f"{literals.array_bytes(texts['finder.c']):,}", "PRODUCTS": f"{program.graph.multiply_accumulates:,}",
        "HASHES": ", ".join(f"0x{each:08x}u" for each in hashes),
    }  # fmt: skip
    filled = {name: fill_file(name, marks, TEMPLATES) for name in ("README.md", "Makefile", "finder_selftest.c")}
    code = dataclasses.replace(contract, format="c")
    return {**texts, **filled, "finder.tflite": content, MEMBER: code.to_json() + "\n"}


def compare_finder(folder: Path, kernels: Kernels = "xnnpack", pictures: int = 12) -> int:
    """Return how many output values of a folder of C differ from LiteRT's, over drawn pages and noise.

    Raises:
        DeviceUnavailable: there is no C compiler.
    """
    code, network = CompiledFinder(folder), open_finder_network(folder / "finder.tflite", options=_litert(kernels))
    height, width = code.size
    generator = np.random.default_rng(0)
    different = 0
    for k in range(pictures):
        pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
        if k % 3:
            page = draw_page(generator, PageOptions(width=width, height=height), draw_scene(generator)).picture
            pixels = np.broadcast_to(page.reshape(height, width, -1), pixels.shape)
        pairs = zip(code.outputs(pixels), network.outputs(pixels), strict=True)
        different += sum(int(np.count_nonzero(ours != theirs)) for ours, theirs in pairs)
    return different


def finder_code_of_any_size(model: Path, kernels: Kernels = "xnnpack") -> dict[str, str]:
    """Return finder.h and finder.c for pictures of any size; see finder_files."""
    contract, content = read_finder_contract(model), model.read_bytes()
    heading = _heading(contract, content, kernels)
    return finder_texts_of_any_size(lambda size: parsed(model, contract, size), contract, kernels, heading)


def parsed(model: Path, contract: FinderContract, size: tuple[int, int]) -> Graph:
    """Return the network of a finder for pictures of a height and width, its outputs in the contract's order.

    Raises:
        ArtifactUnsupported: other inputs or outputs than a finder's.
    """
    graph = read_resized_graph(model.read_bytes(), str(model), size)
    taken, by_shape = graph.input, {output.shape: output for output in graph.outputs}
    shapes = [(size[0] // stride, size[1] // stride, channels) for stride in contract.strides for channels in CHANNELS]
    if sorted(by_shape) != sorted(shapes):
        raise ArtifactUnsupported(
            f"{model} has outputs of {', '.join(map(format_sides, sorted(by_shape)))}, expected"
            f" {', '.join(map(format_sides, sorted(shapes)))}; export the finder again"
        )
    if taken.shape[2] != 3 or taken.zero_point != -STORED or abs(taken.scale * 255 - 1) > 1e-6:
        raise ArtifactUnsupported(
            f"{model} takes {taken.shape[2]} channels of scale {taken.scale:.6g} and zero point {taken.zero_point},"
            " expected 3 of 1/255 and -128, whose stored values are pixels; export the finder again"
        )
    return Graph(taken, tuple(by_shape[shape] for shape in shapes), graph.operators)


def _litert(kernels: Kernels) -> EngineOptions:
    return EngineOptions(kernels="reference" if kernels == "reference" else "auto")


def _hashes(network: FinderNetwork, graph: Graph) -> list[int]:
    """Return what finder_selftest.c computes of LiteRT's outputs."""
    hashes = []
    for pixels in _computed_pictures(graph.input.shape):
        together = 0
        for real, tensor in zip(network.outputs(pixels), graph.outputs, strict=True):
            stored = np.rint(real / np.float32(tensor.scale)).astype(int) + tensor.zero_point + STORED
            own = 2166136261
            for value in stored.ravel().tolist():
                own = (own ^ value) * 16777619 & 0xFFFFFFFF
            together = (together * 31 + own) & 0xFFFFFFFF
        hashes.append(together)
    return hashes


def _computed_pictures(shape: tuple[int, int, int]) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of finder_selftest.c."""
    y, x, channel = np.indices(shape).astype(np.uint32)
    for shift in (0, 3, 5):
        place = (y >> shift) * np.uint32(73856093) ^ (x >> shift) * np.uint32(19349663)
        mixed = (place ^ (channel + 1).astype(np.uint32) * np.uint32(83492791)) * np.uint32(2654435761)
        yield ((mixed ^ mixed >> 15) * np.uint32(2246822519) >> 24).astype(np.uint8)


def _require_size(contract: FinderContract, size: tuple[int, int]) -> None:
    cell = contract.strides[-1]
    if any(side % cell or not cell <= side <= LONGEST for side in size):
        height, width = (min(max(-(-side // cell), 1), LONGEST // cell) * cell for side in size)
        raise ExportError(
            f"expected a width and height that are multiples of {cell}, at most {LONGEST}; got {size[1]}x{size[0]};"
            f" give {width}x{height}, and lay the picture into a border of its ground's colour"
        )


def _heading(contract: FinderContract, content: bytes, kernels: Kernels) -> Heading:
    made = version("edgedigits")
    comment = literals.comment(
        f"{contract.name} as standalone C99, made by edgedigits {made}. Its values are LiteRT's"
        f" ({kernels} kernels). SHA-256 of the .tflite file: {hashlib.sha256(content).hexdigest()}."
    )
    return Heading(comment, made, kernels)
