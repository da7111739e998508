"""The text of digits.c: kernels, layers, the order of their rows, pixels, confidence and the public functions."""

from importlib.resources import files

import numpy as np

from edgedigits_exporters.microcontroller import frame_one, literals
from edgedigits_exporters.microcontroller.graph import Graph
from edgedigits_exporters.microcontroller.layer import STORED
from edgedigits_exporters.microcontroller.planning.lowering import Lowered, Program
from edgedigits_exporters.microcontroller.planning.memory import Plan
from edgedigits_runtime.classifier import LEAST_CONTRAST, ROUGHEST
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.preprocessing import (
    SMALLEST_PROBABILITY,
    apply_temperature,
    normalise,
    probabilities_of,
    quantize,
)
from edgedigits_runtime.templates import fill

PACKAGE = files("edgedigits_exporters.microcontroller")
FOLDERS = ("operators", "operators/shared", "writing/frame", "writing/finder")
"""Folders of the C files."""

WEIGHT_OF_ONE = 65535
"""Weight of the probability 1 in the table of confidences, which are exact to about 0.0001."""


def digits_c(program: Program, contract: Contract, heading: str, frame: str = "none") -> str:
    """Return digits.c; `heading` is its first comment, `frame` see COptions."""
    parts = [
        heading,
        kernel("head"),
        *kernels_of(program, *_pixel_kernels(contract)),
        places(program),
        *layers_of(program),
        _run(program),
        _pixels(program.graph, contract),
        _confidence(contract),
        *_predict(contract),
        *(() if frame == "none" else [frame_one_c()]),
        "/* NOLINTEND(bugprone-easily-swappable-parameters) */",
    ]
    return "\n\n".join(parts) + "\n"


def frame_one_c() -> str:
    """Return the C code of digits_read."""
    values = {
        "CELLS": frame_one.CELLS,
        "MARKS": frame_one.MOST_MARKS,
        "REACH": frame_one.REACH,
        "CONTRAST": frame_one.LEAST_CONTRAST,
        "INK": frame_one.INK_SHARE,
        "GROUND": frame_one.GROUND_SHARE,
        "NOISE": frame_one.CONTRAST_TO_NOISE,
        "JOINED": frame_one.JOINED_SHARE,
        "SIDE": frame_one.LEAST_SIDE,
    }
    return fill(kernel("one"), values)


def kernels_of(program: Lowered, *others: str) -> list[str]:
    """Return the C code that the layers of a program call, and that of other files."""
    wanted = [*(name for layer in program.layers for name in layer.kernels), *others]
    tallest = max([1, *(layer.window_height for layer in program.layers)])
    return [kernel("target"), f"#define TALLEST_WINDOW {tallest}", *(kernel(name) for name in dict.fromkeys(wanted))]


def places(program: Program) -> str:
    """Return the C constants of the places in the scratch memory."""
    plans = {"WIDE": program.wide_plan, "NARROW": program.plan}
    return fill(kernel("places"), {name: _places(program, plan) for name, plan in plans.items()})


def layers_of(program: Program) -> list[str]:
    """Return the C code of each layer: its numbers, and the function that computes a row."""
    return [
        layer_text(program, number, layer.define(program.place(number)))
        for number, layer in enumerate(program.layers, start=1)
    ]


def kernel(name: str) -> str:
    """Return the text of a C file by its name, without `.c` or with `.h`."""
    file = name if name.endswith(".h") else f"{name}.c"
    paths = (PACKAGE.joinpath(folder, file) for folder in FOLDERS)
    return next(path for path in paths if path.is_file()).read_text().strip()


def _places(program: Program, plan: Plan) -> str:
    together = literals.TOGETHER
    places = [f"ROWS_{number}{together}={together}{place}" for number, place in enumerate(plan.rows_at)]
    for number, layer in enumerate(program.layers, start=1):
        if layer.patch_bytes:
            places.append(f"PATCH_{number}{together}={together}{plan.patch_at[number]}")
        if layer.kept_bytes:
            places.append(f"KEPT_{number}{together}={together}{plan.kept_at[number]}")
    return f"enum {{\n{literals.lines(places)}\n}};"


def layer_text(program: Lowered, number: int, definition: str, template: str = "layer", **marks: str) -> str:
    """Return the C code of a layer, from 1, with this definition of its numbers; `marks` are the template's own."""
    layer = program.layers[number - 1]
    inputs = [f"memory + ROWS_{read.stage}" for read in program.sources[number - 1]]
    call = layer.call.format(
        input=inputs[0],
        inputs=", ".join(inputs),
        output=f"memory + ROWS_{number}",
        patch=f"memory + PATCH_{number}",
        kept=f"memory + KEPT_{number}",
    )
    values = {
        "COMMENT": literals.comment(f"Layer {number}. {layer.comment}."),
        "DEFINITION": definition,
        "NUMBER": number,
        "STRUCTURE": layer.structure,
        "UNUSED": "" if ", y," in call else "    (void)y;\n",
        "CALL": call,
        **marks,
    }
    return fill(kernel(template), values)


def _run(program: Program) -> str:
    layers = len(program.layers)
    cases = (f"        case {number}: row_of_layer_{number}(memory, y); break;" for number in range(1, layers + 1))
    values = {
        "ORDER": literals.array("uint8_t", "order", np.array(program.plan.order)),
        "STAGES": layers + 1,
        "STEPS": len(program.plan.order),
        "ROWS": program.plan.rows[0],
        "CASES": "\n".join(cases),
        "LAYERS": layers,
    }
    return fill(kernel("run"), values)


