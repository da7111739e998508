"""Damaged models: flipped bytes, cut files, swapped tables, and files that are whole but lie.

Four attacks, each in a child process that may die, and is started again when it did:

    checks    the checks alone: nothing but a typed error may leave them
    engine    checks and engine: each file is opened and run once
    bare      the engine's own library without checks, to see what they are good for
    isolated  the engine without checks behind --isolate: it dies, the process that asked it does not

    python -m tests.torture.models --executions 300000 --engine-executions 60000
    python -m tests.torture.models --replay tflite 7 1234      # number 1234 of seed 7, once, in this process

A case is made of its format, the seed and its number, and of nothing else. An attack that was broken off goes on where
its file says that it was.
"""

import argparse
import contextlib
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from edgedigits.model_files import SHIPPED, open_model
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import read_contract, strip_zip
from edgedigits_runtime.engine_options import EngineOptions, Isolation, Kernels
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import EdgedigitsError
from tests.torture.mutations import (
    damaged,
    lying_keras,
    lying_onnx,
    lying_tflite,
    places_outside,
    with_damaged_contract,
)
from tests.torture.recording import RESULTS, read_result, record

SHIPPED_FILES = {
    "tflite": ("pico.tflite", "nano.tflite", "base.tflite", "max.tflite"),
    "onnx": ("pico.onnx", "nano.onnx", "base.onnx"),
    "keras": ("pico.keras", "nano.keras"),
    "contract": ("pico.tflite", "pico.onnx"),
}
WIDE = Path(__file__).parent / "wide"
FORMATS = tuple(SHIPPED_FILES)
LIES = {"tflite": lying_tflite, "onnx": lying_onnx, "keras": lying_keras}
NO_ENGINE = ("contract",)
"""Formats that engines know nothing of: what is damaged is what the file says to this project."""

SECONDS = 60
"""After which a child is taken to hang; the whole machine may be busy with other things."""
CHILD_BYTES = 6 << 30
"""Memory of a child: a file that makes its engine ask for all there is must not take the machine's."""
KEPT = 40


@dataclass(frozen=True)
class Subject:
    """A model that is damaged again and again."""

    content: bytes
    contract: Contract
    places: list[range]


@cache
def subjects(kind: str) -> tuple[Subject, ...]:
    """Return the models of a format, those of many operators and the shipped ones; the first are taken the oftener."""
    wide = sorted(WIDE.glob(f"*.{kind}"))
    return tuple(map(_subject, [*wide, *(SHIPPED / name for name in SHIPPED_FILES[kind])]))


def _subject(path: Path) -> Subject:
    content = path.read_bytes()
    if path.suffix == ".tflite":
        content = strip_zip(content)
    return Subject(content, read_contract(path), places_outside(content, _constants(content, path)))


def _constants(content: bytes, path: Path) -> list[bytes]:
    """Return the large constants of a file, to damage them less often than the rest."""
    if path.suffix == ".tflite":
        from edgedigits_runtime.untrusted.tflite_model import read_model

        return [bytes(tensor.data) for tensor in read_model(content, str(path)).tensors]
    if path.suffix == ".onnx":
        import onnx

        return [tensor.raw_data for tensor in onnx.load_from_string(content).graph.initializer]
    with zipfile.ZipFile(path) as archive:
        return [archive.read("model.weights.h5")[8000:]]


def case(kind: str, seed: int, number: int) -> tuple[bytes, Contract | None]:
    """Return the damaged file of a number, and the contract that it is opened with; None for its own."""
    dice = random.Random(f"{kind} {seed} {number}")
    known = subjects(kind)
    if kind == "contract":
        return with_damaged_contract(known[0].content, known[0].contract, dice), None
    subject = dice.choices(known, range(2 * len(known), len(known), -1))[0]
    if dice.random() < (0.8 if kind == "keras" else 0.5):
        with contextlib.suppress(struct.error, TypeError, ValueError, OverflowError):
            return LIES[kind](subject.content, dice), subject.contract
    return damaged(subject.content, subject.places, dice), subject.contract


def suffix_of(kind: str) -> str:
    """Return the suffix of a format's files."""
    return "tflite" if kind == "contract" else kind


def attack(kind: str, seed: int, number: int, path: Path) -> str:
    """Open one damaged file, run it once, and say what came of it: "ran", or the error's class.

    Raises:
        Exception: whatever is no EdgedigitsError; that is a fault of the product.
    """
    import numpy as np

    content, contract = case(kind, seed, number)
    path.write_bytes(content)
    kernels: tuple[Kernels, ...] = ("auto", "auto", "reference", "builtin")
    options = EngineOptions(workers=1, kernels=kernels[number % 4])
    try:
        with open_model(path, contract=contract, options=options) as engine:
            engine.run(np.zeros((1, *engine.contract.image_shape), np.uint8))
    except EdgedigitsError as error:
        return type(error).__name__
    return "ran"


