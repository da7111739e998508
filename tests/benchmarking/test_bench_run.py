"""A whole benchmark: every section is saved as it is measured, and one that fails does not stop the others."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from benchmarks.synthetic_engine import SyntheticEngine
from edgedigits.benchmarking import sections
from edgedigits.benchmarking.bench_state import Bench, BenchOptions, describe_workload, digest_of_model, open_bench
from edgedigits.benchmarking.energy import consumption
from edgedigits.benchmarking.energy.meters import Meter, NoMeter
from edgedigits.benchmarking.measuring import sampling
from edgedigits.benchmarking.measuring.sampling import Effort
from edgedigits.benchmarking.measuring.workload import load_workload
from edgedigits.benchmarking.results.comparing import unequal_work
from edgedigits.benchmarking.results.result_file import plain
from edgedigits.benchmarking.results.result_text import duration, size, three_digits
from edgedigits.benchmarking.results.terminal_page import page
from edgedigits.benchmarking.sections import Failure, run_bench
from edgedigits.model_files import SHIPPED
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.errors import ClockError, MeasurementError, UnknownName
from edgedigits_runtime.reading.reader import Reader
from tests.support.recorded_machines import unpack, write
from tests.support.tiny_finder import write_finder
from tests.support.tiny_models import int8_contract

SHORT = Effort(iterations=20, seconds=0, warmup_seconds=0)
ROUND = 10
IN_PROCESS = ("stages", "throughput", "scenarios", "accuracy", "sustained")


class Saved(dict[str, Any]):
    """The saved sections and their order."""

    def __init__(self) -> None:
        self.order: list[str] = []

    def put(self, name: str, content: Any) -> None:
        self.order.append(name)
        # A copy, as a file would hold it.
        self[name] = plain(content)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the sections that start processes or read installed distributions."""
    monkeypatch.setattr(sections, "SECTIONS", {name: sections.SECTIONS[name] for name in IN_PROCESS})


def bench_of(dies_after: int | None = None, **options: Any) -> Bench:
    """Return a benchmark of an engine that takes a tenth of a millisecond."""
    engine = SyntheticEngine(int8_contract(), np.array([100_000]), dies_after=dies_after)
    given = BenchOptions(what="invoke", pictures="small", effort=SHORT, **options)
    return Bench(given, Reader(Classifier(engine)), SHIPPED / "pico.tflite", load_workload("invoke", "small"))


@pytest.mark.slow
def test_sections_are_saved_in_order_with_progress(in_process: None) -> None:
    saved, reported = Saved(), list[tuple[str, float]]()
    assert run_bench(bench_of(), saved.put, lambda text, share: reported.append((text, share))) == []
    assert [*dict.fromkeys(saved.order)] == [
        "fingerprint", "clock", "workload", "method", "comparable", "stages", "failures", *IN_PROCESS[1:],
    ]  # fmt: skip
    assert saved["stages"]["total"]["count"] == 5 * ROUND
    assert saved["stages"]["invoke"]["p50"] == pytest.approx(0.1, rel=0.5)
    assert saved["scenarios"]["single_stream"]["queries"] == 5 * ROUND
    assert saved["fingerprint"]["during"]["samples"] >= 5
    assert saved["accuracy"] is saved["sustained"] is None
    assert saved["workload"]["engine"] == "synthetic"
    shares = [share for _, share in reported]
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_an_engine_that_fails_keeps_its_measurements(in_process: None) -> None:
    saved = Saved()
    # In the second slice, after an uncounted round in each.
    failures = run_bench(bench_of(dies_after=3 * ROUND + 7), saved.put)
    assert [failure.section for failure in failures] == ["stages", "throughput", "scenarios"]
    assert isinstance(failures[0], Failure)
    assert "RuntimeError" in failures[0].error
    assert saved["stages"]["total"]["count"] == ROUND + 7
    assert saved["failures"][0]["section"] == "stages"
    assert saved["scenarios"]["single_stream"]["queries"] == saved["stages"]["total"]["count"]
    assert saved["throughput"]["knee"] is None
    assert "comparable" in saved


