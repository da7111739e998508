"""Export to a C array for TensorFlow Lite Micro: the `.tflite`, the operators to register and the arena's size."""

import re
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from edgedigits_exporters import FormatOptions
from edgedigits_exporters.microcontroller.parsing import load_model
from edgedigits_exporters.microcontroller.tflite_micro.arena import estimate_arena
from edgedigits_exporters.microcontroller.tflite_micro.kernels import COMMIT, DATE, KERNELS
from edgedigits_exporters.microcontroller.writing.project_files import fill_file
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import read_contract, strip_zip
from edgedigits_runtime.errors import ArtifactUnsupported, ContractMissing, ExportError
from edgedigits_runtime.untrusted.tflite_model import StoredModel, StoredOperator, data_of, is_hybrid, precision_of

SUFFIX = "-c-array"
BYTES_A_LINE = 16
FILES = files("edgedigits_exporters.microcontroller.tflite_micro").joinpath("files")

PRECISIONS = ("int8", "float32")
"""For which TensorFlow Lite Micro has kernels, of those that the converter makes."""

FED = {"unit": "pixels divided by 255", "column-l2": "image columns scaled to unit length"}

ADVICE = "export the model with --precision int8 or float32"


@dataclass(frozen=True)
class ArrayOptions(FormatOptions):
    """Options of a C array for TensorFlow Lite Micro."""

    NEEDS_CONTRACT = False

    precision: str = "int8"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ExportError(
                f"expected --precision {' or '.join(PRECISIONS)}; got {self.precision}: TensorFlow Lite Micro has no"
                " kernels for float16 weights, nor for int8 weights with float activations (dynamic)"
            )


OPTIONS = ArrayOptions


def export(model: Path, path: Path, options: ArrayOptions) -> Path:
    """Write a folder with a `.tflite` file as a C array; see edgedigits_exporters.Format.

    Raises:
        ArtifactError: the file cannot be used, or TensorFlow Lite Micro has no kernel for an operator.
        OutputNotWritable: the folder exists or cannot be written.
    """
    contract = options.contract or _contract_of(model)
    name = contract.name if contract else model.stem
    return write_folder(path, array_files(model.read_bytes(), name, contract))


def compare(*_: object) -> None:
    """Compare nothing: the array is the `.tflite` file, unchanged."""


def array_files(content: bytes, name: str, contract: Contract | None) -> dict[str, str]:
    """Return the text of each file by its name.

    Args:
        content: a `.tflite` file; the array leaves out a contract behind it.
        name: of the model.
        contract: for comments; None for a foreign file.

    Raises:
        ArtifactCorrupt: not a TFLite file, or a damaged one.
        ArtifactUnsupported: several graphs, a dynamic shape, or an operator without a kernel.
    """
    stored, model = load_model(content, name), strip_zip(content)
    prefix, operators, arena = identifier(name), _operators(stored), estimate_arena(stored)
    lines = (*_lines(contract), f"Precision: {precision_of(stored)}")
    calls = (
        f"  if (resolver.{KERNELS[name][0]}() != kTfLiteOk) return kTfLiteError;  // version {number}"
        for name, number in operators.items()
    )
    marks = {
        "NAME": _comment(name),
        "PREFIX": prefix,
        "GUARD": prefix.upper(),
        "CONTRACT": "\n".join(f"- {line}" for line in lines),
        "LENGTH": len(model),
        "BYTES": _bytes(model),
        "COUNT": len(operators),
        "CALLS": "\n".join(calls),
        "ARENA": arena.total,
        "ACTIVATIONS": arena.activations,
        "STRUCTURES": arena.structures,
        "SCRATCH": arena.scratch,
        "COMMIT": f"{COMMIT[:12]} ({DATE})",
    }
    used = ", ".join(f"{name} (version {number})" for name, number in operators.items())
    headings = {
        "model.h": _heading(name, " as a C array for TensorFlow Lite Micro.", *lines, f"Operators: {used}"),
        "model.c": _heading(name, f": {len(model)} bytes of a .tflite file."),
        "ops.h": _heading(name, ": the operators that it uses, and no others."),
    }
    return {
        **{f"{prefix}_{file}": fill_file(file, {**marks, "HEADING": headings[file]}, FILES) for file in headings},
        "README.md": fill_file("README.md", marks, FILES),
    }


