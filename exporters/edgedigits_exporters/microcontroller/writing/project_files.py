"""The files beside the network: README, build files and the self-test, from templates in project/."""

import textwrap
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.planning.lowering import Program
from edgedigits_exporters.microcontroller.writing.digits_h import contract_lines
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.golden import Vectors
from edgedigits_runtime.templates import fill

TEMPLATES = files("edgedigits_exporters.microcontroller.writing").joinpath("project")

LIBRARY = {"digits.h": "include/digits.h", "digits.c": "src/digits.c"}

PROJECTS: dict[str, dict[str, str]] = {
    "plain": {
        name: name for name in ("digits.h", "digits.c", "digits_selftest.c", "golden.h", "Makefile", "CMakeLists.txt")
    },
    "arduino": {
        "digits.h": "src/digits.h",
        "digits.c": "src/digits.c",
        "golden.h": "examples/selftest/golden.h",
        "selftest.ino": "examples/selftest/selftest.ino",
        "library.properties": "library.properties",
    },
    "cmake": {
        **LIBRARY,
        "digits_selftest.c": "tests/digits_selftest.c",
        "golden.h": "tests/golden.h",
        "CMakeLists.txt": "CMakeLists.txt",
    },
    "esp-idf": {
        **LIBRARY,
        "idf_CMakeLists.txt": "CMakeLists.txt",
        "idf_component.yml": "idf_component.yml",
        "digits_selftest.c": "tests/digits_selftest.c",
        "golden.h": "tests/golden.h",
    },
    "zephyr": {
        **LIBRARY,
        "zephyr_module.yml": "zephyr/module.yml",
        "zephyr_CMakeLists.txt": "zephyr/CMakeLists.txt",
        "Kconfig": "zephyr/Kconfig",
        "digits_selftest.c": "tests/digits_selftest.c",
        "golden.h": "tests/golden.h",
    },
    "platformio": {
        **LIBRARY,
        "library.json": "library.json",
        "digits_selftest.c": "tests/digits_selftest.c",
        "golden.h": "tests/golden.h",
    },
}
"""The layouts of a C export: the path of each file by its name."""

FRAME_EXAMPLES: dict[str, dict[str, str]] = {
    "arduino": {"esp32cam.ino": "examples/esp32cam/esp32cam.ino"},
    "esp-idf": {
        "idf_example_CMakeLists.txt": "examples/esp32cam/CMakeLists.txt",
        "idf_main_CMakeLists.txt": "examples/esp32cam/main/CMakeLists.txt",
        "idf_main_component.yml": "examples/esp32cam/main/idf_component.yml",
        "esp32cam.c": "examples/esp32cam/main/main.c",
    },
    "zephyr": {
        "zephyr_sample_CMakeLists.txt": "samples/frame/CMakeLists.txt",
        "prj.conf": "samples/frame/prj.conf",
        "sample.yaml": "samples/frame/sample.yaml",
        "frame.c": "samples/frame/src/main.c",
    },
    "platformio": {
        "platformio.ini": "examples/esp32cam/platformio.ini",
        "esp32cam.ino": "examples/esp32cam/src/esp32cam.ino",
    },
}
"""Files beside these where digits_read is exported: an example that reads a frame."""

TRY = {
    "plain": "Run `make && ./selftest` to check it on your machine.",
    "cmake": "Run `cmake -B build && cmake --build build && ctest --test-dir build` to check it on your machine.",
    "esp-idf": "Put this folder into `components/`, or build `examples/esp32cam` with `idf.py build`.",
    "zephyr": "Name this folder in `ZEPHYR_EXTRA_MODULES`, or build `samples/frame` with `west build`.",
    "platformio": "Put this folder into `lib/`, or build `examples/esp32cam` with `pio run`.",
    "arduino": "Put this folder into Arduino's `libraries` and run the example *selftest* to check it on your board.",
}
"""The README's sentence about the self-test, by project."""


