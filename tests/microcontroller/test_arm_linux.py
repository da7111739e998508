"""Exported C on an emulated 32-bit Raspberry Pi, where the wheels of the light install do not exist."""

import subprocess
from pathlib import Path

import pytest

from edgedigits.model_files import SHIPPED
from edgedigits_exporters.microcontroller import c
from tests.support.needs import needs


@needs("make", "arm-linux-gnueabihf-gcc", "qemu-arm-static")
@pytest.mark.slow
def test_the_selftest_passes_on_armv7(tmp_path: Path) -> None:
    folder = c.export(SHIPPED / "nano.tflite", tmp_path / "nano-c", c.COptions())
    flags = "CFLAGS=-O1 -static -mcpu=cortex-a7 -mfpu=neon-vfpv4"
    subprocess.run(["make", "-C", folder, "CC=arm-linux-gnueabihf-gcc", flags], check=True, capture_output=True)
    done = subprocess.run(
        ["qemu-arm-static", "-cpu", "cortex-a7", folder / "selftest"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "edgedigits selftest: pass, 10 pictures\n"
