"""Run all sections of a benchmark; one that fails is noted, and the others continue."""

from dataclasses import dataclass

from edgedigits.benchmarking.bench_state import Bench, Progress, describe_method, describe_workload
from edgedigits.benchmarking.comparable import MachineMonitor, Save
from edgedigits.benchmarking.measuring.sampling import examine_clock
from edgedigits.benchmarking.sections import SECTIONS
from edgedigits_runtime.errors import ClockError, EdgedigitsError


@dataclass(frozen=True)
class Failure:
    """A section that failed; its measurements until then were saved."""

    section: str
    error: str


def run_bench(bench: Bench, save: Save, progress: Progress = lambda _text, _share: None) -> list[Failure]:
    """Measure all SECTIONS in order, and return the failures.

    Args:
        bench: from open_bench.
        save: receives each section as soon as it is measured.
        progress: called between measurements.

    Raises:
        ClockError: the clock stepped backwards, so no figure of this run is valid.
        OutputNotWritable: from `save`.
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
