"""The text of digits.h: the public functions, and the contract as comments and constants."""

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.planning.lowering import Program
from edgedigits_exporters.microcontroller.writing.digits_c import kernel
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.templates import fill


def digits_h(program: Program, contract: Contract, heading: str, version: str, frame: str = "none") -> str:
    """Return digits.h; `heading` is its first comment, `frame` see COptions."""
    graph, twice = program.graph, contract.normalisation == "column-l2"
    height, width, channels = graph.input.shape
    constants = {
        "HEADING": heading,
        "MODEL": literals.string(contract.name),
        "VERSION": literals.string(version),
        "KERNELS": literals.string(contract.kernels or ""),
        "HEIGHT": height,
        "WIDTH": width,
        "CHANNELS": channels,
        "INK": ", ink bright on dark" if contract.reader == "digits" else "",
        "BLANK": "; 0 for a blank picture or noise" if contract.reader == "digits" else "",
        "KIND": "probability of the second label" if contract.output_kind == "sigmoid" else contract.output_kind,
        "CLASSES": len(contract.labels),
        "OUTPUTS": _outputs(contract),
        "INPUT_SCALE": literals.number(graph.input.scale),
        "INPUT_ZERO": graph.input.zero_point,
        "OUTPUT_SCALE": literals.number(graph.output.scale),
        "OUTPUT_ZERO": graph.output.zero_point,
        "CONTRACT": literals.comment(". ".join(contract_lines(program, contract)) + "."),
        "WIDE_SCRATCH": program.wide_plan.size,
        "SCRATCH": program.plan.size,
        "READ": "" if frame == "none" else f"{kernel(f'{frame}.h')}\n\n",
        "ROWS": "twice for rows 0, 1, ..." if twice else "for rows 0, 1, ...",
    }
    return fill(kernel("digits.h"), constants) + "\n"


def _outputs(contract: Contract) -> str:
    if contract.output_kind == "sigmoid":
        return "1"
    return "(DIGITS_CLASSES + 1)" if contract.non_digit else "DIGITS_CLASSES"


def contract_lines(program: Program, contract: Contract) -> list[str]:
    """Return the properties of the model that a user needs, a line each."""
    accuracy = contract.accuracy
    measured = (
        f"{accuracy['top1']:.2%} of {accuracy['images']} images of {accuracy['dataset']}" if accuracy else "unknown"
    )
    return [
        f"Multiply-accumulates: {program.graph.multiply_accumulates:,}",
        f"Accuracy of the int8 model: {measured}",
        f"Normalisation: {contract.normalisation}"
        + (", of inverted pixels" if contract.polarity == "dark-on-bright" else ""),
        f"Labels: {', '.join(contract.labels)}"
        + (". The last output, after those of the labels, is that of a non-digit" if contract.non_digit else ""),
        f"Temperature of the confidence: {contract.temperature:.4g}",
        f"Rejection threshold: {contract.rejection_threshold:.4g}",
    ]
