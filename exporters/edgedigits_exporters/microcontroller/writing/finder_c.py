"""The text of finder.c and finder.h: by rows for pictures of one size, or by layers for pictures of any size."""

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Graph
from edgedigits_exporters.microcontroller.layer import STORED, Place
from edgedigits_exporters.microcontroller.planning.lowering import Lowered, Program, lower_all
from edgedigits_exporters.microcontroller.planning.memory import ALIGNMENT, Buffer, placed
from edgedigits_exporters.microcontroller.writing.digits_c import kernel, kernels_of, layer_text, layers_of, places
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.finder_contract import FinderContract
from edgedigits_runtime.templates import fill

Parse = Callable[[tuple[int, int]], Graph]
"""Returns the network for pictures of a height and width, its outputs in the contract's order."""


@dataclass(frozen=True)
class Heading:
    """What the first comment and the constants of both files state."""

    comment: str
    version: str
    kernels: Kernels


def finder_texts(program: Program, contract: FinderContract, heading: Heading) -> dict[str, str]:
    """Return finder.h and finder.c for one size: row by row, in as little memory as the plan needs."""
    height, width, _ = program.graph.input.shape
    interface = {"WIDE_SCRATCH": program.wide_plan.size, "SCRATCH": program.plan.size}
    size = f"#define FINDER_HEIGHT {height}\n#define FINDER_WIDTH {width}"
    outputs = _by_end(program)
    cases = []
    for number in range(1, len(program.layers) + 1):
        line = f"        case {number}: row_of_layer_{number}(memory, y);"
        for output in outputs.get(number, ()):
            place = f"row_at(y, {program.plan.rows[number]}, output_length({output}))"
            line += f"\n            write(to, {output}, y, memory + ROWS_{number} + {place});\n           "
        cases.append(f"{line} break;")
    run = {
        "ORDER": literals.array("uint8_t", "order", np.array(program.plan.order)),
        "STAGES": len(program.layers) + 1,
        "STEPS": len(program.plan.order),
        "ROWS": program.plan.rows[0],
        "CASES": "\n".join(cases),
    }
    parts = [places(program), *layers_of(program), _outputs(program.graph, contract), fill(kernel("run_by_rows"), run)]
    header = _header(program, contract, heading, size, fill(kernel("interface_of_rows.h"), interface))
    return {"finder.h": header, "finder.c": _code(program, heading, parts)}


