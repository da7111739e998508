"""Measure pictures a second of bulk reading by workers, and estimate 100,000,000 pictures: `make bench-bulk`.

There are real workers, up to the number of cores, and workers that sleep instead of reading, which show the overhead of
Ray and of our loop beyond the number of cores. All start at the same moment. The command on one machine, its start
included, is measured in turns with a bare loop over processes with Pillow and LiteRT. The figures go to
benchmarks/results/bulk.json, and a table with an estimate to docs/bulk.md.
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import publishing
from benchmarks.speed import ENVIRONMENT, Comparison, compared, in_turn
from edgedigits.bulk.bulk_options import BulkOptions
from edgedigits.bulk.bulk_reading import read_bulk
from edgedigits.bulk.worker import Worker
from edgedigits.model_files import SHIPPED
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.machine import core_count, installed_version
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import Reading

BULK_FILE = publishing.RESULTS / "bulk.json"
EXAMPLES = publishing.REPOSITORY / "examples"

SLEEP = 0.05
"""Seconds a picture of a sleeping worker."""

SLEEPERS = (4, 8, 16, 32, 64)
UNITS_EACH, UNIT = 12, 32
"""Units of each sleeping worker, and pictures of a unit."""

REAL = {"28x28 PNG in tars": 10_000, "examples/ in tars": 480}

ONE_CORE = EngineOptions(threads=1, workers=1)

HUNDRED_MILLION = 100_000_000
PRICE = 0.05
"""US dollars for an hour of one rented core; an assumption."""


SMALL_FILES = 20_000

BARE = """
import json, multiprocessing, os, sys
from pathlib import Path
import numpy as np
from PIL import Image

def start(model):
    global interpreter, given, answer
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(model, num_threads=1)
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

def read(name):
    with Image.open(name) as image:
        pixels = np.asarray(image)
    interpreter.set_tensor(given, (pixels ^ 0x80).view(np.int8)[None, :, :, None])
    interpreter.invoke()
    return name, int(interpreter.get_tensor(answer)[0].argmax())

if __name__ == "__main__":
    names = sorted(str(path) for path in Path(sys.argv[2]).iterdir())
    with multiprocessing.Pool(int(sys.argv[3]), start, (sys.argv[1],)) as pool, open(os.devnull, "w") as out:
        for row in pool.imap(read, names, 64):
            print(json.dumps(row), file=out)
