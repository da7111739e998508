"""The options and the shared state of one benchmark: one model on one engine."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from edgedigits.benchmarking.comparable import MachineMonitor, Save
from edgedigits.benchmarking.energy.meters import NoMeter, open_meter
from edgedigits.benchmarking.measuring.fresh_process import ProcessOptions
from edgedigits.benchmarking.measuring.latency_summary import INTERVAL, PERCENTILE, StageTimes
from edgedigits.benchmarking.measuring.sampling import GARBAGE_COLLECTION, RULE, Call, Effort
from edgedigits.benchmarking.measuring.workload import (
    What,
    Workload,
    framed_images,
    invoke_call,
    load_workload,
    read_call,
)
from edgedigits.loading import load
from edgedigits.model_files import DEFAULT_FINDER, find_finder, find_model
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import MeasurementError
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.reader import Reader

Progress = Callable[[str, float], object]  # Progress callback: the current work, and the share that is done.


@dataclass(frozen=True)
class BenchOptions:
    """Subject and length of a benchmark."""

    model: str = "base"  # model, engine, device, options: see edgedigits.load.
    engine: str | None = None
    device: str = "auto"
    options: EngineOptions = EngineOptions()
    what: What = "read"  # what, pictures: see measuring.workload.
    pictures: str = "photo"
    effort: Effort = Effort(seconds=8.0)  # Of steady latency.
    accuracy: int | None = None  # How many test images to classify; None for none.
    sustained: float | None = None  # Minutes; None for none.
    meter: str | None = None  # See energy.meters; None for the first one.
    finder: str | None = DEFAULT_FINDER  # See edgedigits.load.
    root: Path = Path("/")  # Beneath which the kernel's files lie.


@dataclass(eq=False)
class Bench:
    """The state that the sections of one run share."""

    options: BenchOptions
    reader: Reader
    file: Path  # Of the model.
    workload: Workload
    save: Save = lambda _name, _content: None  # Receives each section.
    progress: Progress = lambda _text, _share: None  # Called between measurements only.
    times: StageTimes = field(default_factory=StageTimes)  # Of steady latency so far.
    monitor: MachineMonitor = field(init=False)  # Of the machine; set when the run starts.
    done: float = 0.0  # The share of the sections that are finished.

    @property
    def engine(self) -> Engine:
        return self.reader.classifier.engine

    @property
    def process_options(self) -> ProcessOptions:
        """Options of a fresh process that reads with the same model and engine."""
        given = self.options
        return ProcessOptions(self.engine.name, self.file, given.engine, given.device, given.options, given.finder)

    @cached_property
    def framed(self) -> Images:
        """The framed digits of the pictures."""
        return framed_images(self.workload, self.reader)

    def call(self) -> tuple[Call, int]:
        """Return the call that steady latency times, and the number of pictures that it cycles through."""
        if self.workload.what == "invoke":
            return invoke_call(self.framed, self.engine), len(self.framed)
        return read_call(self.workload, self.reader), len(self.workload.encoded)

    def report(self, text: str) -> None:
        """Report what is measured next."""
        self.progress(text, self.done)


def open_bench(options: BenchOptions) -> Bench:
    """Load the model and the pictures, and check the meter before anything is measured. Raises EdgedigitsError."""
    if options.meter is not None:
        meter = open_meter(options.root, options.meter)
        if isinstance(meter, NoMeter):
            raise MeasurementError(f"the meter {options.meter} cannot be used: {meter.reason}")
    file = find_model(options.model, engine=options.engine, device=options.device)
    workload = load_workload(options.what, options.pictures)
    reader = load(file, engine=options.engine, device=options.device, options=options.options, finder=options.finder)
    return Bench(options, reader, file, workload)


def describe_workload(bench: Bench) -> dict[str, Any]:
    """Return the result's description of the work, by which results are compared."""
    contract, engine, options = bench.reader.classifier.contract, bench.engine, bench.options.options
    described = {"name": contract.name, "format": contract.format, "precision": contract.precision}
    return {
        "what": bench.workload.what,
        "pictures": bench.workload.to_dict(),
        "model": described | digest_of_model(bench.file),
        "engine": engine.name,
        "device": engine.device,
        "providers": engine.providers,
        "threads": options.threads,
        "kernels": options.kernels,
        "cores": options.cores,
    } | _describe_finder(bench)


def _describe_finder(bench: Bench) -> dict[str, Any]:
    finder, file = bench.reader.finder, find_finder(bench.options.finder, device=bench.options.device)
    if finder is None or file is None or bench.workload.what != "read":
        return {}
    contract = finder.network.contract
    described = {"name": contract.name, "format": contract.format, "precision": contract.precision}
    used = {"engine": finder.engine.engine, "device": finder.engine.device, "providers": finder.engine.providers}
    return {"finder": {"model": described | digest_of_model(file), **used}}


def describe_method(bench: Bench, **changes: object) -> dict[str, Any]:
    """Return the result's description of the method; see docs/bench.md."""
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
