"""Measure an exported folder on an emulated core: exactness, memory and instructions."""

import re
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.emulated_cores.building import FOOTPRINT, SELFTEST, Built, DoesNotFit, Sizes, build
from benchmarks.emulated_cores.cores import Core
from benchmarks.emulated_cores.emulating import Ran, run
from edgedigits_runtime.errors import ArrayError, DeviceUnavailable, ExportError

IMAGES = "images.bin"
PREFIX = "edgedigits-"
SELFTEST_LINE, PASSED = "edgedigits selftest: ", "edgedigits selftest: pass"
# support/counter.h counts a loop of this many instructions (cycles) to check the counter; the calls add a few.
LOOP, LOOP_TOLERANCE = 1_000_000, 16
OVERFLOW = 2**32 - 1


@dataclass(frozen=True)
class Comparison:
    """The number of images, of int8 values that differ, and of images with such values."""

    images: int
    different_values: int
    different_images: int


@dataclass(frozen=True)
class Count:
    """The cost of one inference.

    Args:
        predict: instructions of digits_predict; on an AVR cycles of digits_predict_rows without those of the reader;
            None on a core without a counter.
        invoke: instructions of digits_invoke; None on an AVR and on a core without a counter.
        stack: most bytes below the caller's stack.
        scratch: DIGITS_SCRATCH_BYTES.
    """

    predict: int | None
    invoke: int | None
    stack: int
    scratch: int


def selftest(folder: Path, core: Core, optimisation: str = "", timeout: float = 60) -> Ran:
    """Run digits_selftest.c and return its line; see `passed`.

    Raises:
        DeviceUnavailable, DoesNotFit, ExportError: as `build` and `run`.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX) as into:
        ran = run(build(folder, core, SELFTEST, Path(into), optimisation), timeout)
    if SELFTEST_LINE not in ran.text:
        raise ExportError(f"the self-test on {core.name} did not print its line, but {ran.text!r}")
    return ran


def passed(ran: Ran) -> bool:
    """Return whether a self-test passed; an AVR has no exit code, so the line is checked too."""
    return ran.code == 0 and PASSED in ran.text


def footprint(folder: Path, core: Core, optimisation: str = "") -> Sizes:
    """Return the sizes of the classifier alone, without startup code and printing.

    `ram` is the scratch memory, a result and a picture; an AVR reads the picture row by row instead. A core with an
    operating system includes no library.

    Raises:
        DeviceUnavailable, DoesNotFit, ExportError: as `build`.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX) as into:
        return build(folder, core, FOOTPRINT, Path(into), optimisation).sizes


def count(folder: Path, core: Core, optimisation: str = "", timeout: float = 120) -> Count:
    """Count one inference of a drawn 7.

    Raises:
        DeviceUnavailable: the emulator miscounts a known loop; or as `build`.
        DoesNotFit, ExportError: as `build` and `run`.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX) as into:
        text = run(build(folder, core, "count", Path(into), optimisation), timeout, counting=True).text
    found = {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}
    if not {"stack", "scratch"} <= found.keys():
        raise ExportError(f"count on {core.name} printed no counts: {text!r}")
    if found["stack"] == OVERFLOW:
        raise ExportError(f"count on {core.name}: the stack needs more than the free memory")
    if abs(found.get("loop", LOOP) - LOOP) > LOOP_TOLERANCE:
        raise DeviceUnavailable(f"{core.emulator[0]} counted {found['loop']:,} {core.unit}, expected {LOOP:,}")
    return Count(found.get("predict"), found.get("invoke"), found["stack"], found["scratch"])


def compare(
    folder: Path,
    core: Core,
    inputs: NDArray[np.int8],
    outputs: NDArray[np.int8],
    optimisation: str = "",
    timeout: float = 600,
) -> Comparison:
    """Run digits_invoke on every input and count the differences from the expected outputs.

    Args:
        folder: an exported folder.
        core: one of CORES.
        inputs: int8 [n, ...], DIGITS_PIXELS each.
        outputs: int8 [n, classes], LiteRT's answers.
        timeout: seconds for each part; an AVR holds about 30 images at a time.

    Raises:
        ArrayError: not int8, different numbers of inputs and outputs, or none.
        DeviceUnavailable, DoesNotFit, ExportError: as `build` and `run`.
    """
    if inputs.dtype != np.int8 or outputs.dtype != np.int8 or not 0 < len(inputs) == len(outputs):
        raise ArrayError(
            f"expected int8 inputs and as many int8 outputs, got {inputs.dtype} {inputs.shape} "
            f"and {outputs.dtype} {outputs.shape}"
        )
    with tempfile.TemporaryDirectory(prefix=PREFIX) as place:
        into, parts = Path(place), []
        _write(into, inputs[:0], outputs[:0])
        at_once = _at_once(folder, core, inputs[0].size + outputs[0].size, into, optimisation) or len(inputs)
        for start in range(0, len(inputs), at_once):
            part = slice(start, start + at_once)
            _write(into, inputs[part], outputs[part])
            parts.append(_compared(build(folder, core, "compare", into, optimisation), timeout))
    return Comparison(*(sum(values) for values in zip(*parts, strict=True)))


def _at_once(folder: Path, core: Core, image_bytes: int, into: Path, optimisation: str) -> int | None:
    """Return the number of images that fit into the flash beside the program; None where they come from a file."""
    if core.flash is None:
        return None
    room = core.flash - build(folder, core, "compare", into, optimisation).sizes.flash
    if room < image_bytes:
        raise DoesNotFit(f"{core.name}: compare does not fit with an image of {image_bytes} bytes: {room} are free")
    return room // image_bytes


def _write(into: Path, inputs: NDArray[np.int8], outputs: NDArray[np.int8]) -> None:
    (into / IMAGES).write_bytes(struct.pack("<I", len(inputs)) + inputs.tobytes() + outputs.tobytes())


def _compared(built: Built, timeout: float) -> tuple[int, int, int]:
    text = run(built, timeout).text
    found = re.search(r"images (\d+) different_values (\d+) different_images (\d+)", text)
    if not found:
        raise ExportError(f"compare on {built.core.name} printed no counts: {text!r}")
    images, values, different = map(int, found.groups())
    return images, values, different
