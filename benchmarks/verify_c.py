"""Compare C with LiteRT value by value: `make verify-c`.

Every shipped model and published recipe runs with both kernels: on the host on all 10,000 test images, under sanitizers
and clang-tidy, and pico and nano on emulated cores too. Writes benchmarks/results/c_exactness.json, and exits with 1 if
a value differs or a check could not run. `--quick` uses fewer images. NETWORK... compares only these and keeps the
stored results of the others.
"""

import argparse
import json
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.c_tools import tool_versions
from benchmarks.emulated_cores.building import PROGRAM_FILES, available
from benchmarks.emulated_cores.cores import CORES, SUPPORT, Core
from benchmarks.emulated_cores.measuring import compare
from benchmarks.networks import KERNELS, NETWORKS, Kernels, int8_file, mnist_test_split, write_c
from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "c_exactness.json"

ALL, SOME = 10_000, 500
EMULATED = {
    "cortex-m4f": ALL,
    "cortex-m0": ALL,
    "cortex-m3": SOME,
    "cortex-m7": SOME,
    "cortex-m33": SOME,
    "cortex-m55": SOME,
    "aarch64": SOME,
    "riscv32": SOME,
}
# An AVR has doubles of 32 bits, and reference kernels need 64.
AVR, AVR_IMAGES = "atmega328p", 200
QUICK = {ALL: 500, SOME: 50, AVR_IMAGES: 20}
AT_ONCE = 1_000
"""Images in one run of an emulator."""
TIMEOUT = 3_600
"""Seconds for one run, with software floating point on a busy machine."""

STRICT = ("-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wconversion")
SANITIZED = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all")
CLANG_TIDY = ("clang-tidy", "--quiet", "--checks=-*,bugprone-*")


@dataclass(frozen=True)
class Row:
    """The result of a comparison; `trouble` is the reason where it could not run."""

    network: str
    kernels: str
    where: str
    images: int
    different_values: int
    different_images: int
    trouble: str

    @property
    def right(self) -> bool:
        return not self.trouble and not self.different_values

    def __str__(self) -> str:
        result = self.trouble or (f"{self.different_values} values differ" if self.images else "no warning")
        colour = "green" if self.right else "red"
        images = f"{self.images:,}" if self.images else ""
        return f"{self.network:<18}{self.kernels:<10} {self.where:<22}{images:>7}  [{colour}]{result}[/]"


@dataclass(frozen=True)
class Case:
    """A network as C, and LiteRT's answers."""

    network: str
    kernels: Kernels
    folder: Path
    images: Images

    @cached_property
    def inputs(self) -> NDArray[np.int8]:
        with open_engine(self.folder) as engine:
            return engine.feed(self.images)

    @cached_property
    def outputs(self) -> NDArray[np.int8]:
        with open_engine(int8_file(self.network), options=EngineOptions(kernels=self.kernels)) as engine:
            return engine.invoke(self.inputs)

    def row(self, where: str, images: int = 0, values: int = 0, different: int = 0, trouble: str = "") -> Row:
        return Row(self.network, self.kernels, where, images, values, different, trouble)


def on_host(case: Case) -> Row:
    """Compare on the host, compiled as the engine compiles it."""
    with open_engine(case.folder) as engine:
        different = engine.invoke(case.inputs) != case.outputs
    return case.row("host", len(different), int(different.sum()), int(different.any(axis=1).sum()))


