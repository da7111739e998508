"""Write the table of TensorFlow Lite Micro's operators: python -m benchmarks.tflm_operators CHECKOUT COMMIT DATE

CHECKOUT is a folder with the files of https://github.com/tensorflow/tflite-micro at COMMIT, of DATE. The operators and
their methods are those of micro_mutable_op_resolver.h. The types are those that a kernel's functions name, and the
functions that they call in the same file and its _common.cc; a kernel that names no type of numbers takes any.
"""

import hashlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from edgedigits_runtime.untrusted.tflite_schema import OPERATOR_NAMES

HEADER = "tensorflow/lite/micro/micro_mutable_op_resolver.h"
KERNELS = "tensorflow/lite/micro/kernels"
TABLE = Path(__file__).parents[1] / "exporters/edgedigits_exporters/microcontroller/tflite_micro/kernels.py"

METHOD = re.compile(r"TfLiteStatus (Add\w+)\((?:(?!TfLiteStatus).)*?AddBuiltin\(\s*BuiltinOperator_(\w+),", re.S)
FUNCTION = re.compile(r"^[\w:<>*&\s]*?\b(\w+)\([^;{}]*\)\s*\{(.*?)^\}", re.M | re.S)
TYPES = {"Float32": "FLOAT32", "Int8": "INT8", "Int16": "INT16", "Int32": "INT32", "UInt8": "UINT8", "Bool": "BOOL"}

TEXT = '''"""Kernels of TensorFlow Lite Micro; written by python -m benchmarks.tflm_operators.

From {header} of tensorflow/tflite-micro, and the kernels beside it.
"""

from collections.abc import Mapping

COMMIT = "{commit}"
DATE = "{date}"
HEADER_SHA256 = "{digest}"

KERNELS: Mapping[str, tuple[str, frozenset[str]]] = {{
    name: (method, frozenset(types.split()))
    for name, method, types in (
{rows}
    )
}}
"""By operator: the method of MicroMutableOpResolver that adds it, and the types of its kernel; empty for any."""
'''


def methods_of(header: str) -> dict[str, str]:
    """Return the method of each builtin operator; methods of custom operators are left out."""
    return {name: method for method, name in METHOD.findall(header) if name in OPERATOR_NAMES}


def types_of(name: str, sources: Iterable[str]) -> set[str]:
    """Return the types that the kernel of an operator names; empty if it names no type of numbers.

    Args:
        name: of the operator.
        sources: a kernel's file, with its common one, for each kernel.
    """
    for source in sources:
        functions: dict[str, str] = {}
        for function, body in FUNCTION.findall(source):
            functions[function] = functions.get(function, "") + body
        if f"Register_{name}" in functions:
            found = set(re.findall(r"\bkTfLite(\w+)", _reached(f"Register_{name}", functions)))
            types = {TYPES[word] for word in found & TYPES.keys()}
            return types if types & {"FLOAT32", "INT8", "BOOL"} else set()
    raise ValueError(f"no kernel registers {name}")


def _reached(first: str, functions: dict[str, str]) -> str:
    """Return the bodies of a function and of all that it names."""
    waiting, seen, text = [first], {first}, ""
    while waiting:
        body = functions[waiting.pop()]
        text += body
        named = set(re.findall(r"\w+", body)) & functions.keys() - seen
        seen |= named
        waiting += named
    return text


def main(checkout: str, commit: str, date: str) -> None:
    header = (Path(checkout) / HEADER).read_bytes()
    paths = [path for path in sorted((Path(checkout) / KERNELS).glob("*.cc")) if not path.stem.endswith("_test")]
    texts = {path.stem: path.read_text() for path in paths}
    sources = [text + texts.get(f"{stem}_common", "") for stem, text in texts.items()]
    rows = [
        f'        ("{name}", "{method}", "{" ".join(sorted(types_of(name, sources)))}"),'
        for name, method in sorted(methods_of(header.decode()).items())
    ]
    digest = hashlib.sha256(header).hexdigest()
    TABLE.write_text(TEXT.format(header=HEADER, commit=commit, date=date, digest=digest, rows="\n".join(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