"""
"""What anyone would write: no checks, no reading, no resumption."""


@dataclass(frozen=True)
class TogetherOptions(ReaderOptions):
    """Opens a reader when all workers are ready, so that their start is not timed.

    Attributes:
        gate: a folder where each worker creates a file when it is ready.
        workers: their number.
    """

    gate: str = ""
    workers: int = 1

    def open(self) -> Reader:
        reader = super().open()
        gate = Path(self.gate)
        (gate / f"{os.getpid()}").touch()
        while len(list(gate.iterdir())) < self.workers:
            time.sleep(0.01)
        return self.opened(reader)

    def opened(self, reader: Reader) -> Reader:
        return reader


@dataclass(frozen=True)
class SleepingOptions(TogetherOptions):
    """Opens a reader that sleeps instead of reading."""

    def opened(self, reader: Reader) -> Reader:
        def read_many(sources: Iterable[Any], *, names: Iterable[str]) -> Iterator[Reading]:
            for _, name in zip(sources, names, strict=True):
                time.sleep(SLEEP)
                yield Reading(name, "", (), "asleep", "none", "cpu", (), {"total": 1000 * SLEEP})

        reader.read_many = read_many  # type: ignore[assignment,method-assign]
        return reader


@dataclass
class Clock:
    """A progress callback that records when pictures were read."""

    at: list[float] = field(default_factory=list)

    def stage(self, name: str) -> None: ...

    def set_total(self, pictures: int | None) -> None: ...

    def advance(self, pictures: int) -> None:
        if pictures:
            self.at.append(time.time())


@dataclass(frozen=True)
class Rate:
    """One measurement.

    Attributes:
        what: was read.
        workers: on Ray; 0 is one process without Ray.
        seconds: from the moment when all workers were ready to the last part.
        alone: pictures a second of one worker without Ray.
    """

    what: str
    workers: int
    pictures: int
    seconds: float
    alone: float

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.pictures / self.seconds

    @property
    def efficiency(self) -> float:
        """The rate relative to as many independent workers."""
        return self.rate / (self.alone * max(self.workers, 1))


def main() -> None:
    """Measure, print and write the figures; arguments are numbers of sleeping workers, 0 for the command alone."""
    commands = on_one_machine()
    print(*commands, sep="\n", flush=True)
    if sys.argv[1:] == ["0"]:
        return
    sleepers = [int(argument) for argument in sys.argv[1:]] or SLEEPERS
    busy_before = os.getloadavg()[0]
    found: list[Rate] = []
    with tempfile.TemporaryDirectory() as name:
        for what, count in REAL.items():
            source = _tars(Path(name) / what.partition(" ")[0].strip("/"), what, count)
            alone = _without_ray(source, what, count)
            found.append(_reported(alone))
            for workers in sorted({1, core_count()}):
                unit = UNIT if count < 1000 else 250
                found.append(_reported(_on_ray(source, what, count, workers, alone.rate, TogetherOptions, unit)))
        for workers in sleepers:
            count = workers * UNITS_EACH * UNIT
            source = _empty_files(Path(name) / f"{workers}", count)
            what = f"asleep for {1000 * SLEEP:.0f} ms a picture"
            found.append(_reported(_on_ray(source, what, count, workers, 1 / SLEEP, SleepingOptions, UNIT)))
    measured = publishing.with_machine(
        libraries={name: installed_version(name) for name in ("ray", "pyarrow", "fsspec")},
        load_average_before=busy_before,
        commands=commands,
        rates=[{**asdict(each), "rate": each.rate, "efficiency": each.efficiency} for each in found],
    )
    publishing.write_results(BULK_FILE, measured)
    publishing.write_section(publishing.DOCS / "bulk.md", "bulk", page_section(measured))


def on_one_machine() -> list[Comparison]:
    """Compare the command with the bare loop, for one picture and for SMALL_FILES; all start included."""
    images, found = publishing.mnist_test().images, []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE)
        for count, rounds in ((1, 5), (SMALL_FILES, 2)):
            pictures = Path(folder) / str(count)
            pictures.mkdir()
            for number in range(count):
                (pictures / f"{number:05}.png").write_bytes(publishing.png(images[number % len(images), ..., 0]))
            bare = [sys.executable, str(script), str(SHIPPED / "base.tflite"), str(pictures), str(core_count())]
            taken = in_turn({"ours": partial(_run_bulk, pictures), "bare": partial(_run, bare)}, rounds)
            what = f"read-bulk of {count:,} PNG files of 28x28, whole command"
            found.append(compared(what, taken, "ours", "bare", "a bare loop over processes with LiteRT"))
    return found


def _run_bulk(pictures: Path) -> None:
    with tempfile.TemporaryDirectory() as out:
        _run([sys.executable, "-m", "edgedigits", "read-bulk", str(pictures), "--out", out])


def _run(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)


def _reported(rate: Rate) -> Rate:
    print(f"{rate.what}, {rate.workers} workers: {rate.rate:,.0f} a second, {rate.efficiency:.0%}", flush=True)
    return rate


def _on_ray(
    source: Path, what: str, count: int, workers: int, alone: float, kind: type[TogetherOptions], unit: int
) -> Rate:
    with tempfile.TemporaryDirectory() as folder:
        gate = Path(folder) / "gate"
        gate.mkdir()
        clock = Clock()
        options = kind(engine_options=ONE_CORE, gate=str(gate), workers=workers)
        read_bulk(BulkOptions((str(source),), f"{folder}/out", options, workers=workers, part_size=unit), clock)
        began = max(file.stat().st_mtime for file in gate.iterdir())
    return Rate(what, workers, count, clock.at[-1] - began, alone)


def _without_ray(source: Path, what: str, count: int) -> Rate:
    """Do an actor's work in this process."""
    began = [0.0]

    def here(job: Any, numbers: list[int], _options: Any, _progress: Any) -> Generator[Any]:
        worker = Worker(job)
        # Opening the model is not timed.
        yield worker.read(numbers[0])
        began[0] = time.time()
        for number in numbers[1:]:
            yield worker.read(number)

    unit = UNIT if count < 1000 else 250
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        reading = ReaderOptions(engine_options=ONE_CORE)
        read_bulk(BulkOptions((str(source),), f"{folder}/out", reading, part_size=unit), clock, here)
    seconds = clock.at[-1] - began[0]
    return Rate(what, 0, count - unit, seconds, (count - unit) / seconds)