def attack_bare(kind: str, seed: int, number: int, path: Path) -> str:
    """Give one damaged file to its engine's own library, without any of our checks."""
    import numpy as np

    content, contract = case(kind, seed, number)
    shape = contract.image_shape if contract else ()
    try:
        if kind == "tflite":
            from ai_edge_litert.interpreter import Interpreter, OpResolverType

            resolvers = (OpResolverType.AUTO, OpResolverType.AUTO, OpResolverType.BUILTIN_REF,
                         OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)  # fmt: skip
            interpreter = Interpreter(
                model_content=content, num_threads=1, experimental_op_resolver_type=resolvers[number % 4]
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
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            given = np.zeros((1, *shape), np.float32)
            session.run(None, {session.get_inputs()[0].name: given})
        else:
            import keras

            path.write_bytes(content)
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
            model(np.zeros((1, *shape), np.float32))
    except Exception as error:  # noqa: BLE001  # The library's own; only deaths are counted here.
        return type(error).__name__
    return "ran"


def check_only(kind: str, seed: int, number: int, path: Path) -> str:
    """Give one damaged file to the checks alone."""
    import importlib

    from edgedigits_exporters import keras_checking
    from edgedigits_runtime.untrusted import CHECKS

    content, _ = case(kind, seed, number)
    try:
        if kind == "contract":
            path.write_bytes(content)
            read_contract(path)
        elif kind == "keras":
            path.write_bytes(content)
            keras_checking.check(path)
        else:
            importlib.import_module(CHECKS[f".{kind}"]).check(content, str(path))
    except EdgedigitsError as error:
        return type(error).__name__
    return "passed"


def open_unchecked(path: Path, contract: Contract | None, device: str, options: EngineOptions) -> Engine:
    """Open a file as if there were no checks; what isolation has to survive then."""
    from edgedigits_runtime.engines import litert, onnxruntime

    engine = litert if path.suffix == ".tflite" else onnxruntime
    engine.checked_content = Path.read_bytes  # type: ignore[assignment]
    return engine.open_engine(path, contract, device, options)


def attack_isolated(kind: str, seed: int, number: int, path: Path) -> str:
    """Run one damaged file in isolation and unchecked: the engine's process dies now and then, this one never."""
    import numpy as np

    from edgedigits_runtime.engines.isolated import open_isolated

    content, contract = case(kind, seed, number)
    path.write_bytes(content)
    kernels: tuple[Kernels, ...] = ("auto", "auto", "reference", "builtin")
    options = EngineOptions(kernels=kernels[number % 4], isolation=Isolation())
    try:
        with open_isolated("tests.torture.models:open_unchecked", path, contract, "auto", options) as engine:
            engine.run(np.zeros((1, *engine.contract.image_shape), np.uint8))
    except EdgedigitsError as error:
        return type(error).__name__
    return "ran"


ATTACKS = {"engine": attack, "bare": attack_bare, "checks": check_only, "isolated": attack_isolated}
ISOLATED = ("tflite", "onnx")


def _serve(attack_name: str, kind: str, seed: int) -> None:
    """Answer numbers, one a line, with outcomes, until the parent goes away; in the child."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if kind == "keras" and attack_name != "checks":
        from edgedigits_exporters.keras_backend import load_keras

        load_keras()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + CHILD_BYTES, used + CHILD_BYTES))
    with tempfile.TemporaryDirectory(prefix="edgedigits-torture-") as folder:
        path = Path(folder) / f"damaged.{suffix_of(kind)}"
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            try:
                outcome = ATTACKS[attack_name](kind, seed, int(line), path)
            except BaseException as error:  # noqa: BLE001  # Every one of them is what is looked for.
                outcome = f"untyped {type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
            print(outcome, file=answers, flush=True)


class Child:
    """A process that attacks numbers, and is started anew when one killed it."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.torture.models", "--serve", *self.arguments]
        started = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert started.stdout
        # To import Keras takes a minute where the machine is busy; no case is to blame.
        if started.stdout.readline() != "ready\n":
            raise RuntimeError(f"{' '.join(command)} does not start")
        return started

    def answer(self, number: int) -> str:
        """Return the outcome of a number: what the child says, "died SIGSEGV", or "hung"."""
        assert self.process.stdin and self.process.stdout
        timer = threading.Timer(SECONDS, self.process.kill)
        timer.start()
        started = time.monotonic()
        try:
            self.process.stdin.write(f"{number}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        timer.cancel()
        if line:
            return line.strip()
        hung = time.monotonic() - started >= SECONDS
        code = self.process.wait()
        self.close()
        self.process = self._start()
        return "hung" if hung else f"died {_signal_name(code)}"

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        self.process.wait()


def _signal_name(code: int) -> str:
    import signal

    return signal.Signals(-code).name if code < 0 else f"exit {code}"


@dataclass
class Tally:
    """What came of many numbers."""

    seed: int
    executions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    seconds: float = 0

    def add(self, number: int, outcome: str) -> None:
        self.executions += 1
        word = outcome.split()[0]
        if word in ("died", "untyped"):
            self.outcomes[" ".join(outcome.split()[:2]).rstrip(":")] += 1
        else:
            self.outcomes[outcome] += 1
        if word in ("died", "untyped", "hung") and len(self.bad) < KEPT:
            self.bad.append(f"{number}: {outcome}")

    @property
    def deaths(self) -> int:
        return sum(count for outcome, count in self.outcomes.items() if outcome.startswith(("died", "hung")))

    def to_dict(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "executions": self.executions,
            "deaths": self.deaths,
            "untyped": sum(count for outcome, count in self.outcomes.items() if outcome.startswith("untyped")),
            "outcomes": dict(self.outcomes.most_common()),
            "first_bad_numbers": self.bad,
            "seconds": round(self.seconds),
        }


def resumed(found: dict[str, Any] | None, seed: int) -> Tally:
    """Return the tally of an attack that was broken off, or a new one where none with this seed was made."""
    if not found or found["seed"] != seed:
        return Tally(seed)
    return Tally(seed, found["executions"], Counter(found["outcomes"]), found["first_bad_numbers"], found["seconds"])


def torture(
    name: str, kind: str, seed: int, count: int, say: Any = None, before: Tally | None = None, every: int = 1000
) -> Tally:
    """Attack so many numbers in a child and return what came of them; `say` is told the tally every so often."""
    tally, child = before or Tally(seed), Child(name, kind, str(seed))
    started = time.monotonic() - tally.seconds
    try:
        for number in range(tally.executions, count):
            tally.add(number, child.answer(number))
            tally.seconds = time.monotonic() - started
            if say and tally.executions % every == 0:
                say(tally)
    finally:
        child.close()
    return tally


def main() -> None:
    """Run one attack or all, and write what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=300_000, help="of the checks alone, for each format")
    parser.add_argument("--engine-executions", type=int, default=30_000, help="with the engine, for each format")
    parser.add_argument("--keras-executions", type=int, default=3_000, help="with Keras, which is slower")
    parser.add_argument("--bare-executions", type=int, default=5_000, help="of the engines without our checks")
    parser.add_argument("--isolated-executions", type=int, default=1_000, help="in isolation, without our checks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="+", choices=list(FORMATS), default=list(FORMATS))
    parser.add_argument("--attacks", nargs="+", choices=list(ATTACKS), default=list(ATTACKS))
    parser.add_argument("--out", type=Path, default=RESULTS / "models.json")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--replay", nargs=3, metavar=("FORMAT", "SEED", "NUMBER"), help="one case, in this process")
    parser.add_argument("--bare", action="store_true", help="replay without our checks")
    given = parser.parse_args()
    if given.serve:
        _serve(given.serve[0], given.serve[1], int(given.serve[2]))
        return
    if given.replay:
        kind, seed, number = given.replay
        with tempfile.TemporaryDirectory() as folder:
            chosen = attack_bare if given.bare else attack
            print(chosen(kind, int(seed), int(number), Path(folder) / f"damaged.{suffix_of(kind)}"))
        return
    for kind in given.formats:
        for name in given.attacks:
            if (name == "bare" and kind in NO_ENGINE) or (name == "isolated" and kind not in ISOLATED):
                continue
            count = {
                "checks": given.executions,
                "bare": given.bare_executions,
                "engine": given.engine_executions,
                "isolated": given.isolated_executions,
            }[name]
            if kind == "keras" and name != "checks":
                count = min(count, given.keras_executions)
            part = f"{kind} {name}"

            def say(tally: Tally, part: str = part) -> None:
                record(given.out, part, tally.to_dict())

            before = resumed(read_result(given.out).get("parts", {}).get(part), given.seed)
            tally = torture(name, kind, given.seed, count, say, before)
            say(tally)
            print(part, tally.to_dict(), flush=True)


if __name__ == "__main__":
    main()
