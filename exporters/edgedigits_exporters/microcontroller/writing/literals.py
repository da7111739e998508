"""Numbers as C writes them."""

import re
import textwrap

import numpy as np
from numpy.typing import ArrayLike

WIDTH = 116

TOGETHER = "\N{NO-BREAK SPACE}"


def number(value: float | np.floating) -> str:
    """Return a float32 constant; nine digits give back every one exactly."""
    digits = f"{np.float32(value):.9g}"
    return f"{digits}f" if any(mark in digits for mark in ".en") else f"{digits}.0f"


def array(kind: str, name: str, values: ArrayLike, spare: str = "") -> str:
    """Return the definition of a constant array; `kind` is its C type, `spare` how many zeros follow, in C."""
    flat = np.asarray(values).ravel().tolist()
    written = [number(value) if kind == "float" else str(value) for value in flat]
    size = f"{len(flat)} + {spare}" if spare else str(len(flat))
    return f"static const {kind} {name}[{size}] FLASH = {{\n{lines(written)}}};"


def array_bytes(text: str) -> int:
    """Return the bytes of all arrays that `array` has written into a C text."""
    sizes = {"int8_t": 1, "uint8_t": 1, "uint16_t": 2, "int32_t": 4, "float": 4, "double": 8}
    found = re.findall(r"^static const (\w+) \w+\[(\d+)[^]]*\] FLASH", text, re.MULTILINE)
    return sum(sizes[kind] * int(count) for kind, count in found)


def structure(kind: str, name: str, fields: dict[str, str]) -> str:
    """Return the definition of a constant structure, with its fields by name."""
    return f"static const {kind} {name} FLASH = {{\n{lines([initialiser(fields)[1:-1]])}}};"


def initialiser(fields: dict[str, str]) -> str:
    """Return the initialiser of a structure, with its fields by name; for `lines`, which will not break at a `=`."""
    return "{" + ", ".join(f".{field}{TOGETHER}={TOGETHER}{value}" for field, value in fields.items()) + "}"


def lines(parts: list[str]) -> str:
    """Return parts with commas between them in indented lines; TOGETHER becomes a space that no line ends at."""
    filled = textwrap.fill(
        ", ".join(parts), WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )
    return filled.replace(TOGETHER, " ")


def string(text: str) -> str:
    """Return a string constant: UTF-8, with escapes for what C or an editor would take otherwise."""
    plain = set(b" !#$%&'()*+,-./0123456789:;<=>@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~")
    # Three octal digits end an escape whatever follows.
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'


def comment(text: str) -> str:
    """Return a comment in lines; nothing in `text` can end it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text).replace("*/", "* /")
    return textwrap.fill(f"/* {printable} */", WIDTH, subsequent_indent="   ", break_on_hyphens=False)