def _tars(folder: Path, what: str, count: int) -> Path:
    """Write the pictures in tars of 1,000, and return the folder."""
    folder.mkdir()
    if what.startswith("28x28"):
        contents = [publishing.png(image.squeeze()) for image in publishing.mnist_test().images[:count]]
    else:
        drawn = [path.read_bytes() for path in sorted(EXAMPLES.glob("*.*g"))]
        contents = [drawn[index % len(drawn)] for index in range(count)]
    for start in range(0, count, 1000):
        with tarfile.open(folder / f"{start:08}.tar", "w") as tar:
            for index, content in enumerate(contents[start : start + 1000], start):
                member = tarfile.TarInfo(f"{index:08}.png")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return folder


def _empty_files(folder: Path, count: int) -> Path:
    folder.mkdir()
    for index in range(count):
        (folder / f"{index}.png").touch()
    return folder


def page_section(found: dict[str, Any]) -> str:
    """Return the figures and the estimate as Markdown."""
    rates = found["rates"]
    rows = [
        [rate["what"], str(rate["workers"] or "one process without Ray"), f"{rate['rate']:,.0f}",
         f"{rate['efficiency']:.0%}"]
        for rate in rates
    ]  # fmt: skip
    conditions = (
        "Efficiency is the rate relative to that of one process without Ray times the workers; a sleeping worker alone"
        f" reads {1 / SLEEP:.0f} a second. From the moment when all workers are ready to the last part, on"
        f" {publishing.place_of(found['machine'])}, Ray {found['libraries']['ray']}, with a load average of"
        f" {found['load_average_before']:.1f} from other work before."
    )
    written = publishing.table(["what is read", "workers", "pictures a second", "efficiency"], rows)
    on_one = [
        [each["what"], f"{each['ours'] / 1000:.1f} s", f"{each['other'] / 1000:.1f} s", f"{each['cpu']:.2f}"]
        for each in found["commands"]
    ]
    head = ["on one machine", "ours", found["commands"][0]["beside"], "times its CPU time"]
    return "\n\n".join(
        [
            publishing.table(head, on_one),
            written,
            conditions,
            "### What a hundred million pictures take",
            _estimate(rates),
        ]
    )


def _estimate(rates: list[dict[str, Any]]) -> str:
    many = [rate for rate in rates if rate["what"].startswith("asleep")]
    most = max(many, key=lambda rate: rate["workers"])
    efficiency, rows = most["efficiency"], []
    for rate in (rate for rate in rates if rate["workers"] == 0):
        hours = HUNDRED_MILLION / rate["rate"] / efficiency / 3600
        formula = f"100,000,000 / {rate['rate']:,.0f} / {efficiency:.2f} / 3,600 = {hours:,.0f}"
        rows.append([rate["what"].partition(" in ")[0], formula, f"{hours / 64:,.1f}", f"${hours * PRICE:,.0f}"])
    assumptions = (
        f"With r pictures a second and core (a worker alone, above), efficiency e ({efficiency:.0%}, that of"
        f" {most['workers']} sleeping workers), and ${PRICE:.2f} for a core's hour (an assumption; insert yours):"
    )
    head = ("pictures", "core hours: 100,000,000 / r / e / 3,600", "hours on 64 cores", "cost")
    return f"{assumptions}\n\n{publishing.table(head, rows)}"


if __name__ == "__main__":
    main()
