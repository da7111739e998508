"""The recommendation follows from the rows' figures and intervals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.side_by_side.recommending import recommend, row_name
from tests.support.bench_results import summary_of

ROUNDS = 12
WOBBLE = [0.99, 1.01, 1.0, 1.02]


def row(
    model: str,
    precision: str,
    engine: str,
    microseconds: float,
    *,
    threads: int = 1,
    top1: float | None = None,
    wobble: bool = False,
) -> dict[str, Any]:
    rounds = [microseconds / 1000 * (WOBBLE[k % 4] if wobble else 1) for k in range(ROUNDS)]
    made = {"model": model, "precision": precision, "engine": engine, "threads": threads}
    accuracy = None if top1 is None else {"top1": top1, "images": 10_000}
    return {**made, "name": row_name(made), "latency": summary_of(rounds), "rounds": rounds, "accuracy": accuracy}


def died(model: str, precision: str, engine: str) -> dict[str, Any]:
    return {**row(model, precision, engine, 1.0), "latency": None, "rounds": [], "error": "died"}


def test_fastest_row_and_surprising_choices() -> None:
    found = recommend(
        [
            row("nano", "int8", "litert", 11),
            row("nano", "float32", "litert", 30),
            row("nano", "int8", "onnxruntime", 60),
            row("nano", "float32", "onnxruntime", 40),
            died("base", "int8", "litert"),
        ]
    )
    assert found.text == (
        "fastest here: nano int8 on LiteRT, 1 thread (11 µs); int8 is slower than float32 on ONNX Runtime on this CPU"
        " (1.5 times as long)"
    )
    texts = [remark.text for remark in found.remarks]
    assert "int8 is faster than float32 on LiteRT on this CPU (0.37 times as long)" in texts
    assert "LiteRT is faster than ONNX Runtime on the same model and precision (0.18 to 0.75 times as long)" in texts


def test_rows_without_a_difference_to_the_fastest_are_named() -> None:
    found = recommend([row("a", "int8", "litert", 10, wobble=True), row("b", "int8", "litert", 10)])
    assert found.as_fast in (("a int8 on LiteRT, 1 thread",), ("b int8 on LiteRT, 1 thread",))
    assert "no difference shown to" in found.text


def test_slower_threads_are_reported() -> None:
    rows = [row("a", "int8", "litert", 10), row("a", "int8", "litert", 25, threads=2)]
    assert "2 threads are slower than 1 on LiteRT (2.5 times as long)" in recommend(rows).text


def test_contradicting_models_are_named() -> None:
    rows = [
        row("a", "int8", "onnxruntime", 10), row("a", "float32", "onnxruntime", 20),
        row("b", "int8", "onnxruntime", 30), row("b", "float32", "onnxruntime", 20),
        row("c", "int8", "onnxruntime", 50), row("c", "float32", "onnxruntime", 25),
    ]  # fmt: skip
    text = (
        "int8 is slower than float32 on ONNX Runtime on this CPU for b and c (1.5 to 2 times as long), and faster for"
        " a (0.5 times as long)"
    )
    found = recommend(rows)
    assert [(remark.text, remark.surprising) for remark in found.remarks] == [(text, True)]
    assert found.text.endswith(text)


def test_rows_are_named_by_as_few_parts_as_distinguish_them() -> None:
    rows = [
        row("a", "int8", "litert", 10), row("a", "int8", "onnxruntime", 20),
        row("a", "float32", "litert", 30), row("a", "float32", "onnxruntime", 20),
    ]  # fmt: skip
    texts = [remark.text for remark in recommend(rows).remarks]
    assert (
        "LiteRT is slower than ONNX Runtime on the same model and precision for a float32 (1.5 times as long), and"
        " faster for a int8 (0.5 times as long)"
    ) in texts


def test_a_difference_in_few_pairs_is_not_claimed() -> None:
    rows = [row("a", "int8", "litert", 10), row("a", "float32", "litert", 20)]
    for name in ("b", "c"):
        rows += [row(name, "int8", "litert", 20, wobble=True), row(name, "float32", "litert", 20)]
    (remark,) = recommend(rows).remarks
    assert remark.text == (
        "int8 is not shown to differ from float32 on LiteRT on this CPU (0.5 to 1 times as long, shown for 1 of 3)"
    )
    assert not remark.surprising


def test_a_more_accurate_row_is_named_with_its_time() -> None:
    rows = [row("pico", "int8", "litert", 10, top1=0.98), row("max", "int8", "litert", 50, top1=0.997)]
    text = "most accurate: max int8 on LiteRT, 1 thread (99.70%, against 98.00%), 5.0 times as long"
    assert text in recommend(rows).text


def test_an_unknown_accuracy_of_the_fastest_is_reported() -> None:
    rows = [row("pico", "float32", "litert", 10), row("max", "int8", "litert", 50, top1=0.997)]
    assert "(99.70%, that of the fastest is unknown)" in recommend(rows).text


def test_a_higher_accuracy_by_chance_is_not_recommended() -> None:
    rows = [row("a", "int8", "litert", 10, top1=0.997), row("b", "int8", "litert", 50, top1=0.9971)]
    assert "most accurate" not in recommend(rows).text


def test_no_measured_row_gives_no_recommendation() -> None:
    found = recommend([died("a", "int8", "litert")])
    assert (found.text, found.fastest) == ("nothing could be measured here", None)


@given(times=st.lists(st.floats(1, 1000), min_size=1, max_size=6, unique=True))
def test_the_fastest_has_the_smallest_median(times: list[float]) -> None:
    rows = [row(f"m{number}", "int8", "litert", value) for number, value in enumerate(times)]
    best = min(rows, key=lambda one: one["latency"]["p50"])
    assert recommend(rows).fastest == best["name"]


@pytest.mark.parametrize(("threads", "expected"), [(1, "1 thread"), (4, "4 threads")])
def test_row_names(threads: int, expected: str) -> None:
    made = {"model": "a", "precision": "int8", "engine": "other", "threads": threads}
    assert row_name(made) == f"a int8 on other, {expected}"
