"""Comparing results: ratios with intervals, no verdict where they overlap, and no ratio of unequal work."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.results.comparing import Comparison, Figure, Row, compare, figure_of, ratio_of
from edgedigits_runtime.errors import ResultError, WorkloadsDiffer
from tests.support.bench_results import FINGERPRINT, bench_result, matrix_result, peers_result, summary_of

FAST, SLOW = [1.0 + k / 10_000 for k in range(2000)], [2.0 + k / 10_000 for k in range(2000)]
TIMES = st.floats(0.01, 100)


def row_of(comparison: Comparison, what: str) -> Row:
    return next(row for row in comparison.rows if row.what == what)


def test_separate_intervals_show_a_difference() -> None:
    found = compare({"a": bench_result(FAST), "b": bench_result(SLOW)})
    total = row_of(found, "total p50")
    assert [figure.value for figure in total.figures if figure] == [pytest.approx(1.1, 0.01), pytest.approx(2.1, 0.01)]
    ratio = total.ratios[0]
    assert ratio is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert (ratio.shown, ratio.verdict) == (True, "slower")
    assert ratio.value == pytest.approx(2.1 / 1.1, 0.01)
    assert ratio.low < ratio.value < ratio.high
    back = row_of(compare({"a": bench_result(SLOW), "b": bench_result(FAST)}), "total p50").ratios[0]
    assert back is not None
    assert back.verdict == "faster"


def test_overlapping_intervals_show_no_difference() -> None:
    found = compare({"a": bench_result(FAST), "b": bench_result(FAST)})
    for row in found.rows:
        if row.unit == "ms":
            assert row.ratios[0] is not None
            assert row.ratios[0].verdict == "no difference shown"
    assert found.warnings == ()


def test_few_measurements_show_no_difference() -> None:
    ratio = row_of(compare({"a": bench_result([1.0]), "b": bench_result([9.0])}), "total p99").ratios[0]
    assert ratio is not None
    assert (ratio.shown, ratio.verdict) == (False, "too few measurements for an interval")


@given(one=st.tuples(TIMES, TIMES, TIMES).map(sorted), other=st.tuples(TIMES, TIMES, TIMES).map(sorted))
def test_a_ratio_is_shown_exactly_when_intervals_are_separate(one: list[float], other: list[float]) -> None:
    first, second = Figure(one[1], one[0], one[2]), Figure(other[1], other[0], other[2])
    ratio = ratio_of(first, second)
    assert ratio is not None
    assert ratio.shown == (other[0] > one[2] or other[2] < one[0])
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low <= ratio.value * (1 + 1e-9)
    assert ratio.value <= ratio.high * (1 + 1e-9)
    back = ratio_of(second, first)
    assert back is not None
    assert back.shown == ratio.shown
    assert back.value * ratio.value == pytest.approx(1)


@given(value=TIMES, low=st.none() | st.just(0.001), high=st.none() | st.just(1e6))
def test_open_intervals_never_show_a_difference(value: float, low: float | None, high: float | None) -> None:
    ratio = ratio_of(Figure(1.0, 0.9, 1.1), Figure(value, low, high))
    assert ratio is not None
    assert not ratio.shown


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"what": "invoke"}, "read and invoke"),
        ({"pictures": {"count": 5, "kind": "drawn", "sha256": "00" * 32}}, "20 drawn and 5 drawn"),
        (
            {"model": {"name": "nano", "sha256": "00" * 32, "bytes": 9, "precision": "int8"}},
            "cdcdcdcd and nano",
        ),
    ],
)
def test_different_workloads_are_an_error(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(WorkloadsDiffer, match=expected):
        compare({"a": bench_result(), "b": bench_result(workload=change)})


def test_different_kinds_of_results_are_an_error() -> None:
    with pytest.raises(WorkloadsDiffer, match=r"bench.*matrix"):
        compare({"a": bench_result(), "b": {**bench_result(), "kind": "matrix"}})


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_results_are_an_error(count: int) -> None:
    with pytest.raises(ResultError, match="bench compare"):
        compare({str(number): bench_result() for number in range(count)})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"workload": {"threads": 4}}, "unlike settings: threads is 1 in a, 4 in b"),
        ({"workload": {"engine": "onnxruntime"}}, "unlike settings: engine is litert in a, onnxruntime in b"),
        ({"fingerprint": {"board": "Another"}}, "unlike machines: board is A board in a, Another in b"),
        ({"fingerprint": {"processor": {**FINGERPRINT["processor"], "features": ["asimddp", "i8mm"]}}},
         "unlike machines: processor features is without these in a, i8mm in b"),
        ({"fingerprint": {"software": {}}}, "unlike machines: software python is 3.11.9 in a, unknown in b"),
        ({"comparable": {"yes": False, "reasons": ["under load", "throttled"]}},
         "b is not comparable: under load; throttled"),
        ({"complete": False}, "b is not complete: its run was ended before it was done"),
        ({"edgedigits": "0.2.0"}, "edgedigits 0.1.0 in a, 0.2.0 in b"),
    ],
)  # fmt: skip
def test_other_differences_are_warnings(changes: dict[str, Any], expected: str) -> None:
    assert compare({"a": bench_result(), "b": bench_result(**changes)}).warnings == (expected,)


def test_changing_conditions_are_no_warning() -> None:
    warm = bench_result(fingerprint={"during": {"celsius": 80}})
    assert compare({"a": bench_result(), "b": warm}).warnings == ()


def test_throughput_memory_and_size() -> None:
    def result(rate: float, memory: int) -> dict[str, Any]:
        point = {"threads": 2, "batch": 64, "images_per_second": rate, "interval": [0.9 * rate, 1.1 * rate]}
        return bench_result(
            throughput={"points": [point], "knee": {}},
            memory={"peak_bytes": memory, "note": "x"},
            size={"model_bytes": 5},
        )

    found = compare({"a": result(1000, 10), "b": result(2000, 30)})
    rate = row_of(found, "throughput, 2 threads, batch 64")
    assert rate.ratios[0] is not None
    assert (rate.ratios[0].value, rate.ratios[0].verdict) == (2, "faster")
    memory = row_of(found, "memory peak").ratios[0]
    assert memory is not None
    assert (memory.value, memory.shown) == (3, False)
    size = row_of(found, "model").ratios[0]
    assert size is not None
    assert (size.value, size.verdict) == (1, "the same")


def test_a_figure_of_one_result_has_no_ratio() -> None:
    found = compare({"a": bench_result(), "b": bench_result(cold_start={"repeats": 3, "import": summary_of(FAST)})})
    row = row_of(found, "cold start, import p50")
    assert row.figures[0] is None
    assert row.figures[1] == figure_of(summary_of(FAST), "p50")
    assert row.ratios == (None,)


def test_rows_of_a_matrix_are_compared_by_name() -> None:
    def matrix(values: list[float]) -> dict[str, Any]:
        rows = [
            {"name": "base int8 on LiteRT, 1 thread", "latency": summary_of(values)},
            {"name": "dead", "latency": None, "error": "died"},
        ]
        return bench_result(kind="matrix", rows=rows)

    found = compare({"a": matrix(FAST), "b": matrix(SLOW)})
    ratio = row_of(found, "base int8 on LiteRT, 1 thread p50").ratios[0]
    assert ratio is not None
    assert ratio.verdict == "slower"
    assert not [row for row in found.rows if row.what.startswith("dead")]


def with_file(result: dict[str, Any], row: int, **changes: Any) -> dict[str, Any]:
    rows = [dict(one) for one in result["rows"]]
    rows[row]["file"] = {**rows[row]["file"], **changes}
    return {**result, "rows": rows}


@pytest.mark.parametrize(
    ("made", "name"), [(matrix_result, "nano.tflite"), (peers_result, "base.tflite")], ids=["matrix", "peers"]
)
def test_equal_rows_of_different_model_files_are_an_error(made: Callable[[], dict[str, Any]], name: str) -> None:
    compare({"a": made(), "b": made()})
    other = with_file(made(), 0, sha256="00" * 32)
    with pytest.raises(WorkloadsDiffer, match=f"{name} efefefef and {name} 00000000"):
        compare({"a": made(), "b": other})


def test_rows_without_a_digest_or_with_a_trained_file_are_compared() -> None:
    a_folder_of_c = with_file(matrix_result(), 0, sha256=None)
    compare({"a": a_folder_of_c, "b": matrix_result()})
    found = peers_result()
    trained = {**found["rows"][0], "name": "SVM", "training": {"images": 10_000, "support_vectors": 2_900}}
    one = {**found, "rows": [*found["rows"], trained]}
    # A support vector machine is trained during the run, so its file differs on every machine.
    compare({"a": one, "b": with_file(one, -1, sha256="00" * 32)})
