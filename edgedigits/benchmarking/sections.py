"""Run a benchmark: its sections in order. One that fails is noted, and the others continue."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from edgedigits.benchmarking.bench_state import Bench, Progress, describe_method, describe_workload, digest_of_model
from edgedigits.benchmarking.comparable import MachineMonitor, Save
from edgedigits.benchmarking.energy import consumption
from edgedigits.benchmarking.energy.meters import NoMeter, open_meter
from edgedigits.benchmarking.measuring import fresh_process, sampling, scenarios, throughput
from edgedigits.benchmarking.measuring.latency_summary import TOTAL
from edgedigits.benchmarking.measuring.sampling import Effort, examine_clock
from edgedigits_runtime.errors import ClockError, EdgedigitsError

SLICES = 5  # Steady latency is measured in slices, with a snapshot of the machine after each.
THROUGHPUT, OFFLINE = 0.75, 0.25  # Their time as a share of steady latency's.


def cold_start_section(bench: Bench) -> None:
    """From the start of a process to its first reading."""
    bench.report("cold start: fresh processes, from their start to the first reading")
    found = fresh_process.ColdStart([])
    try:
        fresh_process.measure_cold_start(
            bench.process_options, bench.workload.files[0], found, bench.options.effort.seconds
        )
    finally:
        bench.save("cold_start", found.to_dict())


def memory_section(bench: Bench) -> None:
    """Resident memory of a fresh process that reads all pictures."""
    bench.report("memory: a fresh process that reads all pictures")
    bench.save("memory", fresh_process.measure_memory(bench.process_options, bench.workload.files))


def size_section(bench: Bench) -> None:
    """Bytes of the model and of the installed distributions."""
    installed = fresh_process.installed_bytes(bench.engine.name)
    model = digest_of_model(bench.file)["bytes"]
    bench.save("size", {"model_bytes": model, "installed_bytes": sum(installed.values()), "installed": installed})


def stages_section(bench: Bench) -> None:
    """Steady latency of each stage."""
    call, pictures = bench.call()
    effort, times = bench.options.effort, bench.times
    bench.report("warm-up, until stable")
    bench.save("method", describe_method(bench, warmup=sampling.warm_up(call, pictures, effort)))
    part = Effort(-(-effort.iterations // SLICES), effort.seconds / SLICES)
    try:
        for number in range(SLICES):
            bench.report(f"steady latency, {effort.seconds:g} s ({number + 1} of {SLICES})")
            # The snapshot has filled the caches with other data.
            for k in range(pictures):
                call(k)
            sampling.measure(call, pictures, part, times.total, keep=times.keep)
            bench.monitor.look()
    finally:
        bench.save("stages", times.summaries())


def throughput_section(bench: Bench) -> None:
    """Throughput by batch size and threads, and its knee."""
    points: list[throughput.Point] = []
    counts = throughput.thread_counts(bench.engine.workers)
    total = len(counts) * len(throughput.BATCHES)

    def each() -> None:
        bench.monitor.look()
        bench.report(f"throughput ({len(points)} of {total} settings)")

    seconds = THROUGHPUT * bench.options.effort.seconds
    try:
        bench.report(f"throughput: {total} settings of batch and threads")
        throughput.measure_throughput(bench.engine, bench.framed, points, threads=counts, seconds=seconds, each=each)
    finally:
        knee = {**asdict(throughput.knee(points)), "rule": throughput.KNEE} if points else None
        bench.save("throughput", {"what": "framed images to probabilities", "points": points, "knee": knee})


def scenarios_section(bench: Bench) -> None:
    """Single-stream, from the steady latency, and offline."""
    found: dict[str, Any] = {}
    if total := bench.times.summaries().get(TOTAL):
        found["single_stream"] = scenarios.single_stream(total)
        bench.save("scenarios", found)
    bench.report("offline: all images at once")
    seconds = OFFLINE * bench.options.effort.seconds
    found["offline"] = scenarios.offline(bench.reader.classifier, bench.framed, seconds)
    bench.save("scenarios", found)
    bench.monitor.look()


def energy_section(bench: Bench) -> None:
    """Microjoules of one call, if the board has a meter."""
    wanted = bench.options.meter
    meter = open_meter(bench.options.root, wanted)
    if isinstance(meter, NoMeter):
        bench.save("energy", meter.to_dict())
        return
    call, pictures = bench.call()

    def work() -> int:
        for k in range(pictures):
            call(k)
        return pictures

    # A battery takes minutes, so only a user who names it waits for it.
    plan = consumption.Plan(seconds=max(consumption.Plan.seconds, meter.least_seconds if wanted else 0.0))
    bench.report(f"energy, by {meter.name}: at rest and at work in turns, {plan.seconds:g} s each")
    bench.save("energy", consumption.measure_energy(meter, work, plan).to_dict())


def accuracy_section(bench: Bench) -> None:
    """Accuracy of this file with this engine, on request."""
    from edgedigits.benchmarking.measuring.accuracy import measure_accuracy

    if bench.options.accuracy is None:
        bench.save("accuracy", None)
        return
    bench.report("accuracy")
    bench.save("accuracy", measure_accuracy(bench.reader.classifier, bench.file, bench.options.accuracy))


def sustained_section(bench: Bench) -> None:
    """Latency over minutes, on request."""
    minutes = bench.options.sustained
    if minutes is None:
        bench.save("sustained", None)
        return
    call, pictures = bench.call()
    found = scenarios.Sustained(minutes)

    def look() -> dict[str, Any]:
        now = bench.monitor.look()
        return {"mhz": now.clocks.fastest_mhz, "celsius": now.processor_celsius, "throttled": now.throttling.now}

    def each() -> None:
        bench.report(f"sustained: {found.windows[-1]['at'] / 60:.1f} of {minutes:g} minutes")

    bench.report(f"sustained: {minutes:g} minutes")
    try:
        scenarios.sustain(call, pictures, found, look, each=each)
    finally:
        bench.save("sustained", found.to_dict())


SECTIONS: dict[str, Callable[[Bench], None]] = {
    "cold_start": cold_start_section,
    "memory": memory_section,
    "size": size_section,
    "stages": stages_section,
    "throughput": throughput_section,
    "scenarios": scenarios_section,
    "energy": energy_section,
    "accuracy": accuracy_section,
    "sustained": sustained_section,
}


@dataclass(frozen=True)
class Failure:
    """A section that failed; its measurements until then were saved."""

    section: str
    error: str


def run_bench(bench: Bench, save: Save, progress: Progress = lambda _text, _share: None) -> list[Failure]:
    """Measure all SECTIONS in order, save each as soon as it is measured, and return the failures.

    Raises:
        ClockError: the clock stepped backwards, so no figure of this run is valid.
    """
    bench.save, bench.progress = save, progress
    bench.monitor = MachineMonitor(save, bench.options.root)
    save("clock", examine_clock())
    save("workload", describe_workload(bench))
    save("method", describe_method(bench))
    failures: list[Failure] = []
    for number, (name, section) in enumerate(SECTIONS.items()):
        bench.done = number / len(SECTIONS)
        try:
            section(bench)
        except ClockError:
            raise
        except EdgedigitsError as error:
            failures.append(Failure(name, str(error)))
        except Exception as error:  # noqa: BLE001  # Any engine's error: it is reported, the other sections continue.
            line = (str(error).strip().splitlines() or ["no message"])[0]
            failures.append(Failure(name, f"{bench.engine.name} failed: {type(error).__name__}: {line}"))
        save("failures", failures)
    bench.monitor.finish()
    return failures