def _pixel_kernels(contract: Contract) -> tuple[str, ...]:
    return ("limited", "round_xnnpack") if contract.normalisation == "column-l2" else ()


def _pixels(graph: Graph, contract: Contract) -> str:
    """Return the C code that converts a row of pixels to stored values, as edgedigits_runtime.preprocessing does."""
    if contract.normalisation == "column-l2":
        values = {
            "SCALE": literals.number(graph.input.scale),
            "ZERO": graph.input.zero_point + STORED,
            "INK": "255 - row[i]" if contract.polarity == "dark-on-bright" else "row[i]",
        }
        return fill(kernel("pixels_column_l2"), values)
    channels = graph.input.shape[2]
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 256, 1, 1).repeat(channels, axis=3)
    tensor = Tensor("input", (), "int8", graph.input.scale, graph.input.zero_point)
    real = normalise(pixels, contract.normalisation, contract.polarity)
    stored = quantize(real, tensor)[0, :, 0].astype(np.int16).T + STORED
    if (stored == np.arange(256)).all():
        return kernel("pixels_unchanged")
    at = "row[i]"
    if (stored != stored[0]).any():
        at = "256 * (i % DIGITS_CHANNELS) + row[i]"
    else:
        stored = stored[:1]
    table = literals.array("uint8_t", "stored_pixels", stored.ravel())
    return f"{table}\n\n{fill(kernel('pixels_by_table'), {'AT': at})}"


def _confidence(contract: Contract) -> str:
    """Return the labels, the rejection threshold, and how stored outputs become a label and a confidence."""
    labels = ", ".join(literals.string(label) for label in contract.labels)
    parts = (
        f"const char *const digits_labels[DIGITS_CLASSES] = {{{labels}}};",
        _weights(contract),
        f"static const float rejection_threshold = {literals.number(contract.rejection_threshold)};",
    )
    return "\n\n".join(parts)


def _predict(contract: Contract) -> list[str]:
    """Return the public functions; for digits, with what refuses blank pictures, as blank.are_blank does."""
    if contract.reader != "digits":
        return [fill(kernel("predict"), {"WATCH": "", "READER": "read, context", "REFUSE": ""})]
    share, of = ROUGHEST
    watch = "    watched_picture seen = {.read = read, .context = context};\n"
    refuse = "    if (is_blank(&seen)) {\n        result->confidence = 0;\n        result->accepted = false;\n    }\n"
    return [
        fill(kernel("blank"), {"CONTRAST": LEAST_CONTRAST, "SHARE": share, "OF": of}),
        fill(kernel("predict"), {"WATCH": watch, "READER": "watched_row, &seen", "REFUSE": refuse}),
    ]


def _weights(contract: Contract) -> str:
    """Return a table and the functions that use it, for each kind of output.

    They compute what preprocessing.probabilities_of and apply_temperature do.
    """
    tensor, temperature = contract.output, contract.temperature
    # All outputs take part in the softmax; only the labels can be the answer.
    count = {"COUNT": "DIGITS_OUTPUTS" if contract.non_digit else "DIGITS_CLASSES"}
    assert tensor.scale is not None and tensor.zero_point is not None
    values = (np.arange(256) - STORED - tensor.zero_point) * tensor.scale
    if contract.output_kind in ("logits", "log-probabilities"):
        comment = "The weight of a class by its stored output's distance from the largest, e^(-distance / temperature)."
        table = np.maximum(np.exp(-np.arange(256) * tensor.scale), SMALLEST_PROBABILITY) ** (1 / temperature)
        name = "confidence_of_logits_and_non_digit" if contract.non_digit else "confidence_of_logits"
        parts = ["weight_of_distance", kernel("likeliest"), kernel(name)]
    elif contract.output_kind == "sigmoid":
        comment = "The confidence of each stored output."
        pairs = probabilities_of(values.astype(np.float32), "sigmoid")
        table = apply_temperature(pairs, temperature, contract.probability_step).max(axis=1)
        half = np.count_nonzero(pairs[:, 1] <= pairs[:, 0]) - 1
        parts = ["confidence_of_output", fill(kernel("confidence_of_sigmoid"), {"HALF": half})]
    elif contract.output_kind == "sigmoids":
        # As float, since all outputs may be small. A stored zero counts as half a step, as in probabilities_of.
        table = np.maximum(values, tensor.scale / 2) ** (1 / temperature)
        array = literals.array("float", "weight_of_output", table.astype(np.float32))
        comment = "The weight of a class by its stored output, to the power of 1 / temperature."
        table_text = f"{literals.comment(comment)}\n{array}"
        return "\n\n".join([table_text, kernel("likeliest"), fill(kernel("confidence_of_sigmoids"), count)])
    else:
        comment = "The probability of each stored output to the power of 1 / temperature."
        # A stored zero counts as half a step, as in apply_temperature.
        floor = max(tensor.scale / 2, SMALLEST_PROBABILITY)
        table = np.clip(values, floor, 1) ** (1 / temperature)
        parts = ["weight_of_output", kernel("likeliest"), fill(kernel("confidence_of_probabilities"), count)]
    name, *functions = parts
    stored = np.asarray(np.rint(WEIGHT_OF_ONE * table), np.uint16)
    array = literals.array("uint16_t", name, stored)
    unit = f"In units of 1 / {WEIGHT_OF_ONE}."
    return "\n\n".join([f"{literals.comment(f'{comment} {unit}')}\n{array}", *functions])
