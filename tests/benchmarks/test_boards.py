"""Folders of C on emulated microcontrollers: mostly a stand-in folder, whose answers NumPy gives as well."""

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.emulated_cores import (
    BOARDS,
    Board,
    DoesNotFit,
    available,
    build,
    compare,
    count,
    footprint,
    run,
    selftest,
)
from benchmarks.emulated_cores import __main__ as command
from benchmarks.emulated_cores.building import sections
from benchmarks.emulated_cores.emulating import printed
from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.microcontroller import c
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArrayError, DeviceUnavailable, ExportError
from tests.conftest import BOARDS_LEFT_OUT, REPOSITORY

FOLDER = REPOSITORY / "tests" / "stand_in"
IMAGES = 50
RESULT_BYTES = 20
"""Of a digits_result with ten classes."""


def here(*names: str) -> list[str]:
    """Leave out the boards that nobody has to have."""
    return [name for name in names if name not in BOARDS_LEFT_OUT]


def installed(name: str) -> Board:
    """Return a board, or skip: the reason names the packages that are missing."""
    if reason := available(BOARDS[name]):
        pytest.skip(reason)
    return BOARDS[name]


@pytest.fixture(params=here(*BOARDS))
def board(request: pytest.FixtureRequest) -> Board:
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
    """Return what stand_in/digits.c answers."""
    found = re.search(r"\{([-\d, \n]+)\}", (FOLDER / "digits.c").read_text())
    assert found
    column = np.array([int(value) for value in found[1].split(",") if value.strip()])
    weights = np.stack([np.roll(np.tile(column, 28), -label) for label in range(10)], axis=1)
    sums: NDArray[np.int64] = inputs.astype(int) @ weights
    return np.clip(np.rint(sums / 1024), -128, 127).astype(np.int8)


@pytest.mark.slow
def test_the_self_test_tells_right_from_wrong(board: Board, tmp_path: Path) -> None:
    assert selftest(FOLDER, board).text == "edgedigits selftest: pass, 1 pictures"
    wrong = shutil.copytree(FOLDER, tmp_path / "wrong")
    source = wrong / "digits_selftest.c"
    source.write_text(source.read_text().replace("label == 9", "label == 8"))
    ran = selftest(wrong, board)
    assert ran.text == "edgedigits selftest: fail, 1 pictures"
    assert ran.code == (0 if board.name == "atmega328p" else 1)


@pytest.mark.slow
def test_a_shipped_model_passes_its_self_test(board: Board, pico: Path) -> None:
    assert selftest(pico, board).text == "edgedigits selftest: pass, 10 pictures"


@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
@pytest.mark.parametrize("name", ["cortex-m4f", "cortex-m0"])
def test_a_shipped_model_answers_as_litert(
    name: str, kernels: Literal["xnnpack", "reference"], mnist: Dataset, tmp_path: Path
) -> None:
    assert mnist.test is not None
    with open_engine(SHIPPED / "nano.tflite", options=EngineOptions(kernels=kernels)) as engine:
        inputs = engine.feed(mnist.test.images[:IMAGES])
        outputs = engine.invoke(inputs)
    folder = export_c("nano", kernels, tmp_path / "nano")
    assert dataclasses.astuple(compare(folder, installed(name), inputs, outputs)) == (IMAGES, 0, 0)


@pytest.mark.slow
def test_the_folder_tells_what_the_linker_finds(pico: Path) -> None:
    board = installed("cortex-m4f")
    table = re.findall(r"^\| [a-z].* \| ([\d,]+)(?: \(([\d,]+)\))? \|$", (pico / "README.md").read_text(), re.MULTILINE)
    flash, scratch, picture = (int(number.replace(",", "")) for number in (table[0][0], table[1][1], table[2][0]))
    sizes = footprint(pico, board)
    assert count(pico, board).scratch == scratch
    # Variables are aligned.
    assert 0 <= sizes.ram - (scratch + picture + RESULT_BYTES) < 8
    # Labels come on top; what the compiler knows at once goes away.
    assert abs(sizes.constants - flash) < 200


@pytest.mark.slow
def test_every_value_is_compared(board: Board) -> None:
    inputs = np.random.default_rng(1).integers(-128, 128, (IMAGES, 784), np.int8)
    outputs = answers(inputs)
    outputs[0, 0] ^= 1
    outputs[IMAGES - 1, [3, 9]] ^= 64
    assert dataclasses.astuple(compare(FOLDER, board, inputs, outputs)) == (IMAGES, 3, 2)


@pytest.mark.slow
def test_an_inference_is_counted(board: Board) -> None:
    counted = count(FOLDER, board)
    assert counted.scratch == 784
    assert 16 <= counted.stack <= 512
    # digits_predict calls digits_invoke, which multiplies 7840 times.
    assert (counted.predict is None) == (not board.unit)
    assert counted.predict is None or counted.predict > 4 * 7840
    assert (counted.invoke is None) == (board.unit != "instructions")
    if counted.invoke is not None and counted.predict is not None:
        assert 4 * 7840 < counted.invoke < counted.predict


@pytest.mark.slow
def test_a_footprint_is_that_of_the_classifier(board: Board, tmp_path: Path) -> None:
    sizes = footprint(FOLDER, board)
    assert sizes.constants == 28
    # digits.o also holds what this program does not call, and the linker leaves out.
    assert sizes.constants < sizes.flash < 5000
    assert 100 < sizes.code < 5000
    scratch, result, picture = 784, 20, 0 if board.unit == "cycles" else 784
    assert result - 8 <= sizes.ram - picture - scratch <= result + 12
    assert sizes.flash < build(FOLDER, board, "selftest", tmp_path).sizes.flash


