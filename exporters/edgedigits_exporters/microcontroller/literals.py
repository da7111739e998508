"""Numbers, texts and structures as C source."""

import re
import textwrap
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

WIDTH = 116

TOGETHER = "\N{NO-BREAK SPACE}"


def number(value: float | np.floating) -> str:
    """Return a float32 constant; nine digits restore every float32 exactly."""
    digits = f"{np.float32(value):.9g}"
    return f"{digits}f" if any(mark in digits for mark in ".en") else f"{digits}.0f"


def array(kind: str, name: str, values: ArrayLike, spare: str = "") -> str:
    """Return the definition of a constant array; `kind` is its C type, `spare` the number of extra zeros, in C."""
    flat = np.asarray(values).ravel().tolist()
    written = [number(value) if kind == "float" else str(value) for value in flat]
    size = f"{len(flat)} + {spare}" if spare else str(len(flat))
    return f"static const {kind} {name}[{size}] FLASH = {{\n{lines(written)}}};"


def array_bytes(text: str) -> int:
    """Return the bytes of all arrays that `array` wrote into a C text."""
    sizes = {"int8_t": 1, "uint8_t": 1, "uint16_t": 2, "int32_t": 4, "float": 4, "double": 8}
    found = re.findall(r"^static const (\w+) \w+\[(\d+)[^]]*\] FLASH", text, re.MULTILINE)
    return sum(sizes[kind] * int(count) for kind, count in found)


def structure(kind: str, name: str, fields: Mapping[str, object]) -> str:
    """Return the definition of a constant structure, with its fields by name."""
    return f"static const {kind} {name} FLASH = {{\n{lines([initialiser(fields)[1:-1]])}}};"


def initialiser(fields: Mapping[str, object]) -> str:
    """Return the initialiser of a structure, with its fields by name; `lines` does not break it at a `=`."""
    return "{" + ", ".join(f".{field}{TOGETHER}={TOGETHER}{value}" for field, value in fields.items()) + "}"


def lines(parts: list[str]) -> str:
    """Return parts with commas between them in indented lines; TOGETHER becomes a space without a line break."""
    filled = textwrap.fill(
        ", ".join(parts), WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )
    return filled.replace(TOGETHER, " ")


def string(text: str) -> str:
    """Return a string constant: UTF-8, with escapes for all but plain ASCII."""
    plain = set(b" !#$%&'()*+,-./0123456789:;<=>@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~")
    # An escape of three octal digits cannot absorb the next letter.
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'


def comment(text: str) -> str:
    """Return a comment of several lines; `text` cannot end it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text).replace("*/", "* /")
    return textwrap.fill(f"/* {printable} */", WIDTH, subsequent_indent="   ", break_on_hyphens=False)