def identifier(name: str) -> str:
    """Return a name as a C identifier: letters, digits and underscores, in lower case."""
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return word if word[:1].isalpha() else f"model_{word}".rstrip("_")


def _contract_of(model: Path) -> Contract | None:
    try:
        return read_contract(model)
    except ContractMissing:
        return None


def _operators(stored: StoredModel) -> dict[str, int]:
    """Return each operator with its highest version.

    Raises:
        ArtifactUnsupported: TensorFlow Lite Micro has no kernel for one, or none for its types.
    """
    missing = dict.fromkeys(operator.name for operator in stored.operators if operator.name not in KERNELS)
    if missing:
        raise ArtifactUnsupported(
            f"{stored.source}: TensorFlow Lite Micro has no kernel for {', '.join(missing)}; replace the layers, or"
            " register your own kernels"
        )
    versions: dict[str, int] = {}
    for operator in stored.operators:
        if problem := _type_problem(stored, operator):
            raise ArtifactUnsupported(f"{stored.source}: {operator.where} {problem}")
        versions[operator.name] = max(operator.kind.version, versions.get(operator.name, 0))
    return versions


def _type_problem(stored: StoredModel, operator: StoredOperator) -> str:
    if is_hybrid(stored, operator):
        return f"has float32 activations and int8 weights, for which TensorFlow Lite Micro has no kernel; {ADVICE}"
    data, (_, types) = data_of(stored, operator), KERNELS[operator.name]
    if data is None or not types or data.dtype in types:
        return ""
    taken = ", ".join(sorted(map(str.lower, types)))
    return f"computes on {data.dtype.lower()}, TensorFlow Lite Micro's kernel takes {taken}; {ADVICE}"


def _bytes(model: bytes) -> str:
    rows = (model[start : start + BYTES_A_LINE] for start in range(0, len(model), BYTES_A_LINE))
    return "\n".join("    " + ", ".join(f"0x{value:02x}" for value in row) + "," for row in rows)


def _heading(name: str, first: str, *others: str) -> str:
    rest = "".join(f"\n   {line}" for line in others)
    return f"/* {_comment(name)}{first}\n   Made by edgedigits {version('edgedigits')}.{rest} */"


def _lines(contract: Contract | None) -> tuple[str, ...]:
    if contract is None:
        return ("It has no contract: see its source for the format of its input.",)
    accuracy = contract.accuracy
    measured = "not measured"
    if accuracy and {"top1", "images", "dataset"} <= set(accuracy):
        measured = f"{float(accuracy['top1']):.2%} of {accuracy['images']} images of {accuracy['dataset']}"
    fed = FED.get(str(contract.normalisation), f"{contract.normalisation}, for pixels 0 to 255")
    layout = "" if contract.layout == "NHWC" else f", {contract.layout}"
    lines = (
        f"Input: {_tensor(contract.input)}{layout}; {fed}, ink {contract.polarity.replace('-', ' ')}",
        f"Output: {contract.output_kind}, {_tensor(contract.output)}; labels {' '.join(contract.labels)}"
        + (", then a non-digit" if contract.non_digit else ""),
        f"Confidence: softmax temperature {contract.temperature:g}, reject below {contract.rejection_threshold:g}",
        f"Accuracy: {measured}",
    )
    return tuple(_comment(line) for line in lines)


def _tensor(tensor: Tensor) -> str:
    shape = f"{tensor.dtype} {list(tensor.shape)}"
    if tensor.scale is None:
        return shape
    return f"{shape}, real = (stored - {tensor.zero_point}) * {tensor.scale:.9g}".replace("- -", "+ ")


def _comment(text: str) -> str:
    """Return a text that cannot end a comment or a line."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return printable.replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /")
