"""Damaged models: flipped bytes, truncated files, swapped tables, and valid files with false contents.

Each of four attacks runs in a child process, which is restarted when it dies:

    checks    the checks alone; they may raise typed errors only
    engine    checks and engine: open each file and run it once
    bare      the engine's library without checks, for comparison
    isolated  the engine without checks behind --isolate; its process may die, the calling process must not

    python -m tests.torture.models --executions 300000 --engine-executions 60000
    python -m tests.torture.models --replay tflite 7 1234      # number 1234 of seed 7, once, in this process

A case depends on its format, seed and number alone. An interrupted attack resumes from its result file.
"""

import contextlib
import importlib
import random
import re
import struct
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits.model_files import SHIPPED, open_model
from edgedigits_runtime.child_process import Child, limit_memory
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract, strip_zip
from edgedigits_runtime.engine_options import EngineOptions, Isolation, Kernels
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import EdgedigitsError, EngineCrashed, first_line
from tests.torture.model_mutations import FALSE_CONTENTS, damaged, places_outside, with_damaged_contract
from tests.torture.runner import interrupted, parser, record

SHIPPED_FILES = {
    "tflite": ("pico.tflite", "nano.tflite", "base.tflite", "max.tflite"),
    "onnx": ("pico.onnx", "nano.onnx", "base.onnx"),
    "keras": ("pico.keras", "nano.keras"),
    "contract": ("pico.tflite", "pico.onnx"),
}
"""Models to damage by format; of "contract", only the embedded contract is damaged, which no engine reads."""

WIDE = Path(__file__).parents[1] / "support" / "wide"
FORMATS = tuple(SHIPPED_FILES)
KERNELS: tuple[Kernels, ...] = ("auto", "auto", "reference", "builtin")

SECONDS = 60
"""Timeout of one answer; generous, since the machine may be busy."""
CHILD_BYTES = 6 << 30
"""Memory limit of a child, so that a file with huge tensors cannot exhaust the machine."""
MAX_BAD = 40


@dataclass(frozen=True)
class Subject:
    """A model to damage."""

    content: bytes
    contract: Contract
    places: list[range]


@cache
def subjects(kind: str) -> tuple[Subject, ...]:
    """Return the models of a format: those of many operators, then the shipped ones."""
    wide = sorted(WIDE.glob(f"*.{kind}"))
    return tuple(map(_subject, [*wide, *(SHIPPED / name for name in SHIPPED_FILES[kind])]))


def _subject(path: Path) -> Subject:
    content = path.read_bytes()
    if path.suffix == ".tflite":
        content = strip_zip(content)
    return Subject(content, read_contract(path), places_outside(content, _constants(content, path)))


def _constants(content: bytes, path: Path) -> list[bytes]:
    """Return the large constants of a file, which are damaged less often than the rest."""
    if path.suffix == ".tflite":
        from ai_edge_litert import schema_py_generated as schema

        buffers = schema.ModelT.InitFromPackedBuf(content, 0).buffers
        return [bytes(buffer.data) for buffer in buffers if buffer.data is not None]
    if path.suffix == ".onnx":
        import onnx

        return [tensor.raw_data for tensor in onnx.load_from_string(content).graph.initializer]
    with zipfile.ZipFile(path) as archive:
        return [archive.read("model.weights.h5")[8000:]]


def case(kind: str, seed: int, number: int) -> tuple[bytes, Contract | None]:
    """Return the damaged file of a number, and the contract to open it with; None for its own."""
    dice = random.Random(f"{kind} {seed} {number}")
    known = subjects(kind)
    if kind == "contract":
        return with_damaged_contract(known[0].content, known[0].contract, dice), None
    # Earlier subjects are drawn more often.
    subject = dice.choices(known, range(2 * len(known), len(known), -1))[0]
    if dice.random() < (0.8 if kind == "keras" else 0.5):
        with contextlib.suppress(struct.error, TypeError, ValueError, OverflowError):
            return FALSE_CONTENTS[kind](subject.content, dice), subject.contract
    return damaged(subject.content, subject.places, dice), subject.contract


