"""The origin of a `.wasm` file: a custom section at its end names the `.tflite` file that it was compiled from.

A custom section is a name and bytes that engines skip: WebAssembly core specification, section 5.5.3.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.errors import ArtifactCorrupt

MAGIC = b"\0asm\1\0\0\0"
NAME = b"\x0aedgedigits"
"""Length and name. JSON escapes line breaks, so that this does not occur in the text behind it."""


@dataclass(frozen=True)
class Origin:
    """What a module was compiled from.

    Args:
        tflite: SHA-256 of the `.tflite` file, as hexadecimal digits.
        kernels: LiteRT's kernels whose rounding it has.
        compiler: clang's name and version.
    """

    tflite: str
    kernels: str
    compiler: str


def file_sha256(model: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    return hashlib.sha256(model.read_bytes()).hexdigest()


def with_origin(module: bytes, origin: Origin) -> bytes:
    """Return a module with its origin in a section at the end."""
    return module + _section(origin)


def read_origin(module: bytes, source: str) -> Origin:
    """Return the origin of a module; `source` names it in messages.

    Raises:
        ArtifactCorrupt: it is not WebAssembly, is damaged, or has no origin.
    """
    try:
        origin = Origin(**json.loads(module.rpartition(NAME)[2]))
    except (ValueError, TypeError) as error:
        raise ArtifactCorrupt(f"{source} does not name the model it was compiled from; build it again") from error
    if not (module.startswith(MAGIC) and module.endswith(_section(origin))):
        raise ArtifactCorrupt(f"{source} is damaged; build it again")
    return origin


def _section(origin: Origin) -> bytes:
    body = NAME + json.dumps(dataclasses.asdict(origin), sort_keys=True).encode()
    return b"\0" + _leb128(len(body)) + body


def _leb128(value: int) -> bytes:
    """Encode a whole number as WebAssembly does: seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
