"""Operators that map each value by itself, as a table of the 256 results."""

import ctypes
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import HIGHEST, LOWEST, Kernels
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Source, make_layer
from edgedigits_exporters.microcontroller.requantization import require_small

VALUES = np.arange(LOWEST, HIGHEST + 1)

LIBRARIES = {"linux": "libm.so.6", "win32": "ucrtbase"}
"""Files of the C library's mathematical functions; on other systems they are in every process."""

Floats = NDArray[np.float32]
Table = NDArray[np.int64]
"""The results for the values -128, -127, ..., [256]."""


def table_layer(operator: Operator, source: Source, table: Table) -> Layer | None:
    """Return an operator as C; None where every value stays as it is."""
    if np.array_equal(table, VALUES):
        return None
    _, width, channels = operator.output.shape
    return make_layer(
        operator, (source,), ("lookup",), "lookup",
        lambda place: {
            "length": width * channels, "input_rows": place.input_rows[0], "rows": place.rows,
            "table": f"table_{place.number}",
        },
        "lookup_row(layer, {input}, y, {output});",
        arrays=lambda place: [literals.array("uint8_t", f"table_{place.number}", table + STORED)],
    )  # fmt: skip


def table_of_function(operator: Operator, function: Callable[[Floats], Floats], kernels: Kernels) -> Table:
    """Return a table of a function of real values, with float32 at every step.

    Source: LUTPopulate in tensorflow/lite/kernels/internal/common.h; quantize in XNNPACK's
    src/xnnpack/reference-utils.h.

    Raises:
        ArtifactUnsupported: results too large to round.
    """
    (source, *_), output = operator.inputs, operator.output
    scale, inverse = np.float32(source.scale), np.float32(1) / np.float32(output.scale)
    with np.errstate(over="ignore"):
        steps = function(scale * (VALUES - source.zero_point).astype(np.float32)) * inverse
    require_small(operator, float(np.abs(steps).max()))
    if kernels == "xnnpack":
        results = np.rint(steps + np.float32(output.zero_point))
    else:
        whole = np.trunc(steps)
        results = whole + np.sign(steps) * (np.abs(steps - whole) >= 0.5) + output.zero_point
    clipped: Table = np.clip(results, LOWEST, HIGHEST).astype(np.int64)
    return clipped


def c_function(name: str) -> Callable[[Floats], Floats]:
    """Return a float32 function of this machine's C library, which LiteRT calls too.

    Libraries differ in the last bit, which changes a table in 1 of 10,000 cases.
    """
    function = getattr(ctypes.CDLL(LIBRARIES.get(sys.platform)), name)
    function.restype, function.argtypes = ctypes.c_float, (ctypes.c_float,)
    return lambda values: np.array([function(value) for value in values.tolist()], np.float32)
