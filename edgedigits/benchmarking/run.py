"""A whole benchmark of one model on one engine, section by section; each is handed over as soon as it is measured."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.measuring.clock import examine_clock
from edgedigits.benchmarking.measuring.fresh_process import Setup
from edgedigits.benchmarking.measuring.sampling import GARBAGE_COLLECTION, RULE, Call, Effort
from edgedigits.benchmarking.measuring.stages import StageTimes
from edgedigits.benchmarking.measuring.statistics import INTERVAL, PERCENTILE
from edgedigits.benchmarking.measuring.workload import (
    What,
    Workload,
    framed_images,
    invoke_call,
    load_workload,
    read_call,
)
from edgedigits.benchmarking.surroundings import Save, Surroundings
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ClockError, EdgedigitsError, MeasurementError
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.reader import Reader

Show = Callable[[str, float], object]


@dataclass(frozen=True)
class BenchOptions:
    """What is measured, and how long.

    Attributes:
        model, engine, device, options, contract: see edgedigits.load.
        what: "read", every stage of reading pictures; "invoke", the engine alone.
        pictures: a name of workload.KINDS, a file or a folder.
        effort: of steady latency.
        accuracy: how many test images to classify; None for not at all.
        sustained: minutes; None for not at all.
        meter: of energy, as edgedigits.benchmarking.energy.open_meter takes it, and measured for as long as it needs;
            whichever there is, for some seconds, if None.
        root: of the files in which the machine tells of itself.
    """

    model: str = "base"
    engine: str | None = None
    device: str = "auto"
    options: EngineOptions = EngineOptions()
    contract: Path | None = None
    what: What = "read"
    pictures: str = "photo"
    effort: Effort = Effort(seconds=8.0)
    accuracy: int | None = None
    sustained: float | None = None
    meter: str | None = None
    root: Path = Path("/")


@dataclass(frozen=True)
class Failure:
    """A section that could not be measured, and why; what it had measured until then was handed over."""

    section: str
    error: str


@dataclass(eq=False)
class Bench:
    """One run: what its sections share.

    Attributes:
        options: what is measured.
        reader: with the engine that is measured.
        file: of the model.
        workload: the pictures.
        save: takes what was measured.
        show: is told what goes on and which share of the sections is done, between measurements only.
        times: of steady latency, as far as it was measured.
        around: the machine while it worked; there once the run has begun.
        done: the share of the sections that are over.
    """

    options: BenchOptions
    reader: Reader
    file: Path
    workload: Workload
    save: Save = lambda _name, _content: None
    show: Show = lambda _text, _share: None
    times: StageTimes = field(default_factory=StageTimes)
    around: Surroundings = field(init=False)
    done: float = 0.0

    @property
    def engine(self) -> Engine:
        """What is measured."""
        return self.reader.classifier.engine

    @property
    def setup(self) -> Setup:
        """What a fresh process is told."""
        given = self.options
        return Setup(self.engine.name, self.file, given.engine, given.device, given.options, given.contract)

    @cached_property
    def framed(self) -> Images:
        """What the pictures come to, as the model takes it."""
        return framed_images(self.workload, self.reader)

    def call(self) -> tuple[Call, int]:
        """Return what steady latency measures, and how many pictures it goes round."""
        if self.workload.what == "invoke":
            return invoke_call(self.framed, self.engine), len(self.framed)
        return read_call(self.workload, self.reader), len(self.workload.encoded)

    def tell(self, text: str) -> None:
        """Say what is measured next."""
        self.show(text, self.done)


def open_bench(options: BenchOptions) -> Bench:
    """Load the model and the pictures.

    Raises:
        EdgedigitsError: the model, engine, device, pictures or meter cannot be used.
    """
    from edgedigits.loading import load
    from edgedigits.model_files import find_model

    if options.meter is not None:
        _check_meter(options.meter, options.root)
    file = find_model(options.model, engine=options.engine, device=options.device)
    workload = load_workload(options.what, options.pictures)
    reader = load(
        file, engine=options.engine, device=options.device, options=options.options, contract=options.contract
    )
    return Bench(options, reader, file, workload)


def _check_meter(wanted: str, root: Path) -> None:
    """Refuse a meter that cannot be used now, rather than after all else was measured."""
    from edgedigits.benchmarking.energy import NoMeter, open_meter

    meter = open_meter(root, wanted)
    if isinstance(meter, NoMeter):
        raise MeasurementError(f"the meter {wanted} cannot be used: {meter.reason}")


def run_bench(bench: Bench, save: Save, show: Show = lambda _text, _share: None) -> list[Failure]:
    """Measure everything, in the order of sections.SECTIONS; return what could not be measured.

    A section that fails is noted, and the others go on.

    Args:
        bench: from open_bench.
        save: takes each section as soon as it is measured.
        show: see Bench.

    Raises:
        ClockError: the clock stepped backwards; no figure of such a run is worth anything.
        OutputNotWritable: from `save`.
    """
    from edgedigits.benchmarking.sections import SECTIONS

    bench.save, bench.show = save, show
    bench.around = Surroundings(save, bench.options.root)
    bench.save("clock", examine_clock())
    bench.save("workload", describe_workload(bench))
    bench.save("method", describe_method(bench))
    failures: list[Failure] = []
    for number, (name, section) in enumerate(SECTIONS.items()):
        bench.done = number / len(SECTIONS)
        try:
            section(bench)
        except ClockError:
            raise
        except EdgedigitsError as error:
            failures.append(Failure(name, str(error)))
        except Exception as error:  # noqa: BLE001  # Any engine's own: it has its line, the other sections go on.
            failures.append(Failure(name, f"{bench.engine.name} failed: {type(error).__name__}: {_first_line(error)}"))
        bench.save("failures", failures)
    bench.around.finish()
    return failures


def describe_workload(bench: Bench) -> dict[str, Any]:
    """Return what is measured, so that two results can be held against each other."""
    contract, engine, options = bench.reader.classifier.contract, bench.engine, bench.options.options
    return {
        "what": bench.workload.what,
        "pictures": bench.workload.to_dict(),
        "model": {
            "name": contract.name,
            "format": contract.format,
            "precision": contract.precision,
            **digest_of_model(bench.file),
        },
        "engine": engine.name,
        "device": engine.device,
        "providers": engine.providers,
        "threads": options.threads,
        "kernels": options.kernels,
        "cores": options.cores,
    }


def describe_method(bench: Bench, **changes: object) -> dict[str, Any]:
    """Return how it is measured, in the words of docs/bench.md."""
    effort = bench.options.effort
    return {
        "gc": GARBAGE_COLLECTION,
        "warmup": {"rule": f"{RULE}, at most {effort.warmup_seconds:g} s", "iterations": 0, "stable": False},
        "min_iterations": effort.iterations,
        "min_seconds": effort.seconds,
        "outliers": "none removed",
        "percentile": PERCENTILE,
        "interval": INTERVAL,
        "clock": "overhead shown, subtracted nowhere",
    } | changes


def digest_of_model(file: Path) -> dict[str, Any]:
    """Return "bytes" and "sha256" of a model's file, or of all files of a folder of C."""
    files = [path for path in sorted(file.rglob("*")) if path.is_file()] if file.is_dir() else [file]
    whole, size = hashlib.sha256(), 0
    for path in files:
        content = path.read_bytes()
        size += len(content)
        whole.update(content)
    return {"bytes": size, "sha256": whole.hexdigest()}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]
