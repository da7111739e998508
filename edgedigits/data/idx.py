"""The IDX format of the MNIST family, as http://yann.lecun.com/exdb/mnist/ describes it.

Two zero bytes, one for the type, one for the number of dimensions, then the size of each dimension as a
big-endian uint32, then the values in C order. Only unsigned bytes (type 8) are read, as all image sets are.
"""

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import DatasetInvalid

UNSIGNED_BYTE = 8


def parse_idx(content: bytes, source: str) -> NDArray[np.uint8]:
    """Return the array in `content`, the decompressed bytes of an IDX file, as a copy.

    Args:
        source: names the file in messages.

    Raises:
        DatasetInvalid: not IDX, another type than unsigned byte, or shorter or longer than its header says.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DatasetInvalid(f"{source}: expected an IDX file, which begins with two zero bytes, got {content[:4]!r}")
    kind, dimensions = content[2], content[3]
    if kind != UNSIGNED_BYTE:
        raise DatasetInvalid(f"{source}: expected IDX type 8 (unsigned byte), got {kind}")
    start = 4 + 4 * dimensions
    if dimensions == 0 or len(content) < start:
        raise DatasetInvalid(f"{source}: the IDX header of {dimensions} dimensions is cut short")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = math.prod(shape)
    if len(content) - start != expected:
        raise DatasetInvalid(
            f"{source}: expected {expected:,} bytes for an array of {list(shape)}, got {len(content) - start:,}"
        )
    values: NDArray[Any] = np.frombuffer(content, np.uint8, offset=start)
    return values.reshape(shape).copy()
