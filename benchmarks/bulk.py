"""Pictures a second of bulk reading by the number of workers, and what 100,000,000 would take (`make bench-bulk`).

Two kinds of workers: real ones, as many as there are cores, and ones that sleep for each picture in place of reading
it, which show what Ray and our loop cost where there are more workers than cores here. All begin at the same moment.
benchmarks/results/bulk.json keeps the figures with the machine, and docs/bulk.md a table and an estimate of them.
"""

import io
import json
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.publishing import write_section
from edgedigits.bulk.bulk_reading import read_bulk
from edgedigits.bulk.options import BulkOptions
from edgedigits.bulk.worker import Worker
from edgedigits.data import load_dataset
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.machine import core_count, installed_version
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import Reading
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "bulk.json"
PAGE = Path(__file__).parent.parent / "docs" / "bulk.md"
EXAMPLES = Path(__file__).parent.parent / "examples"

SLEEP = 0.05
"""Seconds that a sleeping worker takes for a picture."""

SLEEPERS = (4, 8, 16, 32, 64)
UNITS_EACH, UNIT = 12, 32
"""Units that each sleeping worker gets, and their pictures."""

REAL = {"28x28 PNG in tars": 10_000, "examples/ in tars": 480}

ONE_CORE = EngineOptions(threads=1, workers=1)

HUNDRED_MILLION = 100_000_000
PRICE = 0.05
"""US dollars for an hour of one core of a rented machine; an assumption, to be replaced by yours."""


@dataclass(frozen=True)
class TogetherOptions(ReaderOptions):
    """Opens a reader as soon as all workers do, so that starting them is no part of the time; notes when that was.

    Attributes:
        gate: a folder where each worker leaves a file.
        workers: how many there are.
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
    """Notes when pictures were read."""

    at: list[float] = field(default_factory=list)

    def stage(self, name: str) -> None:
        """Nothing to do."""

    def set_total(self, pictures: int | None) -> None:
        """Nothing to do."""

    def advance(self, pictures: int) -> None:
        if pictures:
            self.at.append(time.time())


@dataclass(frozen=True)
class Rate:
    """What was measured.

    Attributes:
        what: was read.
        workers: on Ray; 0 is one process without Ray.
        pictures: how many.
        seconds: from the moment when all workers were ready to the last part.
        alone: pictures a second of one worker, measured without Ray, or known of a sleeping one.
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
        """Of what as many workers as there are would read alone."""
        return self.rate / (self.alone * max(self.workers, 1))


def main() -> None:
    """Measure, print, and write the figures with the machine; numbers as arguments are those of sleeping workers."""
    sleepers = [int(argument) for argument in sys.argv[1:]] or SLEEPERS
    busy_before = os.getloadavg()[0]
    found: list[Rate] = []
    with tempfile.TemporaryDirectory() as name:
        for what, count in REAL.items():
            source = _tars(Path(name) / what.partition(" ")[0].strip("/"), what, count)
            alone = _without_ray(source, what, count)
            found += [_said(alone), *(
                _said(_on_ray(source, what, count, workers, alone.rate, TogetherOptions, UNIT if count < 1000 else 250))
                for workers in sorted({1, core_count()})
            )]  # fmt: skip
        for workers in sleepers:
            count = workers * UNITS_EACH * UNIT
            source = _empty_files(Path(name) / f"{workers}", count)
            what = f"asleep for {1000 * SLEEP:.0f} ms a picture"
            found.append(_said(_on_ray(source, what, count, workers, 1 / SLEEP, SleepingOptions, UNIT)))
    measured = {
        "machine": describe_machine(),
        "libraries": {name: installed_version(name) for name in ("ray", "pyarrow", "fsspec")},
        "load_average_before": busy_before,
        "rates": [{**asdict(each), "rate": each.rate, "efficiency": each.efficiency} for each in found],
    }
    write_whole(RESULTS, json.dumps(measured, indent=1) + "\n")
    write_table()


def _said(rate: Rate) -> Rate:
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
    """One process that does all that an actor does."""
    began = [0.0]

    def here(job: Any, numbers: list[int], _options: Any, _progress: Any) -> Generator[Any]:
        worker = Worker(job)
        # Opening the model is no part of the time.
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
        images = load_dataset("mnist").test.images[:count]
        contents = [_png(image.squeeze()) for image in images]
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


def _png(image: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _empty_files(folder: Path, count: int) -> Path:
    folder.mkdir()
    for index in range(count):
        (folder / f"{index}.png").touch()
    return folder


def write_table() -> None:
    """Write what bulk.json holds into the page on bulk reading."""
    write_section(PAGE, "bulk", table(json.loads(RESULTS.read_text())))


def table(found: dict[str, Any]) -> str:
    """Return the figures and the estimate as Markdown."""
    rates, machine = found["rates"], found["machine"]
    rows = [
        f"| {rate['what']} | {rate['workers'] or 'one process without Ray'} | {rate['rate']:,.0f} |"
        f" {rate['efficiency']:.0%} |"
        for rate in rates
    ]
    return "\n".join(
        [
            "| what is read | workers | pictures a second | efficiency |",
            "|---|---|---|---|",
            *rows,
            "",
            "Efficiency is the rate against as many times that of one process without Ray; a sleeping worker alone"
            f" reads {1 / SLEEP:.0f} a second. From the moment when all workers are ready to the last part, on"
            f" {machine['processor']}, {machine['cores']} cores, Ray {found['libraries']['ray']}, with a load average"
            f" of {found['load_average_before']:.1f} from other work before.",
            "",
            "### What a hundred million pictures take",
            "",
            *_estimates(rates),
        ]
    )


def _estimates(rates: list[dict[str, Any]]) -> Iterator[str]:
    many = [rate for rate in rates if rate["what"].startswith("asleep")]
    most = max(many, key=lambda rate: rate["workers"])
    yield (
        f"With r pictures a second and core (a worker alone, above), efficiency e ({most['efficiency']:.0%}, that of"
        f" {most['workers']} sleeping workers), and a core's hour for ${PRICE:.2f} (an assumption; put yours):"
    )
    yield ""
    yield "| pictures | core hours: 100,000,000 / r / e / 3,600 | hours on 64 cores | cost |"
    yield "|---|---|---|---|"
    for rate in rates:
        if rate["workers"] == 0:
            hours = HUNDRED_MILLION / rate["rate"] / most["efficiency"] / 3600
            yield (
                f"| {rate['what'].partition(' in ')[0]} | 100,000,000 / {rate['rate']:,.0f} / {most['efficiency']:.2f}"
                f" / 3,600 = {hours:,.0f} | {hours / 64:,.1f} | ${hours * PRICE:,.0f} |"
            )


if __name__ == "__main__":
    main()
