"""Measure flash, RAM and instructions of the C export, and its speed on this machine: `make bench-c`.

QEMU counts instructions, not cycles (SysTick under `-icount shift=0`). Sizes are the linker's. Writes
benchmarks/results/c_export.json and the tables of docs/c.md and c_export.md beside it.
"""

import ctypes
import json
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.c_tables import DETAILS, PAGE, detailed_tables, tables
from benchmarks.c_tools import tool_versions
from benchmarks.emulated_cores.cores import CORES
from benchmarks.emulated_cores.measuring import count, footprint
from benchmarks.networks import SMALL, Kernels, graph_of, int8_file, mnist_test_split, write_c
from benchmarks.publishing import write_section
from edgedigits.machine.fingerprint import describe_machine
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.weights import WeightedOperator
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.engines.compiled_c import compiled
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "c_export.json"
MEASURED = ("pico", "nano", "base", SMALL, "plain-3conv")
COUNTED: dict[str, tuple[Kernels, ...]] = {
    "cortex-m4f": ("xnnpack",),
    "cortex-m55": ("xnnpack",),
    # The reference kernels need no floating-point unit.
    "cortex-m3": ("xnnpack", "reference"),
    "cortex-m0": ("xnnpack", "reference"),
}
LAYERS = ((SMALL, "cortex-m4f"), (SMALL, "cortex-m55"), ("plain-3conv", "cortex-m4f"), ("plain-3conv", "cortex-m55"))
SIZED = "cortex-m4f"
FAST, SHORT = "-O3", "-Os"
AVR = "atmega328p"
ROUNDS, CALLS = 200, 20


def network(name: str, place: Path) -> dict[str, Any]:
    """Return the figures of a network."""
    graph = graph_of(name)
    folders = {kernels: write_c(name, kernels, place / f"{name}-{kernels}") for kernels in ("xnnpack", "reference")}
    instructions = {
        core: {kernels: count(folders[kernels], CORES[core], FAST).invoke for kernels in wanted}
        for core, wanted in COUNTED.items()
    }
    return {
        "name": name,
        "multiply_accumulates": graph.multiply_accumulates,
        "weights": sum(operator.weights.size for operator in graph.operators if isinstance(operator, WeightedOperator)),
        "pixels": int(np.prod(graph.input.shape)),
        "instructions": instructions,
        "bytes": {optimisation: sizes(folders["xnnpack"], SIZED, optimisation) for optimisation in (FAST, SHORT)},
        "host": host_microseconds(name, folders["xnnpack"]),
    }


def sizes(folder: Path, core: str, optimisation: str = "") -> dict[str, int | None]:
    """Return bytes of flash and RAM, and instructions or cycles of an inference."""
    linked, counted = footprint(folder, CORES[core], optimisation), count(folder, CORES[core], optimisation)
    taken = counted.invoke or counted.predict
    return {"flash": linked.flash, "scratch": counted.scratch, "stack": counted.stack, "taken": taken}


def layers(name: str, core: str, place: Path) -> list[dict[str, Any]]:
    """Return the instructions of each layer: those of the network less those without that layer's call.

    Layers are not inlined, so that leaving one out changes no other code.
    """
    folder, operators = place / f"{name}-xnnpack", make_program(graph_of(name), "xnnpack").operators
    source = (
        (folder / "digits.c").read_text().replace("static void row_of", "__attribute__((noipa)) static void row_of")
    )
    whole = _invoke_instructions(folder, source, core)
    calls = re.findall(r"row_of_layer_\d+\(memory, y\); break;", source)
    return [
        {
            "operator": operator.name,
            "input": operator.inputs[0].shape,
            "output": operator.output.shape,
            "multiply_accumulates": operator.multiply_accumulates,
            "instructions": whole - _invoke_instructions(folder, source.replace(call, "break;"), core),
        }
        for operator, call in zip(operators, calls, strict=True)
    ]


def _invoke_instructions(folder: Path, source: str, core: str) -> int:
    """Return the instructions of digits_invoke with a changed digits.c."""
    with tempfile.TemporaryDirectory() as place:
        changed = Path(place)
        (changed / "digits.h").write_text((folder / "digits.h").read_text())
        (changed / "digits.c").write_text(source)
        return count(changed, CORES[core], FAST).invoke or 0


def host_microseconds(name: str, folder: Path) -> dict[str, float]:
    """Return the best microseconds of one inference, called from Python with the input in place."""
    from ai_edge_litert.interpreter import Interpreter

    with open_engine(folder) as engine:
        image = engine.feed(mnist_test_split().images[:1])
    interpreter = Interpreter(str(int8_file(name)), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    library = ctypes.CDLL(str(compiled(folder)))
    invoke, scratch = library.digits_invoke, (ctypes.c_int32 * ctypes.c_int32.in_dll(library, "digits_sizes").value)()
    invoke.argtypes, invoke.restype = (ctypes.c_void_p,) * 3, None
    answer = np.empty(interpreter.get_output_details()[0]["shape"], np.int8)
    given, made = image.ctypes.data, answer.ctypes.data
    return best_of({"c": lambda: invoke(given, made, scratch), "litert": interpreter.invoke})


def best_of(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the microseconds of a call in the best of many rounds; a round calls each CALLS times in a row."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter_ns()
            for _ in range(CALLS):
                call()
            best[name] = min(best[name], (time.perf_counter_ns() - start) / CALLS / 1e3)
    return best


def measure() -> dict[str, Any]:
    """Return all figures, with the machine and the tools."""
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        place = Path(folder)
        networks = [network(name, place) for name in MEASURED]
        of_layers = [{"name": name, "core": core, "layers": layers(name, core, place)} for name, core in LAYERS]
        avr = sizes(place / "pico-xnnpack", AVR)
    return {
        "machine": describe_machine(),
        "tools": tool_versions(),
        "networks": networks,
        "layers": of_layers,
        "avr": {"name": "pico", "core": AVR, **avr},
    }


def main() -> None:
    """Measure, store the figures and write the tables."""
    found = measure()
    write_whole(RESULTS, json.dumps(found, indent=1) + "\n")
    write_section(PAGE, "c-export", tables(found))
    write_section(DETAILS, "c-export", detailed_tables(found))


if __name__ == "__main__":
    main()