def suffix_of(kind: str) -> str:
    """Return the suffix of a format's files."""
    return "tflite" if kind == "contract" else kind


def _run(engine: Engine) -> None:
    with engine:
        engine.run(np.zeros((1, *engine.contract.image_shape), np.uint8))


def _checks(kind: str, path: Path, contract: Contract | None, kernels: Kernels) -> None:
    from edgedigits_exporters import untrusted_keras
    from edgedigits_runtime.untrusted import CHECKS

    if kind == "contract":
        read_contract(path)
    elif kind == "keras":
        untrusted_keras.check(path)
    else:
        importlib.import_module(CHECKS[f".{kind}"]).check(path.read_bytes(), str(path))


def _engine(kind: str, path: Path, contract: Contract | None, kernels: Kernels) -> None:
    _run(open_model(path, contract=contract, options=EngineOptions(workers=1, kernels=kernels)))


def _bare(kind: str, path: Path, contract: Contract | None, kernels: Kernels) -> None:
    """Open and run a file with the engine's own library."""
    shape = (1, *contract.image_shape) if contract else (1,)
    if kind == "tflite":
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        resolver = {"auto": OpResolverType.AUTO, "reference": OpResolverType.BUILTIN_REF,
                    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}[kernels]  # fmt: skip
        interpreter = Interpreter(
            model_content=path.read_bytes(), num_threads=1, experimental_op_resolver_type=resolver
        )
        interpreter.allocate_tensors()
        given = interpreter.get_input_details()[0]
        interpreter.set_tensor(given["index"], np.zeros(given["shape"], given["dtype"]))
        interpreter.invoke()
        interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    elif kind == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        session.run(None, {session.get_inputs()[0].name: np.zeros(shape, np.float32)})
    else:
        import keras

        keras.saving.load_model(path, compile=False, safe_mode=True)(np.zeros(shape, np.float32))


def open_unchecked(path: Path, contract: Contract | None, device: str, options: EngineOptions) -> Engine:
    """Open a file without checks, to test isolation."""
    from edgedigits_runtime.engines import litert, onnxruntime

    engine = litert if path.suffix == ".tflite" else onnxruntime
    engine.checked_content = lambda path, _=None: path.read_bytes()
    return engine.open_engine(path, contract, device, options)


def _isolated(kind: str, path: Path, contract: Contract | None, kernels: Kernels) -> None:
    from edgedigits_runtime.engines.isolated import open_isolated

    options = EngineOptions(kernels=kernels, isolation=Isolation())
    _run(open_isolated("tests.torture.models:open_unchecked", path, contract, "auto", options))


Found = dict[str, Any]
Attack = Callable[[str, Path, Contract | None, Kernels], None]
ATTACKS: dict[str, Attack] = {"engine": _engine, "bare": _bare, "checks": _checks, "isolated": _isolated}
FORMATS_OF = {"engine": FORMATS, "bare": FORMATS[:3], "checks": FORMATS, "isolated": FORMATS[:2]}


def attack(name: str, kind: str, seed: int, number: int, path: Path) -> str:
    """Make one attack with the file of a number, and return its outcome: "ran", "passed" or the class of the error.

    Raises:
        Exception: not an EdgedigitsError, hence a fault of edgedigits.
    """
    content, contract = case(kind, seed, number)
    path.write_bytes(content)
    # Libraries may raise anything; of "bare", only deaths are faults.
    expected = Exception if name == "bare" else EdgedigitsError
    try:
        ATTACKS[name](kind, path, contract, KERNELS[number % 4])
    except expected as error:
        return type(error).__name__
    return "passed" if name == "checks" else "ran"


def prepare(name: str, kind: str) -> None:
    """Import Keras if needed, and limit the memory; in the child."""
    if kind == "keras" and name != "checks":
        from edgedigits_exporters.keras_backend import load_keras

        load_keras()
    limit_memory(CHILD_BYTES)


def answer(name: str, kind: str, seed: int, number: int, folder: str) -> str:
    """Return the outcome of an attack, or "untyped" and the error; in the child."""
    try:
        return attack(name, kind, seed, number, Path(folder) / f"damaged.{suffix_of(kind)}")
    except BaseException as error:  # noqa: BLE001  # An untyped error is an outcome.
        return f"untyped {type(error).__name__}: {first_line(error)[:200]}"