def test_a_backward_clock_ends_the_run(in_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ClockError("the clock stepped backwards by 5 ns")

    monkeypatch.setattr(sampling, "measure", broken)
    saved = Saved()
    with pytest.raises(ClockError):
        run_bench(bench_of(), saved.put)
    assert {"fingerprint", "clock", "workload", "method"} <= set(saved)
    assert "throughput" not in saved


@pytest.mark.slow
def test_a_sustained_run(in_process: None) -> None:
    saved = Saved()
    run_bench(bench_of(sustained=0.003), saved.put)
    window = saved["sustained"]["windows"][0]
    assert {"at", "count", "p50", "p99", "max", "mhz", "celsius", "throttled"} == set(window)


@pytest.mark.slow
def test_accuracy_of_the_shipped_file(mnist: object, in_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTIONS", {"accuracy": sections.accuracy_section})
    saved = Saved()
    assert run_bench(open_bench(BenchOptions("pico", accuracy=200)), saved.put) == []
    found = saved["accuracy"]
    assert (found["dataset"], found["images"], found["of"]) == ("mnist", 200, 10_000)
    assert found["interval"][0] < found["top1"] < found["interval"][1]
    assert found["top1"] > 0.95


def test_an_unknown_model_is_an_error() -> None:
    with pytest.raises(UnknownName, match="bass"):
        open_bench(BenchOptions("bass"))


def test_a_named_meter_gets_the_time_that_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = unpack("x86-laptop", tmp_path)
    write(root, "sys/class/power_supply/BAT0/status", "Discharging\n")
    write(root, "sys/class/power_supply/BAT0/power_now", "6500000\n")
    measured: list[tuple[str, tuple[str, ...], float]] = []

    def measure_energy(meter: Meter, work: object, plan: consumption.Plan) -> NoMeter:
        measured.append((meter.name, meter.total, plan.seconds))
        return NoMeter("not measured")

    monkeypatch.setattr(consumption, "measure_energy", measure_energy)
    for meter in (None, "battery", "rapl:package-0"):
        sections.energy_section(bench_of(root=root, meter=meter))
    assert measured[0][::2] == ("rapl", 2.0)
    assert measured[1:] == [("battery", ("BAT0",), 60.0), ("rapl", ("package-0",), 2.0)]


@pytest.mark.parametrize(
    ("meter", "error", "fact"),
    [
        ("solar", UnknownName, "solar.*jetson, ina, pmic, rapl, battery"),
        ("battery", MeasurementError, "battery"),
    ],
)
def test_a_missing_meter_is_an_error_before_anything_is_measured(
    meter: str, error: type[Exception], fact: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=fact):
        open_bench(BenchOptions("pico", meter=meter, root=tmp_path))


def test_the_digest_of_a_folder_includes_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes(b"12")
    (tmp_path / "b.h").write_bytes(b"345")
    found = digest_of_model(tmp_path)
    assert found["bytes"] == 5
    assert found["sha256"] == hashlib.sha256(b"12345").hexdigest()


@pytest.mark.slow
def test_the_page_of_a_partial_result(in_process: None) -> None:
    saved = Saved()
    run_bench(bench_of(sustained=0.003), saved.put)
    for end in range(len(saved) + 1):
        text = text_of(dict(list(saved.items())[:end]))
        assert ("COMPARABLE" in text.upper()) == ("comparable" in list(saved)[:end])
    assert "tiny int8 on synthetic (synthetic), cpu, 1 thread" in text
    assert "*: the knee" in text
    assert "single-stream" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_page_names_reasons_against_comparing() -> None:
    text = text_of({"comparable": {"yes": False, "reasons": ["throttled: too hot"], "notes": [], "unseen": ["load"]}})
    assert "NOT COMPARABLE" in text
    assert "throttled: too hot" in text
    assert "load" in text


def text_of(result: dict[str, Any]) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    for part in page(result):
        console.print(part)
    return console.export_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (three_digits(0), "0.000"), (three_digits(9.999), "10.0"), (three_digits(0.03567), "0.036"),
        (three_digits(12_345.6), "12,346"), (duration(0.0423), "42.3 µs"), (duration(123.4), "123 ms"),
        (duration(12_345), "12.3 s"), (size(74_800), "75 kB"), (size(153_007_681), "153 MB"), (size(None), "?"),
    ],
)  # fmt: skip
def test_figures_as_text(text: str, expected: str) -> None:
    assert text == expected


def test_a_finder_is_a_part_of_the_work(tmp_path: Path) -> None:
    finder = write_finder(tmp_path / "finder.tflite")
    workloads = []
    for used in (str(finder), None):
        bench = open_bench(BenchOptions("pico", pictures="small", finder=used))
        workloads.append(describe_workload(bench))
        bench.reader.close()
    assert workloads[0]["finder"]["model"]["name"] == "tiny-finder" and "finder" not in workloads[1]
    one, other = ({"kind": "bench", "workload": workload} for workload in workloads)
    assert [line.startswith("other finders") for line in unequal_work(one, other)] == [True]
    assert list(unequal_work(one, one)) == []
