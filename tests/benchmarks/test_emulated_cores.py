"""Folders of C on emulated cores: mostly a stand-in folder, whose answers NumPy computes too."""

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.emulated_cores import __main__ as command
from benchmarks.emulated_cores.building import DoesNotFit, available, build, sections
from benchmarks.emulated_cores.cores import CORES, Core
from benchmarks.emulated_cores.emulating import printed, run
from benchmarks.emulated_cores.measuring import compare, count, footprint, passed, selftest
from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.microcontroller import c
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArrayError, DeviceUnavailable, ExportError
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "tests" / "support" / "stand_in"
IMAGES = 50
RESULT_BYTES = 20
"""Size of a digits_result with ten classes."""


def installed(name: str) -> Core:
    """Return a core, or skip and name the missing packages."""
    if reason := available(CORES[name]):
        pytest.skip(reason)
    return CORES[name]


@pytest.fixture(params=[*CORES])
def core(request: pytest.FixtureRequest) -> Core:
    return installed(request.param)


@pytest.fixture(scope="module")
def pico(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_c("pico", "xnnpack", tmp_path_factory.mktemp("c") / "pico")


def export_c(name: str, kernels: Literal["xnnpack", "reference"], folder: Path) -> Path:
    return c.export(SHIPPED / f"{name}.tflite", folder, c.COptions(kernels=kernels))


def program(path: Path, body: str) -> Path:
    path.write_text(f'#include "digits.h"\n#include <stdio.h>\nint main(void)\n{{\n{body}\nreturn 0;\n}}\n')
    return path


def answers(inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the answers of stand_in/digits.c."""
    found = re.search(r"\{([-\d, \n]+)\}", (FOLDER / "digits.c").read_text())
    assert found
    column = np.array([int(value) for value in found[1].split(",") if value.strip()])
    weights = np.stack([np.roll(np.tile(column, 28), -label) for label in range(10)], axis=1)
    sums: NDArray[np.int64] = inputs.astype(int) @ weights
    return np.clip(np.rint(sums / 1024), -128, 127).astype(np.int8)


@pytest.mark.slow
def test_the_self_test_detects_a_wrong_answer(core: Core, tmp_path: Path) -> None:
    assert passed(selftest(FOLDER, core))
    wrong = shutil.copytree(FOLDER, tmp_path / "wrong")
    source = wrong / "digits_selftest.c"
    source.write_text(source.read_text().replace("label == 9", "label == 8"))
    ran = selftest(wrong, core)
    assert not passed(ran) and "1 pictures" in ran.text
    assert ran.code == (0 if core.name == "atmega328p" else 1)


@pytest.mark.slow
def test_a_shipped_model_passes_its_self_test(core: Core, pico: Path) -> None:
    ran = selftest(pico, core)
    assert passed(ran) and "10 pictures" in ran.text


@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
@pytest.mark.parametrize("name", ["cortex-m4f", "cortex-m0"])
def test_a_shipped_model_equals_litert(
    name: str, kernels: Literal["xnnpack", "reference"], mnist: Dataset, tmp_path: Path
) -> None:
    assert mnist.test is not None
    with open_engine(SHIPPED / "nano.tflite", options=EngineOptions(kernels=kernels)) as engine:
        inputs = engine.feed(mnist.test.images[:IMAGES])
        outputs = engine.invoke(inputs)
    folder = export_c("nano", kernels, tmp_path / "nano")
    assert dataclasses.astuple(compare(folder, installed(name), inputs, outputs)) == (IMAGES, 0, 0)


@pytest.mark.slow
def test_the_readme_states_the_sizes_of_the_linker(pico: Path) -> None:
    core = installed("cortex-m4f")
    table = re.findall(r"^\| [a-z].* \| ([\d,]+)(?: \(([\d,]+)\))? \|$", (pico / "README.md").read_text(), re.MULTILINE)
    flash, scratch, picture = (int(number.replace(",", "")) for number in (table[0][0], table[1][1], table[2][0]))
    sizes = footprint(pico, core)
    assert count(pico, core).scratch == scratch
    # Variables are aligned.
    assert 0 <= sizes.ram - (scratch + picture + RESULT_BYTES) < 8
    # Labels add to the constants; the compiler removes those that it can evaluate.
    assert abs(sizes.constants - flash) < 200


@pytest.mark.slow
def test_comparison_counts_different_values_and_images(core: Core) -> None:
    inputs = np.random.default_rng(1).integers(-128, 128, (IMAGES, 784), np.int8)
    outputs = answers(inputs)
    outputs[0, 0] ^= 1
    outputs[IMAGES - 1, [3, 9]] ^= 64
    assert dataclasses.astuple(compare(FOLDER, core, inputs, outputs)) == (IMAGES, 3, 2)


@pytest.mark.slow
def test_an_inference_is_counted(core: Core) -> None:
    counted = count(FOLDER, core)
    assert counted.scratch == 784
    assert 16 <= counted.stack <= 512
    # digits_predict calls digits_invoke, which multiplies 7840 times.
    assert (counted.predict is None) == (not core.unit)
    assert counted.predict is None or counted.predict > 4 * 7840
    assert (counted.invoke is None) == (core.unit != "instructions")
    if counted.invoke is not None and counted.predict is not None:
        assert 4 * 7840 < counted.invoke < counted.predict


@pytest.mark.slow
def test_the_footprint_is_that_of_the_classifier(core: Core, tmp_path: Path) -> None:
    sizes = footprint(FOLDER, core)
    assert sizes.constants == 28
    # digits.o includes functions that this program does not call and the linker leaves out.
    assert sizes.constants < sizes.flash < 5000
    assert 100 < sizes.code < 5000
    scratch, result, picture = 784, 20, 0 if core.unit == "cycles" else 784
    assert result - 8 <= sizes.ram - picture - scratch <= result + 12
    assert sizes.flash < build(FOLDER, core, "selftest", tmp_path).sizes.flash


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cortex-m4f", "cortex-m55", "riscv32"])
def test_a_crash_is_an_error_with_the_last_output(name: str, tmp_path: Path) -> None:
    source = program(tmp_path / "crash.c", 'printf("so far\\n"); *(volatile int *)0xFFFFFFF0U = 1;')
    built = build(FOLDER, installed(name), source, tmp_path / "built")
    with pytest.raises(ExportError, match=r"70.*so far\\nfault, "):
        run(built)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cortex-m4f", "aarch64", "atmega328p"])
def test_a_timeout_is_an_error_with_the_last_output(name: str, tmp_path: Path) -> None:
    source = program(tmp_path / "loop.c", 'printf("so far\\n"); fflush(stdout); for (;;) __asm__ volatile("");')
    built = build(FOLDER, installed(name), source, tmp_path / "built")
    with pytest.raises(ExportError, match=r"0\.5 s.*so far"):
        run(built, timeout=0.5)


@pytest.mark.slow
def test_a_self_test_without_its_line_is_an_error(tmp_path: Path) -> None:
    core = installed("cortex-m4f")
    silent = shutil.copytree(FOLDER, tmp_path / "silent")
    program(silent / "digits_selftest.c", "")
    with pytest.raises(ExportError, match="cortex-m4f"):
        selftest(silent, core)


@pytest.mark.slow
def test_a_wrong_counter_is_an_error() -> None:
    core = installed("cortex-m4f")
    flags = tuple(flag.replace("QUARTERS=160", "QUARTERS=161") for flag in core.flags)
    assert flags != core.flags
    with pytest.raises(DeviceUnavailable, match=r"1,00\d,\d+ instructions.* 1,000,000"):
        count(FOLDER, dataclasses.replace(core, flags=flags))


@pytest.mark.slow
def test_three_timers_make_one_exact_counter(tmp_path: Path) -> None:
    turns = [1, 3, 7, 51, 52, 409, 410, 3276, 3277, 13107, 100_003, 999_999, 3_000_017]
    body = """
    static const uint32_t lengths[] = {LENGTHS};
    counter_start();
    for (uint8_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint32_t turns = lengths[i], before = counter_read();
        __asm__ volatile("1: subi %A0, 1\\n sbci %B0, 0\\n sbci %C0, 0\\n brne 1b" : "+d"(turns));
        printf("%lu\\n", counter_between(before, counter_read()));
    }"""
    source = program(tmp_path / "timers.c", body.replace("LENGTHS", ", ".join(map(str, turns))))
    source.write_text('#include "counter.h"\n' + source.read_text())
    text = run(build(FOLDER, installed("atmega328p"), source, tmp_path / "built")).text
    # A turn takes five cycles, the last of a loop four; reading the timers takes a constant number.
    reading = {int(line) - (5 * turn - 1) for line, turn in zip(text.splitlines(), turns, strict=True)}
    assert len(reading) == 1
    assert 0 < reading.pop() < 20


@pytest.mark.slow
def test_a_program_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    core = installed("atmega328p")
    large = shutil.copytree(FOLDER, tmp_path / "large")
    source = large / "digits.c"
    source.write_text(source.read_text().replace("weights[DIGITS_WIDTH]", "weights[30000]"))
    with pytest.raises(DoesNotFit, match=r"atmega328p: digits_selftest .*text.* \d+ bytes"):
        selftest(large, core)
    header = large / "digits.h"
    header.write_text(header.read_text().replace("SCRATCH_BYTES 784", "SCRATCH_BYTES 2100"))
    source.write_text((FOLDER / "digits.c").read_text())
    with pytest.raises(DoesNotFit, match=r"atmega328p: count .*\.bss"):
        count(large, core)


@pytest.mark.slow
def test_code_that_does_not_compile_is_an_error(tmp_path: Path) -> None:
    core = installed("cortex-m4f")
    broken = shutil.copytree(FOLDER, tmp_path / "broken")
    (broken / "digits.c").write_text("int digits = ;\n")
    with pytest.raises(ExportError, match=r"cortex-m4f: arm-none-eabi-gcc .*digits.*expected expression"):
        selftest(broken, core)


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install gcc-avr avr-libc simavr" in (available(CORES["atmega328p"]) or "")
    with pytest.raises(DeviceUnavailable, match="apt-get install gcc-aarch64-linux-gnu"):
        selftest(FOLDER, CORES["aarch64"])


def test_inputs_and_outputs_of_different_lengths_are_an_error() -> None:
    with pytest.raises(ArrayError, match=r"3, 784.*2, 10"):
        compare(FOLDER, CORES["cortex-m3"], np.zeros((3, 784), np.int8), np.zeros((2, 10), np.int8))


def test_section_sizes_are_parsed() -> None:
    listing = "a.o  :\nsection  size  addr\n.text  12  0\n.rodata.weights  28  0\n.bss  4  0\nTotal  44\n"
    assert sections(listing) == {".text": 12, ".rodata.weights": 28, ".bss": 4}


def test_output_of_the_simulator_is_removed() -> None:
    assert printed(b"Loaded 12 .text at address 0x0\n\x1b[32mone.\n\x1b[0m\x1b[32mtwo 2.\n\x1b[0m") == "one\ntwo 2"
    assert printed(b"one\ntwo 2\n") == "one\ntwo 2"


@pytest.mark.slow
def test_the_table_has_a_row_for_each_core(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cores = [installed(name).name for name in ("cortex-m4f", "atmega328p")]
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setattr("sys.argv", ["emulated_cores", str(FOLDER), "--cores", *cores])
    assert command.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(re.search(r"Cortex-M4F \(mps2-an386\) +pass ", line) for line in lines)
    assert any(re.search(r"ATmega328P .* pass .*[\d,]+ cycles, [\d,]+ ms", line) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["nowhere"], ("nowhere", "digits.h", "--format c")),
        ([str(FOLDER), "--cores", "z80"], ("z80", "cortex-m0, cortex-m3")),
    ],
)
def test_bad_arguments_are_an_error_of_one_line(
    arguments: list[str], facts: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["emulated_cores", *arguments])
    assert command.main() == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and all(fact in message for fact in facts)
