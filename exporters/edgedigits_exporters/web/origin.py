"""What a `.wasm` file says about itself: which `.tflite` it was made of, in a custom section.

A custom section is a name and bytes that engines skip: WebAssembly core specification, section 5.5.3.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.errors import ArtifactCorrupt

MAGIC = b"\0asm\1\0\0\0"
SECTION = b"edgedigits"
CUSTOM = 0


@dataclass(frozen=True)
class Origin:
    """What a module was made of.

    Args:
        tflite: SHA-256 of the `.tflite` file, as hexadecimal digits.
        kernels: of LiteRT, whose rounding it has.
        compiler: clang's name and version.
    """

    tflite: str
    kernels: str
    compiler: str


def fingerprint(model: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    return hashlib.sha256(model.read_bytes()).hexdigest()


def with_origin(module: bytes, origin: Origin) -> bytes:
    """Return a module with a section behind it that tells its origin."""
    told = json.dumps(dataclasses.asdict(origin), sort_keys=True).encode()
    body = _leb128(len(SECTION)) + SECTION + told
    return module + bytes([CUSTOM]) + _leb128(len(body)) + body


def read_origin(module: bytes, source: str) -> Origin:
    """Return what a module was made of; `source` names it in messages.

    Raises:
        ArtifactCorrupt: no WebAssembly, damaged, or it does not tell.
    """
    try:
        told = next(body for name, body in _custom_sections(module) if name == SECTION)
        return Origin(**json.loads(told))
    except (StopIteration, IndexError, ValueError, TypeError) as error:
        raise ArtifactCorrupt(f"{source} does not say which model it was made of; build it again") from error


def _custom_sections(module: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the content of each custom section."""
    if not module.startswith(MAGIC):
        raise ValueError("no WebAssembly module of version 1")
    at = len(MAGIC)
    while at < len(module):
        kind = module[at]
        size, start = _read_leb128(module, at + 1)
        at = start + size
        if at > len(module):
            raise ValueError("cut off")
        if kind == CUSTOM:
            length, name = _read_leb128(module, start)
            yield module[name : name + length], module[name + length : at]


def _leb128(value: int) -> bytes:
    """Write a whole number as WebAssembly does: seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _read_leb128(module: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at`, and where it ends."""
    value = shift = 0
    while True:
        byte = module[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