def on_core(case: Case, core: Core, count: int) -> Row:
    """Compare in the emulator, AT_ONCE images at a time."""
    if reason := available(core):
        return case.row(core.name, trouble=reason)
    values = images = 0
    inputs, outputs = case.inputs[:count], case.outputs[:count]
    try:
        for start in range(0, len(inputs), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            found = compare(case.folder, core, inputs[part], outputs[part], timeout=TIMEOUT)
            values, images = values + found.different_values, images + found.different_images
    except EdgedigitsError as error:
        return case.row(core.name, trouble=str(error))
    return case.row(core.name, len(inputs), values, images)


def sanitized(case: Case, compiler: str, count: int) -> Row:
    """Compare under sanitizers that end the program at the first fault, with compiler warnings as errors."""
    where, inputs, outputs = f"{compiler}, sanitizers", case.inputs[:count], case.outputs[:count]
    with tempfile.TemporaryDirectory() as place:
        into = Path(place)
        (into / "images.bin").write_bytes(struct.pack("<I", len(inputs)) + inputs.tobytes() + outputs.tobytes())
        program = [str(PROGRAM_FILES / "compare.c"), "digits.o", f"-I{SUPPORT}", "-o", "compare", "-lm"]
        commands = (
            [compiler, *STRICT, *SANITIZED, "-c", str(case.folder / "digits.c")],
            [compiler, *SANITIZED, f"-I{case.folder}", *program],
            ["./compare"],
        )
        for command in commands:
            try:
                done = subprocess.run(command, cwd=into, capture_output=True, text=True, check=False)
            except FileNotFoundError as error:
                return case.row(where, trouble=f"not run: no {error.filename}")
            if done.returncode:
                return case.row(where, trouble=_first_line(done.stderr))
    values, images = map(int, re.findall(r"different_\w+ (\d+)", done.stdout))
    return case.row(where, len(inputs), values, images)


def clang_tidy(case: Case) -> Row:
    """Check the bugprone set of clang-tidy."""
    command = [*CLANG_TIDY, str(case.folder / "digits.c"), "--", "-std=c99"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return case.row("clang-tidy", trouble="not run: no clang-tidy")
    warnings = [line.rpartition("/")[2] for line in done.stdout.splitlines() if re.search(r" (warning|error): ", line)]
    trouble = f"{len(warnings)} warnings, the first: {warnings[0]}" if warnings else ""
    return case.row("clang-tidy", trouble=trouble)


def _first_line(text: str) -> str:
    lines = [line.rpartition("/")[2] for line in text.splitlines()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "no message")


def rows(names: Sequence[str], images: Images, quick: bool, place: Path) -> Iterator[Row]:
    """Run all comparisons, one after the other."""
    for name, kernels in product(names, KERNELS):
        case = Case(name, kernels, write_c(name, kernels, place / f"{name}-{kernels}"), images)
        yield on_host(case)
        yield clang_tidy(case)
        for compiler in ("gcc", "clang"):
            yield sanitized(case, compiler, len(images) if name == "nano" else 50)
        if name in ("pico", "nano"):
            for core, count in EMULATED.items():
                yield on_core(case, CORES[core], QUICK[count] if quick else count)
        if (name, kernels) == ("pico", "xnnpack"):
            yield on_core(case, CORES[AVR], QUICK[AVR_IMAGES] if quick else AVR_IMAGES)


def main() -> int:
    """Compare, print and store the results; 0 if every value is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="use fewer images, and do not store the result")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(NETWORKS)} (default: all)")
    given = parser.parse_args()
    names, quick = given.networks or NETWORKS, given.quick
    if unknown := set(names) - set(NETWORKS):
        parser.error(f"unknown network {', '.join(sorted(unknown))}; known: {', '.join(NETWORKS)}")
    images = mnist_test_split().images[: QUICK[ALL] if quick else ALL]
    console, found = Console(highlight=False, soft_wrap=True), []
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as place:
        for row in rows(names, images, quick, Path(place)):
            console.print(str(row))
            found.append(row)
    wrong = sum(not row.right for row in found)
    console.print(f"{len(found) - wrong} of {len(found)} right")
    if not quick:
        before = [row for row in json.loads(RESULTS.read_text())["rows"] if row["network"] not in names]
        kept = sorted([*before, *map(asdict, found)], key=lambda row: NETWORKS.index(row["network"]))
        result = {"machine": describe_machine(), "tools": tool_versions(), "rows": kept}
        write_whole(RESULTS, json.dumps(result, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