def ask(child: Child, name: str, kind: str, seed: int, number: int, folder: str) -> str:
    """Return the outcome of an attack in the child; "died SIGSEGV" if that ended it, and "hung" after SECONDS."""
    if child.process is None:
        # Without a time limit: importing Keras takes a minute on a busy machine.
        child.call("tests.torture.models:prepare", name, kind)
    try:
        return str(child.call("tests.torture.models:answer", name, kind, seed, number, folder, seconds=SECONDS))
    except EngineCrashed as error:
        found = re.search(r"SIG\w+|exit code \d+", str(error))
        return f"died {found[0]}" if found else "hung"


def new_tally(seed: int) -> Found:
    """Return the results of an attack that has not begun."""
    return {"seed": seed, "executions": 0, "deaths": 0, "untyped": 0, "outcomes": {}, "first_bad_numbers": [],
            "seconds": 0}  # fmt: skip


def add(tally: Found, number: int, outcome: str) -> None:
    """Count the outcome of a number."""
    first, *_ = words = outcome.split()
    key = " ".join(words[:2]).rstrip(":") if first in ("died", "untyped") else outcome
    tally["executions"] += 1
    tally["outcomes"][key] = tally["outcomes"].get(key, 0) + 1
    tally["deaths"] += first in ("died", "hung")
    tally["untyped"] += first == "untyped"
    if first in ("died", "untyped", "hung") and len(tally["first_bad_numbers"]) < MAX_BAD:
        tally["first_bad_numbers"].append(f"{number}: {outcome}")


def torture(name: str, kind: str, count: int, tally: Found, progress: Callable[[], None] = lambda: None) -> Found:
    """Attack the remaining numbers below `count` in a child; `progress` is called every 1,000 numbers."""
    started = time.monotonic() - tally["seconds"]
    with (
        tempfile.TemporaryDirectory(prefix="edgedigits-torture-") as folder,
        Child("an attack", EngineCrashed) as child,
    ):
        for number in range(tally["executions"], count):
            add(tally, number, ask(child, name, kind, tally["seed"], number, folder))
            tally["seconds"] = round(time.monotonic() - started)
            if tally["executions"] % 1000 == 0:
                progress()
    return tally


def main() -> None:
    """Make the chosen attacks, and record their outcomes."""
    arguments = parser(__doc__, "models")
    arguments.add_argument("--executions", type=int, default=300_000, help="of the checks alone, for each format")
    arguments.add_argument("--engine-executions", type=int, default=30_000, help="with the engine, for each format")
    arguments.add_argument("--keras-executions", type=int, default=3_000, help="with Keras, which is slower")
    arguments.add_argument("--bare-executions", type=int, default=5_000, help="of the engines without our checks")
    arguments.add_argument("--isolated-executions", type=int, default=1_000, help="in isolation, without our checks")
    arguments.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    arguments.add_argument("--attacks", nargs="+", choices=list(ATTACKS), default=list(ATTACKS))
    arguments.add_argument("--replay", nargs=3, metavar=("FORMAT", "SEED", "NUMBER"), help="one case, in this process")
    arguments.add_argument("--bare", action="store_true", help="replay without our checks")
    given = arguments.parse_args()
    if given.replay:
        kind, seed, number = given.replay
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"damaged.{suffix_of(kind)}"
            print(attack("bare" if given.bare else "engine", kind, int(seed), int(number), path))
        return
    for kind in given.formats:
        for name in given.attacks:
            if kind not in FORMATS_OF[name]:
                continue
            count = given.executions if name == "checks" else getattr(given, f"{name}_executions")
            if kind == "keras" and name != "checks":
                count = min(count, given.keras_executions)
            tally = interrupted(given.out, f"{kind} {name}", given.seed) or new_tally(given.seed)
            keep = partial(record, given.out, f"{kind} {name}", tally)
            torture(name, kind, count, tally, keep)
            keep()
            print(kind, name, tally, flush=True)


if __name__ == "__main__":
    main()
