"""Export to a C array for TensorFlow Lite Micro: the `.tflite`, the operators to register and the arena's size."""

import re
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from edgedigits_exporters import FormatOptions
from edgedigits_exporters.microcontroller.parsing import load_model
from edgedigits_exporters.microcontroller.tflite_micro.arena import estimate_arena
from edgedigits_exporters.microcontroller.writing.project_files import fill_file
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import read_contract, strip_zip
from edgedigits_runtime.errors import ArtifactUnsupported, ContractMissing, ExportError
from edgedigits_runtime.untrusted.tflite_model import StoredModel

SUFFIX = "-c-array"
BYTES_A_LINE = 16
FILES = files("edgedigits_exporters.microcontroller.tflite_micro").joinpath("files")

_NAMES = """
    ABS ADD ADD_N ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_TO CAST CEIL
    CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV ELU EQUAL EXP EXPAND_DIMS
    FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH
    L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
    LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE
    REDUCE_MAX RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SELECT_V2 SHAPE SIN SLICE
    SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE
    SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV UNPACK ZEROS_LIKE
"""

WITH_KERNELS = frozenset(_NAMES.split())
"""Source: tensorflow/lite/micro/micro_mutable_op_resolver.h, without operators that have graphs or memory."""

IRREGULAR = {"BATCH_MATMUL": "AddBatchMatMul", "CUMSUM": "AddCumSum", "PADV2": "AddPadV2"}


@dataclass(frozen=True)
class ArrayOptions(FormatOptions):
    """Options of a C array for TensorFlow Lite Micro."""

    NEEDS_CONTRACT = False

    precision: str = "int8"

    def __post_init__(self) -> None:
        if self.precision != "int8":
            raise ExportError(f"expected --precision int8, since the array is an int8 model; got {self.precision}")


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
    prefix, arena, operators, lines = identifier(name), estimate_arena(stored), _operators(stored), _lines(contract)
    calls = (
        f"  if (resolver.{add_call(name)}() != kTfLiteOk) return kTfLiteError;  // version {number}"
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
    versions: dict[str, int] = {}
    for operator in stored.operators:
        if operator.name not in WITH_KERNELS:
            raise ArtifactUnsupported(
                f"{stored.source}: {operator.where} has no kernel in TensorFlow Lite Micro; replace the layer, or"
                " register your own kernel"
            )
        versions[operator.name] = max(operator.kind.version, versions.get(operator.name, 0))
    return versions


def add_call(name: str) -> str:
    """Return the MicroMutableOpResolver method that registers an operator, such as AddConv2D."""
    if name in IRREGULAR:
        return IRREGULAR[name]
    return "Add" + "".join(part if part == "2D" else part.capitalize() for part in name.split("_"))


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
    fed = "pixels divided by 255" if contract.normalisation == "unit" else "image columns scaled to unit length"
    lines = (
        f"Input: {_tensor(contract.input)}; {fed}, ink bright on dark",
        f"Output: {_tensor(contract.output)}; labels {' '.join(contract.labels)}",
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