def finder_texts_of_any_size(
    parse: Parse, contract: FinderContract, kernels: Kernels, heading: Heading
) -> dict[str, str]:
    """Return finder.h and finder.c for pictures of any size: layer by layer, whose memory grows with the picture."""
    cell = contract.strides[-1]
    sized = {size: lower_all(parse((cell * size[0], cell * size[1])), kernels) for size in (*SIZES, CHECKED)}
    one = sized[SIZES[0]]
    patches = max(max(layer.patch_bytes, layer.wide_patch_bytes) for layer in one.layers)
    patches = -(-patches // 16) * 16
    at, cell_bytes = _places_of_cells(one)
    constants = [
        f"#define ROWS_{stage} ({patches} + {place} * finder_down * finder_right)" for stage, place in enumerate(at)
    ]
    constants += [f"#define PATCH_{number} 0" for number, layer in enumerate(one.layers, 1) if layer.patch_bytes]
    layers = [_layer_of_any_size(sized, number) for number in range(1, len(one.layers) + 1)]
    run = {"LAYERS": "\n".join(_loops(one))}
    parts = [
        "int32_t finder_down = 1, finder_right = 1;",
        f"/* Shapes in comments are those of {cell * SIZES[0][0]}x{cell * SIZES[0][1]} pixels. */",
        "\n".join(constants), *layers, _outputs(one.graph, contract), fill(kernel("run_by_layers"), run),
    ]  # fmt: skip
    interface = {"PATCHES": patches, "CELL_BYTES": cell_bytes}
    size = f"#define FINDER_HEIGHT ({cell} * finder_down)\n#define FINDER_WIDTH ({cell} * finder_right)"
    header = _header(one, contract, heading, size, fill(kernel("interface_of_any_size.h"), interface))
    return {"finder.h": header, "finder.c": _code(one, heading, parts)}


SIZES = ((2, 2), (3, 2), (2, 3), (3, 3))
"""Sizes in cells, down and right, from which the numbers of all sizes follow."""
CHECKED = (5, 7)
"""A size at which they are checked."""
NUMBER = re.compile(r"\d+")


def for_any_size(texts: dict[tuple[int, int], str]) -> str:
    """Return the C text of which `texts` are examples, by size in cells: numbers that differ become expressions.

    Raises:
        ArtifactUnsupported: the numbers do not follow from the size as a + b * down + c * right + d * down * right.
    """
    numbers = {size: list(map(int, NUMBER.findall(text))) for size, text in texts.items()}
    if len({NUMBER.sub("0", text) for text in texts.values()}) > 1:
        raise ArtifactUnsupported("the finder's layers differ between sizes of pictures; give another finder")
    written = iter(
        [_expression(dict(zip(numbers, values, strict=True))) for values in zip(*numbers.values(), strict=True)]
    )
    return NUMBER.sub(lambda _: next(written), texts[SIZES[0]])


def _expression(values: dict[tuple[int, int], int]) -> str:
    small, down, right, both = (values[size] for size in SIZES)
    if len(set(values.values())) == 1:
        return str(small)
    product = both - down - right + small
    by_rows, by_columns = down - small - 2 * product, right - small - 2 * product
    factors = (small - 2 * by_rows - 2 * by_columns - 4 * product, by_rows, by_columns, product)
    names = ("", "finder_down", "finder_right", "finder_down * finder_right")
    rows, columns = CHECKED
    if values[CHECKED] != factors[0] + rows * by_rows + columns * by_columns + rows * columns * product:
        raise ArtifactUnsupported(
            f"a number of the finder's layers is {sorted(set(values.values()))} for pictures of different sizes, which"
            " follows no rule; give another finder"
        )
    terms = [
        " * ".join(filter(None, (str(factor), name))) for factor, name in zip(factors, names, strict=True) if factor
    ]
    return f"({' + '.join(terms)})"


def _layer_of_any_size(sized: dict[tuple[int, int], Lowered], number: int) -> str:
    """Return the C code of a layer whose numbers are computed when it runs; its arrays are the same for any size."""
    layer = sized[SIZES[0]].layers[number - 1]
    before, numbers = {}, {}
    for size, lowered in sized.items():
        rows = tuple(source.tensor.shape[0] for source in lowered.sources[number - 1])
        place = Place(number, rows, lowered.operators[number - 1].output.shape[0])
        start = f"static const {layer.structure} layer_{number} FLASH = "
        before[size], _, text = lowered.layers[number - 1].define(place).partition(start)
        numbers[size] = " ".join(text.split())
    if len(set(before.values())) > 1 or layer.kept_bytes:
        raise ArtifactUnsupported(f"layer {number}, {layer.comment}, has no form for pictures of any size")
    local = f"const {layer.structure} layer_{number} = {for_any_size(numbers)}"
    local = textwrap.fill(local, literals.WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
    template = "layer_of_any_size"
    return layer_text(sized[SIZES[0]], number, before[SIZES[0]], template, NUMBERS=local)


def _places_of_cells(lowered: Lowered) -> tuple[list[int], int]:
    """Return where each stage's rows are and the bytes of all, for each cell of the picture.

    A stage is in memory until the last layer that reads it, an output until the end.
    """
    end = len(lowered.layers)
    last = dict.fromkeys(lowered.ends, end)
    for number, sources in enumerate(lowered.sources, start=1):
        for source in sources:
            last[source.stage] = max(last.get(source.stage, 0), number)
    tensors = [lowered.graph.input, *(operator.output for operator in lowered.operators)]
    sizes = [-(-int(np.prod(tensor.shape)) // (np.prod(SIZES[0]) * ALIGNMENT)) * ALIGNMENT for tensor in tensors]
    buffers = {stage: Buffer(int(size), stage, stage, last[stage]) for stage, size in enumerate(sizes)}
    at = placed(buffers)
    return [at[stage] for stage in buffers], max(at[stage] + buffer.size for stage, buffer in buffers.items())


def _loops(lowered: Lowered) -> Iterator[str]:
    outputs, cells = _by_end(lowered), SIZES[0][0]
    for number, layer in enumerate(lowered.layers, start=1):
        yield f"    for (int y = 0; y < {layer.steps // cells} * finder_down; y++) row_of_layer_{number}(memory, y);"
    for stage, numbers in outputs.items():
        yield from (f"    copy_output(outputs, {output}, memory + ROWS_{stage});" for output in numbers)


def _by_end(lowered: Lowered) -> dict[int, list[int]]:
    """Return the numbers of the outputs that each stage makes."""
    return {stage: [k for k, end in enumerate(lowered.ends) if end == stage] for stage in lowered.ends}


def _code(lowered: Lowered, heading: Heading, parts: list[str]) -> str:
    head = kernel("head").replace('"digits.h"', '"finder.h"')
    return "\n\n".join([heading.comment, head, *kernels_of(lowered), *parts]) + "\n"


def _outputs(graph: Graph, contract: FinderContract) -> str:
    """Return the C table of the outputs, and the functions that find them."""
    strides = [stride for stride in contract.strides for _ in range(len(graph.outputs) // len(contract.strides))]
    facts = [
        literals.initialiser({
            "stride": stride, "channels": tensor.shape[2], "zero": tensor.zero_point + STORED,
            "scale": literals.number(tensor.scale),
        }).replace(literals.TOGETHER, " ")
        for stride, tensor in zip(strides, graph.outputs, strict=True)
    ]  # fmt: skip
    return fill(kernel("outputs"), {"FACTS": "\n".join(f"    {each}," for each in facts)})


def _header(lowered: Lowered, contract: FinderContract, heading: Heading, size: str, interface: str) -> str:
    graph = lowered.graph
    values = {
        "HEADING": heading.comment,
        "MODEL": literals.string(contract.name),
        "VERSION": literals.string(heading.version),
        "KERNELS": literals.string(heading.kernels),
        "SIZE": size,
        "CHANNELS": graph.input.shape[2],
        "OUTPUTS": len(graph.outputs),
        "OUTPUT_BYTES": _output_bytes(graph, contract),
        "THRESHOLD": literals.number(contract.threshold),
        "INTERFACE": interface,
    }
    return fill(kernel("finder.h"), values) + "\n"


def _output_bytes(graph: Graph, contract: FinderContract) -> str:
    """Return the C expression of the bytes of all outputs."""
    values = sum(int(np.prod(output.shape)) for output in graph.outputs)
    cell = contract.strides[-1]
    cells = graph.input.shape[0] * graph.input.shape[1] // cell**2
    return f"{values // cells} * (FINDER_HEIGHT / {cell}) * (FINDER_WIDTH / {cell})"
