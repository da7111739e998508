"""The golden vectors as C: what digits_selftest.c replays."""

import textwrap

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.writing.literals import WIDTH
from edgedigits_runtime.templates import fill


def golden_text(template: str, pictures: NDArray[np.uint8], outputs: NDArray[np.int8], kernels: str) -> str:
    """Return golden.h.

    Args:
        template: project/golden.h.
        pictures: uint8 [n, height, width, channels], framed.
        outputs: int8 [n, classes], what LiteRT answered.
        kernels: whose rounding that was.
    """
    return fill(
        template,
        {
            "KERNELS": kernels,
            "COUNT": len(pictures),
            "PICTURES": _lines(pictures),
            "OUTPUTS": _lines(outputs),
        },
    )


def _lines(values: NDArray[np.generic]) -> str:
    written = ", ".join(map(str, values.ravel().tolist()))
    return textwrap.fill(written, WIDTH, initial_indent="    ", subsequent_indent="    ")
