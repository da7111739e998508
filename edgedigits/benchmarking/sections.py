"""The sections of a benchmark, in their order; each measures one thing and hands it over, in parts where it is long."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edgedigits.benchmarking.measuring.stages import TOTAL

if TYPE_CHECKING:
    from edgedigits.benchmarking.measuring.throughput import Point
    from edgedigits.benchmarking.run import Bench

SLICES = 5
"""Steady latency is measured in so many stretches; between them the machine is looked at."""

THROUGHPUT, OFFLINE = 0.75, 0.25
"""Their time, as shares of that of steady latency."""


def cold_start(bench: "Bench") -> None:
    """From the start of a process to its first reading."""
    from edgedigits.benchmarking.measuring.cold_start import ColdStart, measure_cold_start

    bench.tell("cold start: fresh processes, from their start to the first reading")
    found = ColdStart([])
    try:
        measure_cold_start(bench.setup, bench.workload.files[0], found, bench.options.effort.seconds)
    finally:
        bench.save("cold_start", found.to_dict())


def memory(bench: "Bench") -> None:
    """Resident memory of a fresh process that reads all pictures."""
    from edgedigits.benchmarking.measuring.memory import measure_memory

    bench.tell("memory: a fresh process that reads all pictures")
    bench.save("memory", measure_memory(bench.setup, bench.workload.files))


def size(bench: "Bench") -> None:
    """Bytes of the model and of what is installed."""
    from edgedigits.benchmarking.measuring.memory import installed_bytes
    from edgedigits.benchmarking.run import digest_of_model

    installed = installed_bytes(bench.engine.name)
    bench.save(
        "size",
        {
            "model_bytes": digest_of_model(bench.file)["bytes"],
            "installed_bytes": sum(installed.values()),
            "installed": installed,
        },
    )


def stages(bench: "Bench") -> None:
    """Steady latency of each stage."""
    from edgedigits.benchmarking.measuring.sampling import Effort, measure, warm_up
    from edgedigits.benchmarking.run import describe_method

    call, pictures = bench.call()
    effort, times = bench.options.effort, bench.times
    bench.tell("warm-up, until stable")
    warmup = warm_up(call, pictures, effort)
    bench.save("method", describe_method(bench, warmup=warmup))
    part = Effort(-(-effort.iterations // SLICES), effort.seconds / SLICES)
    try:
        for number in range(SLICES):
            bench.tell(f"steady latency, {effort.seconds:g} s ({number + 1} of {SLICES})")
            # Looking at the machine has filled the caches with other things.
            for k in range(pictures):
                call(k)
            measure(call, pictures, part, times.total, keep=times.keep)
            bench.around.look()
    finally:
        bench.save("stages", times.summaries())


def throughput(bench: "Bench") -> None:
    """Batch sizes and threads, and the knee."""
    from edgedigits.benchmarking.measuring.throughput import BATCHES, KNEE, knee, measure_throughput, thread_counts

    points: list[Point] = []
    counts = thread_counts(bench.engine.workers)
    total = len(counts) * len(BATCHES)

    def each() -> None:
        bench.around.look()
        bench.tell(f"throughput ({len(points)} of {total} settings)")

    seconds = THROUGHPUT * bench.options.effort.seconds
    try:
        bench.tell(f"throughput: {total} settings of batch and threads")
        measure_throughput(bench.engine, bench.framed, points, threads=counts, seconds=seconds, each=each)
    finally:
        found: dict[str, Any] = {
            "what": "framed images to probabilities",
            "points": [asdict(point) for point in points],
        }
        bench.save("throughput", found | {"knee": {**asdict(knee(points)), "rule": KNEE} if points else None})


def scenarios(bench: "Bench") -> None:
    """One by one, which was measured above, and all at once."""
    from edgedigits.benchmarking.measuring.scenarios import offline, single_stream

    found: dict[str, Any] = {}
    if total := bench.times.summaries().get(TOTAL):
        found["single_stream"] = single_stream(total)
        bench.save("scenarios", found)
    bench.tell("offline: all images at once")
    found["offline"] = offline(bench.reader.classifier, bench.framed, OFFLINE * bench.options.effort.seconds)
    bench.save("scenarios", found)
    bench.around.look()


def energy(bench: "Bench") -> None:
    """Microjoules of one call, where the board tells."""
    from edgedigits.benchmarking.energy import Meter, Plan, measure_energy, open_meter

    wanted = bench.options.meter
    meter = open_meter(bench.options.root, wanted)
    if not isinstance(meter, Meter):
        bench.save("energy", meter.to_dict())
        return
    call, pictures = bench.call()

    def work() -> int:
        for k in range(pictures):
            call(k)
        return pictures

    # Only who asks for a battery waits for it: it takes minutes.
    plan = Plan(seconds=max(Plan.seconds, meter.least_seconds)) if wanted else Plan()
    bench.tell(f"energy, by {meter.name}: at rest and at work in turns, {plan.seconds:g} s each")
    bench.save("energy", measure_energy(meter, work, plan).to_dict())


def accuracy(bench: "Bench") -> None:
    """Of this file with this engine, where it was asked for."""
    from edgedigits.benchmarking.measuring.accuracy import measure_accuracy

    if bench.options.accuracy is None:
        bench.save("accuracy", None)
        return
    bench.tell("accuracy")
    bench.save("accuracy", measure_accuracy(bench.reader.classifier, bench.file, bench.options.accuracy))


def sustained(bench: "Bench") -> None:
    """The same for minutes, where it was asked for."""
    from edgedigits.benchmarking.measuring.scenarios import Sustained, sustain

    minutes = bench.options.sustained
    if minutes is None:
        bench.save("sustained", None)
        return
    call, pictures = bench.call()
    found = Sustained(minutes)

    def look() -> dict[str, Any]:
        seen = bench.around.look()
        return {"mhz": seen.clocks.fastest_mhz, "celsius": seen.processor_celsius, "throttled": seen.throttling.now}

    def each() -> None:
        bench.tell(f"sustained: {found.windows[-1]['at'] / 60:.1f} of {minutes:g} minutes")

    bench.tell(f"sustained: {minutes:g} minutes")
    try:
        sustain(call, pictures, found, look, each=each)
    finally:
        bench.save("sustained", found.to_dict())


SECTIONS: dict[str, Callable[["Bench"], None]] = {
    "cold_start": cold_start,
    "memory": memory,
    "size": size,
    "stages": stages,
    "throughput": throughput,
    "scenarios": scenarios,
    "energy": energy,
    "accuracy": accuracy,
    "sustained": sustained,
}