def fill_file(name: str, marks: Mapping[str, object], folder: Traversable = TEMPLATES) -> str:
    """Return a file of a folder with each mark replaced by its value; other marks are ignored."""
    text = folder.joinpath(name).read_text()
    return fill(text, {mark: value for mark, value in marks.items() if f"@{mark}@" in text})


def golden_header(vectors: Vectors, kernels: str) -> str:
    """Return golden.h, which digits_selftest.c replays: golden vectors as c.golden_vectors makes them."""
    pictures, frames = vectors["framed"], vectors.get("frames", np.zeros((0, 0, 0), np.uint8))
    marks: dict[str, object] = {"KERNELS": kernels, "COUNT": len(pictures), "PICTURES": _lines(pictures)}
    marks |= {"OUTPUTS": _lines(vectors["output"]), "FRAME_COUNT": len(frames), "FRAMES": "", "REPLAY": ""}
    if len(frames):
        own = {
            "HEIGHT": frames.shape[1],
            "WIDTH": frames.shape[2],
            "PIXELS": _lines(frames),
            "HASHES": _lines(np.array([fnv1a(framed) for framed in vectors["frames_framed"]])),
            "READINGS": _lines(vectors["frames_output"]),
        }
        marks |= {"FRAMES": fill_file("golden_frames.h", own), "REPLAY": "    wrong += golden_frames_wrong();\n"}
    return fill_file("golden.h", marks)


def fnv1a(framed: NDArray[np.uint8]) -> int:
    """Return the 32-bit FNV-1a hash of a framed digit, 0 of an empty one."""
    value = 2166136261
    for byte in framed.tobytes():
        value = (value ^ byte) * 16777619 % 2**32
    return value if framed.any() else 0


def _lines(values: NDArray[np.generic]) -> str:
    written = ", ".join(map(str, values.ravel().tolist()))
    return textwrap.fill(written, literals.WIDTH, initial_indent="    ", subsequent_indent="    ")


def marks_of(program: Program, contract: Contract, source: str, project: str) -> dict[str, str]:
    """Return the values of the marks in project/.

    Args:
        program, contract: the model.
        source: the text of digits.c.
        project: a name of PROJECTS.
    """
    layout = PROJECTS[project]
    height, width, channels = program.graph.input.shape
    digits = contract.reader == "digits"
    accuracy = contract.accuracy
    measured = (
        f"; the int8 model reads {accuracy['top1']:.2%} of {accuracy['images']:,} images right" if accuracy else ""
    )
    folder = str(Path(layout["digits.h"]).parent)
    return {
        "NAME": contract.name,
        "TITLE": f"edgedigits-{contract.name}",
        "VERSION": version("edgedigits"),
        "SENTENCE": f"{'Reads handwritten digits' if digits else 'Classifies pictures'}: {contract.name}, int8",
        "INK": ", ink bright on dark, framed as MNIST's are" if digits else "",
        "KIND": "probability of the second label" if contract.output_kind == "sigmoid" else contract.output_kind,
        "SUMMARY": f"Classifies {height}x{width}x{channels} pixels as one of {len(contract.labels)} labels.",
        "MATH": " and `math.h`" if contract.normalisation == "column-l2" else "",
        "FLASH": f"{literals.array_bytes(source):,}",
        "SCRATCH": f"{program.plan.size:,}",
        "WIDE": f"{program.wide_plan.size:,}",
        "PIXELS": f"{height * width * channels:,}",
        "KERNELS": "XNNPACK, its default on x86-64" if contract.kernels == "xnnpack" else "its reference kernels",
        "VERIFIED": f"`edgedigits verify` compares them{measured}",
        "TRY": TRY[project],
        "CONTRACT": "\n".join(f"- {line}" for line in contract_lines(program, contract)),
        "SOURCE": layout["digits.c"],
        "INCLUDE": "" if folder == "." else f"/{folder}",
        "SELFTEST": layout.get("digits_selftest.c", ""),
    }
