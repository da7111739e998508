"""The text of digits.c: kernels, layers, the order of their rows, and the two functions that a user calls."""

from importlib.resources import files

import numpy as np

from edgedigits_exporters.microcontroller.planning.lowering import Program
from edgedigits_exporters.microcontroller.planning.memory import Plan
from edgedigits_exporters.microcontroller.writing import literals
from edgedigits_exporters.microcontroller.writing.confidence import confidence_text
from edgedigits_exporters.microcontroller.writing.pixels import pixel_kernels, pixels_text
from edgedigits_runtime.contract import Contract

KERNELS = files("edgedigits_exporters.microcontroller.writing").joinpath("kernels")


def source(program: Program, contract: Contract, heading: str) -> str:
    """Return digits.c; `heading` is its first comment."""
    wanted = [*(name for layer in program.layers for name in layer.kernels), *pixel_kernels(contract)]
    numbers = range(1, len(program.layers) + 1)
    parts = [
        heading,
        kernel("head"),
        kernel("target"),
        f"#define TALLEST_WINDOW {max([1, *(layer.window_height for layer in program.layers)])}",
        *(kernel(name) for name in dict.fromkeys(wanted)),
        _places(program),
        *(_layer(program, number) for number in numbers),
        _run(program),
        pixels_text(program.graph, contract),
        confidence_text(contract),
        kernel("predict"),
    ]
    return "\n\n".join(parts) + "\n"


def kernel(name: str, suffix: str = ".c") -> str:
    """Return the C text of a file under kernels/."""
    return KERNELS.joinpath(name + suffix).read_text().strip()


def _places(program: Program) -> str:
    return "\n".join(
        [
            "/* Where in the scratch memory the rows of each layer lie (0 is the input), and what else it needs. */",
            "#if LANES > 1",
            _enumeration(program, program.wide_plan),
            "#else",
            _enumeration(program, program.plan),
            "#endif",
        ]
    )


def _enumeration(program: Program, plan: Plan) -> str:
    together = literals.TOGETHER
    places = [f"ROWS_{number}{together}={together}{place}" for number, place in enumerate(plan.rows_at)]
    for number, layer in enumerate(program.layers, start=1):
        if layer.patch_bytes:
            places.append(f"PATCH_{number}{together}={together}{plan.patch_at[number]}")
        if layer.kept_bytes:
            places.append(f"KEPT_{number}{together}={together}{plan.kept_at[number]}")
    return f"enum {{\n{literals.lines(places)}\n}};"


def _layer(program: Program, number: int) -> str:
    layer = program.layers[number - 1]
    inputs = [f"memory + ROWS_{read.stage}" for read in program.sources[number - 1]]
    call = layer.call.format(
        input=inputs[0],
        inputs=", ".join(inputs),
        output=f"memory + ROWS_{number}",
        patch=f"memory + PATCH_{number}",
        kept=f"memory + KEPT_{number}",
    )
    return "\n".join(
        [
            literals.comment(f"Layer {number}. {layer.comment}."),
            layer.define(program.place(number)),
            "",
            f"static void row_of_layer_{number}(uint8_t *memory, int y)",
            "{",
            f"    USE({layer.structure}, layer_{number});",
            *(["    (void)y;"] if ", y," not in call else []),
            f"    {call}",
            "}",
        ]
    )


def _run(program: Program) -> str:
    layers = len(program.layers)
    cases = [f"        case {number}: row_of_layer_{number}(memory, y); break;" for number in range(1, layers + 1)]
    rows = f"memory + ROWS_0 + row_at(y, {program.plan.rows[0]}, DIGITS_WIDTH * DIGITS_CHANNELS)"
    return "\n".join(
        [
            literals.comment(
                "Which layer makes its next row, step by step: a row is made as late as possible, and is overwritten"
                " once nobody needs it any more."
            ),
            literals.array("uint8_t", "order", np.array(program.plan.order)),
            "",
            "/* Run the network on rows that `read` gives; the answer is in the scratch memory. */",
            "HOT static const uint8_t *run(digits_row_reader *read, void *context, uint8_t *memory)",
            "{",
            f"    int16_t made[{layers + 1}] = {{0}};",
            "",
            f"    for (unsigned i = 0; i < {len(program.plan.order)}; i++) {{",
            "        const uint8_t layer = READ_UINT8(order + i);",
            "        const int y = made[layer]++;",
            "        switch (layer) {",
            f"        case 0: read(context, y, {rows}); break;",
            *cases,
            "        default: break;",
            "        }",
            "    }",
            f"    return memory + ROWS_{layers};",
            "}",
        ]
    )
