"""What an exported folder does on a board: whether it is right, what it needs, how many instructions it takes."""

import re
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.emulated_cores.board import Board
from benchmarks.emulated_cores.building import FOOTPRINT, SELFTEST, Built, DoesNotFit, Sizes, build
from benchmarks.emulated_cores.emulating import Ran, run
from edgedigits_runtime.errors import ArrayError, DeviceUnavailable, ExportError

IMAGES = "images.bin"
SELFTEST_LINE, PASSED = "edgedigits selftest: ", "edgedigits selftest: pass"
# support/counter.h: a loop of so many instructions (cycles) is counted to try the counter; calls around it take a few.
LOOP, LOOP_TOLERANCE = 1_000_000, 16
OVERFLOW = 2**32 - 1


@dataclass(frozen=True)
class Comparison:
    """How many answers differ, in single int8 values and in images."""

    images: int
    different_values: int
    different_images: int


@dataclass(frozen=True)
class Count:
    """What one inference takes.

    Args:
        predict: instructions of digits_predict; on an AVR cycles of digits_predict_rows without those of the reader;
            None where nothing counts.
        invoke: instructions of digits_invoke; None where nothing counts, and on an AVR.
        stack: bytes below the caller's, at the deepest.
        scratch: DIGITS_SCRATCH_BYTES.
    """

    predict: int | None
    invoke: int | None
    stack: int
    scratch: int


def selftest(folder: Path, board: Board, optimisation: str = "", timeout: float = 60) -> Ran:
    """Run digits_selftest.c; its line is the text, and `passed` tells what it means.

    Raises:
        DeviceUnavailable, DoesNotFit, ExportError: as `build` and `run`.
    """
    with _scratch_folder() as into:
        ran = run(build(folder, board, SELFTEST, into, optimisation), timeout)
    if SELFTEST_LINE not in ran.text:
        raise ExportError(f"the self-test on {board.name} ended without its line, after: {ran.text!r}")
    return ran


def passed(ran: Ran) -> bool:
    """Return whether a self-test passed; an AVR gives no code, so the line has to say it as well."""
    return ran.code == 0 and PASSED in ran.text


def footprint(folder: Path, board: Board, optimisation: str = "") -> Sizes:
    """Return the sizes of the classifier alone, without a start and without printing.

    `ram` holds the scratch, a result and a picture; on an AVR no picture, which comes a row at a time, and on a board
    with an operating system no library.

    Raises:
        DeviceUnavailable, DoesNotFit, ExportError: as `build`.
    """
    with _scratch_folder() as into:
        return build(folder, board, FOOTPRINT, into, optimisation).sizes


def count(folder: Path, board: Board, optimisation: str = "", timeout: float = 120) -> Count:
    """Count one inference of a drawn 7.

    Raises:
        DeviceUnavailable: the emulator's counter does not count a known loop right; or as `build`.
        DoesNotFit, ExportError: as `build` and `run`.
    """
    with _scratch_folder() as into:
        text = run(build(folder, board, "count", into, optimisation), timeout, counting=True).text
    found = {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}
    if not {"stack", "scratch"} <= found.keys():
        raise ExportError(f"count on {board.name} printed no counts: {text!r}")
    if found["stack"] == OVERFLOW:
        raise ExportError(f"count on {board.name}: the stack needs all the memory that is left, and more")
    if abs(found.get("loop", LOOP) - LOOP) > LOOP_TOLERANCE:
        raise DeviceUnavailable(f"{board.emulator[0]} counted {found['loop']:,} in a loop of {LOOP:,} {board.unit}")
    return Count(found.get("predict"), found.get("invoke"), found["stack"], found["scratch"])


def compare(
    folder: Path,
    board: Board,
    inputs: NDArray[np.int8],
    outputs: NDArray[np.int8],
    optimisation: str = "",
    timeout: float = 600,
) -> Comparison:
    """Run digits_invoke on every input and count what differs from the expected outputs.

    Args:
        folder: an exported folder.
        board: one of BOARDS.
        inputs: int8 [n, ...], as the model takes them: DIGITS_PIXELS each.
        outputs: int8 [n, classes], what LiteRT answers.
        timeout: seconds, of each part: an AVR takes about 30 images at a time.

    Raises:
        ArrayError: not int8, not as many outputs as inputs, or none.
        DeviceUnavailable, DoesNotFit, ExportError: as `build` and `run`.
    """
    if inputs.dtype != np.int8 or outputs.dtype != np.int8 or not 0 < len(inputs) == len(outputs):
        raise ArrayError(
            f"expected int8 inputs and as many int8 outputs, got {inputs.dtype} {inputs.shape} "
            f"and {outputs.dtype} {outputs.shape}"
        )
    with _scratch_folder() as into:
        parts = []
        _write(into, inputs[:0], outputs[:0])
        at_once = _at_once(folder, board, inputs[0].size + outputs[0].size, into, optimisation) or len(inputs)
        for start in range(0, len(inputs), at_once):
            part = slice(start, start + at_once)
            _write(into, inputs[part], outputs[part])
            parts.append(_compared(build(folder, board, "compare", into, optimisation), timeout))
    return Comparison(*(sum(values) for values in zip(*parts, strict=True)))


def _at_once(folder: Path, board: Board, image_bytes: int, into: Path, optimisation: str) -> int | None:
    """Return how many images the flash of a chip has room for beside the program; None if they come from a file."""
    if board.flash is None:
        return None
    room = board.flash - build(folder, board, "compare", into, optimisation).sizes.flash
    if room < image_bytes:
        raise DoesNotFit(f"{board.name}: compare does not fit with an image of {image_bytes} bytes: {room} are left")
    return room // image_bytes


def _write(into: Path, inputs: NDArray[np.int8], outputs: NDArray[np.int8]) -> None:
    (into / IMAGES).write_bytes(struct.pack("<I", len(inputs)) + inputs.tobytes() + outputs.tobytes())


def _compared(built: Built, timeout: float) -> tuple[int, int, int]:
    text = run(built, timeout).text
    found = re.search(r"images (\d+) different_values (\d+) different_images (\d+)", text)
    if not found:
        raise ExportError(f"compare on {built.board.name} printed no counts: {text!r}")
    images, values, different = map(int, found.groups())
    return images, values, different


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        yield Path(folder)
