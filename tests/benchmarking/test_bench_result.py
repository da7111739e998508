"""Result files: written results are read back, and damaged files are an error."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.results.result_file import (
    DIGEST,
    NEEDED,
    ResultFile,
    check,
    plain,
    read_result,
    sealed,
    write_result,
)
from edgedigits_runtime.errors import OutputNotWritable, ResultError, ResultInvalid, ResultNotFound, ResultOutdated
from edgedigits_runtime.errors import UnknownName as Unknown
from tests.support.bench_results import bench_result, summary_of

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: not _looks_like_a_summary(value))


def _looks_like_a_summary(value: Any) -> bool:
    return "histogram" in json.dumps(value)


@given(notes=PLAIN)
def test_a_written_result_is_read_back(notes: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("results") / "a.json"
    file = ResultFile("bench", path)
    file.put("notes", notes)
    assert read_result(path)["notes"] == notes
    assert read_result(path)["complete"] is False


@given(values=st.lists(st.floats(0.001, 1e4), min_size=1, max_size=50))
def test_summaries_of_any_series_are_valid(values: list[float]) -> None:
    check(bench_result(values), "a.json")


def test_a_killed_run_leaves_its_sections(tmp_path: Path) -> None:
    file = ResultFile("bench", tmp_path / "a.json")
    file.put("stages", {"total": summary_of([1.0, 2.0])})
    left = read_result(tmp_path / "a.json")
    assert left["stages"]["total"]["count"] == 2
    assert not left["complete"]


def test_finishing_without_all_sections_is_an_error() -> None:
    with pytest.raises(ResultInvalid, match="stages"):
        ResultFile("bench").finish()


def test_a_bad_path_fails_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputNotWritable):
        ResultFile("bench", tmp_path / "file" / "a.json")


def test_unknown_kinds_and_head_keys_are_an_error() -> None:
    with pytest.raises(Unknown, match=r"bench, matrix, peers"):
        ResultFile("race")
    with pytest.raises(ValueError, match="schema"):
        ResultFile("bench").put("schema", 2)


@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_an_error(cut: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("results") / "a.json"
    write_result(path, bench_result())
    whole = path.read_bytes().rstrip()
    path.write_bytes(whole[: int(cut * len(whole))])
    with pytest.raises(ResultInvalid, match=r"a\.json"):
        read_result(path)


@given(place=st.integers(0), byte=st.integers(0, 255))
def test_a_changed_byte_changes_no_figure(place: int, byte: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("results") / "a.json"
    written = sealed(bench_result())
    write_result(path, written)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content)
    try:
        assert read_result(path) == written
    except ResultError as error:
        assert "a.json" in str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "12", "NaN", '{"schema": 1, "kind": ["bench"]}', '{"schema": 1, "kind": "bench"}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_other_files_are_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ResultInvalid, match=r"a\.json"):
        read_result(tmp_path / "a.json")


def test_missing_and_binary_files_are_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ResultNotFound, match="edgedigits bench --out"):
            read_result(path)
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ResultInvalid, match=r"a\.json"):
        read_result(tmp_path / "a.json")


@pytest.mark.parametrize("schema", [0, 2, "1", None, True])
def test_another_version_of_the_schema_is_an_error(schema: Any) -> None:
    with pytest.raises(ResultOutdated, match=r"a\.json"):
        check({**bench_result(), "schema": schema}, "a.json")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"p50": 99.0}, "p50"),
        ({"mean": 99.0}, "mean 99"),
        ({"count": 7}, "4 values.*7"),
        ({"interval": {"p50": [3.5, 4.0]}}, "p50.*3.5 to 4"),
        ({"histogram": {"edges": [1.0, 2.0], "counts": [4]}}, "min to max"),
        ({"histogram": {"edges": [5.0, 1.0], "counts": [4]}}, "edges"),
        ({"histogram": {"edges": [1.0], "counts": [4]}}, "1 bins"),
        ({"max": None}, "Error"),
        ({"interval": 3}, "Error"),
    ],
)
def test_contradicting_figures_are_an_error_despite_a_valid_digest(change: dict[str, Any], expected: str) -> None:
    result = copy.deepcopy(bench_result([1.0, 2.0, 3.0, 4.0]))
    result["stages"]["total"] |= change
    with pytest.raises(ResultInvalid, match=rf"stages\.total: .*{expected}"):
        check(sealed(result), "a.json")


def test_values_that_json_cannot_hold_are_an_error() -> None:
    with pytest.raises(TypeError, match="Path"):
        plain({"file": Path("a")})
    with pytest.raises(ValueError, match="JSON"):
        plain(float("nan"))


def test_the_digest_ignores_layout(tmp_path: Path) -> None:
    path = write_result(tmp_path / "a.json", bench_result())
    content = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(content.items()))))
    assert read_result(path)[DIGEST] == content[DIGEST]


def test_every_kind_needs_the_sections_of_a_comparison() -> None:
    for needed in NEEDED.values():
        assert {"fingerprint", "comparable", "workload", "method"} <= set(needed)
