"""One digit in a camera's frame: C equals its reference, and what holds no digit reads as nothing."""

import ctypes
import dataclasses
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits.model_files import SHIPPED
from edgedigits_exporters.microcontroller import c
from edgedigits_exporters.microcontroller.frame_one import FramedDigit, frame_one
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import ArtifactUnsupported, UnknownName
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.handwriting import draw_digit
from tests.support.compiled_c import STRICT
from tests.support.drawn_frames import draw_frame
from tests.support.needs import needs

Grey = NDArray[np.uint8]


class Reading(ctypes.Structure):
    """digits_reading, without the result at its end."""

    _fields_ = (
        ("found", ctypes.c_bool),
        ("box", ctypes.c_int16 * 4),
        ("framed", ctypes.c_uint8 * 784),
        ("label", ctypes.c_int),
        ("rest", ctypes.c_uint8 * 64),
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pico as C with digits_read."""
    folder = tmp_path_factory.mktemp("c") / "pico-c"
    return c.export(SHIPPED / "pico.tflite", folder, c.COptions(frame="one", kernels="reference"))


@pytest.fixture(scope="module")
def read(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Grey], FramedDigit | None]:
    """Return what digits_read finds, compiled with warnings as errors and with a sanitizer that ends the program."""
    library = tmp_path_factory.mktemp("library") / "digits.so"
    sanitized = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-fPIC", "-shared")
    command = ["gcc", *STRICT, *sanitized, str(exported / "digits.c"), "-o", str(library), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    digits_read = ctypes.CDLL(str(library)).digits_read

    def call(grey: Grey) -> FramedDigit | None:
        # Bytes behind each row are not read.
        padded = np.full((grey.shape[0], grey.shape[1] + 3), 255, np.uint8)
        padded[:, : grey.shape[1]] = grey
        reading = Reading()
        address = ctypes.c_void_p(padded.ctypes.data)
        digits_read(address, grey.shape[1], grey.shape[0], padded.shape[1], ctypes.byref(reading))
        framed = np.array(reading.framed, np.uint8).reshape(28, 28)
        return FramedDigit(framed, tuple(reading.box)) if reading.found else None

    return call


@needs("gcc")
@pytest.mark.slow
def test_c_equals_its_reference_on_drawn_frames(read: Callable[[Grey], FramedDigit | None]) -> None:
    for seed in range(500):
        grey, _ = draw_frame(seed)
        expected, found = frame_one(grey), read(grey)
        assert (expected is None) == (found is None), seed
        if expected and found:
            assert np.array_equal(expected.framed, found.framed), seed
            assert expected.box == found.box, seed


@needs("gcc")
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 400), (9, 9), (28, 28), (96, 96), (97, 96), (240, 320)])
def test_blank_full_and_noisy_frames_read_as_nothing(
    read: Callable[[Grey], FramedDigit | None], height: int, width: int
) -> None:
    rng = np.random.default_rng(3)
    frames = [np.full((height, width), level, np.uint8) for level in (0, 128, 255)]
    frames += [rng.integers(low, high, (height, width), np.uint8) for low, high in ((0, 256), (100, 140))]
    frames.append(np.clip(rng.normal(128, 25, (height, width)), 0, 255).astype(np.uint8))
    frames.append(np.repeat(np.linspace(0, 255, width).astype(np.uint8)[np.newaxis], height, axis=0))
    for grey in frames:
        assert frame_one(grey) is None
        assert read(grey) is None


def test_a_digit_is_framed_as_the_reader_frames_ink() -> None:
    for digit in range(10):
        ink = np.zeros((96, 96), np.uint8)
        ink[20:76, 25:81] = draw_digit(digit, np.random.default_rng(digit), size=56, thickness=6.0)
        found = frame_one(200 - ink // 2)
        assert found is not None
        difference = np.abs(found.framed.astype(int) - frame_digit(ink))
        assert difference.mean() < 6


def test_golden_vectors_have_frames(exported: Path) -> None:
    vectors = np.load(exported / "digits.golden.npz")
    assert len(vectors["frames"]) == len(vectors["frames_framed"]) == len(vectors["frames_output"]) == 4
    assert [bool(framed.any()) for framed in vectors["frames_framed"]] == [True, True, True, False]
    assert (exported / "digits.golden.npz").stat().st_size < 40_000


@needs("gcc", "make")
@pytest.mark.slow
def test_the_selftest_replays_the_frames(exported: Path) -> None:
    done = subprocess.run(["make", "test", "CFLAGS=-O1"], cwd=exported, capture_output=True, text=True, check=False)
    assert "pass, 14 pictures" in done.stdout
    golden = exported / "golden.h"
    golden.write_text(re.sub(r"(golden_hashes\[GOLDEN_FRAMES\] = \{\s+)", r"\g<1>1 + ", golden.read_text()))
    done = subprocess.run(
        ["make", "-B", "test", "CFLAGS=-O1"], cwd=exported, capture_output=True, text=True, check=False
    )
    assert "FAIL, 1 of 14" in done.stdout


def test_only_models_of_digits_read_frames(tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        c.COptions(frame="several")
    plain = dataclasses.replace(read_contract(SHIPPED / "pico.tflite"), reader="plain")
    options = c.COptions(frame="one", contract=plain)
    with pytest.raises(ArtifactUnsupported):
        c.export(SHIPPED / "pico.tflite", tmp_path / "c", options)