@pytest.mark.slow
@pytest.mark.parametrize("name", here("cortex-m4f", "cortex-m55", "riscv32"))
def test_a_crash_is_an_error_with_the_last_words(name: str, tmp_path: Path) -> None:
    source = program(tmp_path / "crash.c", 'printf("so far\\n"); *(volatile int *)0xFFFFFFF0U = 1;')
    built = build(FOLDER, installed(name), source, tmp_path / "built")
    with pytest.raises(ExportError, match=r"crash on .* crashed \(70\); its last words: 'so far\\nfault, "):
        run(built)


@pytest.mark.slow
@pytest.mark.parametrize("name", here("cortex-m4f", "aarch64", "atmega328p"))
def test_a_program_without_end_is_an_error(name: str, tmp_path: Path) -> None:
    source = program(tmp_path / "loop.c", 'printf("so far\\n"); fflush(stdout); for (;;) __asm__ volatile("");')
    built = build(FOLDER, installed(name), source, tmp_path / "built")
    with pytest.raises(ExportError, match=r"did not end in 0\.5 s; its last words: 'so far"):
        run(built, timeout=0.5)


@pytest.mark.slow
def test_a_self_test_without_its_line_is_an_error(tmp_path: Path) -> None:
    board = installed("cortex-m4f")
    silent = shutil.copytree(FOLDER, tmp_path / "silent")
    program(silent / "digits_selftest.c", "")
    with pytest.raises(ExportError, match="the self-test on cortex-m4f ended without its line, after: ''"):
        selftest(silent, board)


@pytest.mark.slow
def test_a_counter_that_counts_wrong_is_not_believed() -> None:
    board = installed("cortex-m4f")
    flags = tuple(flag.replace("QUARTERS=160", "QUARTERS=161") for flag in board.flags)
    assert flags != board.flags
    with pytest.raises(DeviceUnavailable, match=r"counted 1,00\d,\d+ in a loop of 1,000,000 instructions"):
        count(FOLDER, dataclasses.replace(board, flags=flags))


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
    # A turn takes five cycles, the last of a loop one less; reading the timers takes always the same.
    reading = {int(line) - (5 * turn - 1) for line, turn in zip(text.splitlines(), turns, strict=True)}
    assert len(reading) == 1
    assert 0 < reading.pop() < 20


@pytest.mark.slow
def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    board = installed("atmega328p")
    large = shutil.copytree(FOLDER, tmp_path / "large")
    source = large / "digits.c"
    source.write_text(source.read_text().replace("weights[DIGITS_WIDTH]", "weights[30000]"))
    with pytest.raises(
        DoesNotFit, match=r"atmega328p: digits_selftest does not fit: region `text' overflowed by \d+ bytes"
    ):
        selftest(large, board)
    header = large / "digits.h"
    header.write_text(header.read_text().replace("SCRATCH_BYTES 784", "SCRATCH_BYTES 2100"))
    source.write_text((FOLDER / "digits.c").read_text())
    with pytest.raises(DoesNotFit, match=r"atmega328p: count does not fit: section `.bss' is not within region `data'"):
        count(large, board)


@pytest.mark.slow
def test_code_that_a_compiler_refuses_is_an_error(tmp_path: Path) -> None:
    board = installed("cortex-m4f")
    broken = shutil.copytree(FOLDER, tmp_path / "broken")
    (broken / "digits.c").write_text("int digits = ;\n")
    with pytest.raises(ExportError, match=r"cortex-m4f: arm-none-eabi-gcc refused digits: .*expected expression"):
        selftest(broken, board)


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert available(BOARDS["atmega328p"]) == (
        "atmega328p needs gcc-avr, avr-libc, simavr: apt-get install gcc-avr avr-libc simavr"
    )
    with pytest.raises(DeviceUnavailable, match="apt-get install gcc-aarch64-linux-gnu"):
        selftest(FOLDER, BOARDS["aarch64"])


def test_images_and_answers_have_to_match() -> None:
    with pytest.raises(ArrayError, match="expected int8 inputs and as many int8 outputs"):
        compare(FOLDER, BOARDS["cortex-m3"], np.zeros((3, 784), np.int8), np.zeros((2, 10), np.int8))


def test_sections_are_read() -> None:
    listing = "a.o  :\nsection  size  addr\n.text  12  0\n.rodata.weights  28  0\n.bss  4  0\nTotal  44\n"
    assert sections(listing) == {".text": 12, ".rodata.weights": 28, ".bss": 4}


def test_the_simulator_s_own_words_are_left_out() -> None:
    assert printed(b"Loaded 12 .text at address 0x0\n\x1b[32mone.\n\x1b[0m\x1b[32mtwo 2.\n\x1b[0m") == "one\ntwo 2"
    assert printed(b"one\ntwo 2\n") == "one\ntwo 2"


@pytest.mark.slow
def test_the_table_has_a_line_for_each_board(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = [installed(name).name for name in ("cortex-m4f", "atmega328p")]
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setattr("sys.argv", ["boards", str(FOLDER), "--boards", *boards])
    assert command.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(re.search(r"Cortex-M4F \(mps2-an386\) +pass ", line) for line in lines)
    assert any(re.search(r"ATmega328P .* pass .*[\d,]+ cycles, [\d,]+ ms", line) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere has no digits.h; make the folder with: edgedigits export MODEL --format c"),
        ([str(FOLDER), "--boards", "z80"], "unknown board 'z80'; known: cortex-m0, cortex-m3"),
    ],
)
def test_bad_arguments_get_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["boards", *arguments])
    assert command.main() == 1
    assert message in capsys.readouterr().err
