"""A small finder with random weights, as the finder's int8 file is."""

from pathlib import Path

from edgedigits_runtime.embedded_contract import append_zipped
from edgedigits_runtime.finder_contract import FinderContract
from edgedigits_runtime.reading.found import STRIDES
from tests.support.quantized_graphs import tflite_of
from tests.support.random_graphs import random_finder

SIZE = (64, 96)
"""Height and width in the file."""


def write_small_finder(path: Path, seed: int = 0) -> Path:
    """Write the `.tflite` file."""
    contract = FinderContract("small", STRIDES, 320, 0.3, "tflite", "int8")
    path.write_bytes(append_zipped(tflite_of(random_finder(seed, SIZE)), contract))
    return path
