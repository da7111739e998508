"""Result files: what was written comes back, and what was damaged is refused with a reason."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.results.result import (
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
def test_what_is_written_comes_back(notes: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("results") / "a.json"
    file = ResultFile("bench", path)
    file.put("notes", notes)
    assert read_result(path)["notes"] == notes
    assert read_result(path)["complete"] is False


@given(values=st.lists(st.floats(0.001, 1e4), min_size=1, max_size=50))
def test_summaries_of_any_series_are_accepted(values: list[float]) -> None:
    check(bench_result(values), "a.json")


def test_a_run_that_was_killed_leaves_what_it_had_measured(tmp_path: Path) -> None:
    file = ResultFile("bench", tmp_path / "a.json")
    file.put("stages", {"total": summary_of([1.0, 2.0])})
    left = read_result(tmp_path / "a.json")
    assert left["stages"]["total"]["count"] == 2
    assert not left["complete"]


def test_finishing_refuses_a_result_without_its_sections() -> None:
    with pytest.raises(ResultInvalid, match=r"lacks .*stages"):
        ResultFile("bench").finish()


def test_a_path_that_cannot_be_written_is_known_before_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputNotWritable):
        ResultFile("bench", tmp_path / "file" / "a.json")


def test_unknown_kinds_and_sections_of_the_head_are_refused() -> None:
    with pytest.raises(Unknown, match=r"bench, matrix, peers"):
        ResultFile("race")
    with pytest.raises(ValueError, match="no section"):
        ResultFile("bench").put("schema", 2)


@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused_wherever_it_ends(cut: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("results") / "a.json"
    write_result(path, bench_result())
    whole = path.read_bytes().rstrip()
    path.write_bytes(whole[: int(cut * len(whole))])
    with pytest.raises(ResultInvalid, match=r"a\.json is no whole JSON file"):
        read_result(path)


@given(place=st.integers(0), byte=st.integers(0, 255))
def test_no_changed_byte_changes_a_figure(place: int, byte: int, tmp_path_factory: pytest.TempPathFactory) -> None:
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
    ("text", "expected"),
    [
        ("", "no whole JSON"),
        ("[]", "not a result"),
        ("{}", "not a result"),
        ("12", "not a result"),
        ("NaN", "no whole JSON"),
        ('{"schema": 1, "kind": ["bench"]}', "expected kind bench, matrix, peers"),
        ('{"schema": 1, "kind": "bench"}', "changed after it was written"),
        ("[" * 100_000, "no whole JSON"),
    ],
)
def test_other_files_are_refused(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ResultInvalid, match=expected):
        read_result(tmp_path / "a.json")


def test_files_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ResultNotFound, match="edgedigits bench --out"):
            read_result(path)
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ResultInvalid, match="cannot be read"):
        read_result(tmp_path / "a.json")


@pytest.mark.parametrize("schema", [0, 2, "1", None, True])
def test_another_version_of_the_schema_is_named(schema: Any) -> None:
    with pytest.raises(ResultOutdated, match=r"a\.json follows schema .*, this edgedigits reads 1"):
        check({**bench_result(), "schema": schema}, "a.json")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"p50": 99.0}, "do not rise"),
        ({"mean": 99.0}, "outside of min to max"),
        ({"count": 7}, "the histogram counts 4 values, the summary 7"),
        ({"interval": {"p50": [3.5, 4.0]}}, "outside of its interval"),
        ({"histogram": {"edges": [1.0, 2.0], "counts": [4]}}, "does not reach"),
        ({"histogram": {"edges": [5.0, 1.0], "counts": [4]}}, "do not rise"),
        ({"histogram": {"edges": [1.0], "counts": [4]}}, "1 bins has 1 edges"),
        ({"max": None}, "not a summary"),
        ({"interval": 3}, "not a summary"),
    ],
)
def test_figures_that_contradict_each_other_are_refused_even_where_the_digest_fits(
    change: dict[str, Any], expected: str
) -> None:
    result = copy.deepcopy(bench_result([1.0, 2.0, 3.0, 4.0]))
    result["stages"]["total"] |= change
    with pytest.raises(ResultInvalid, match=rf"stages\.total: .*{expected}"):
        check(sealed(result), "a.json")


def test_what_json_cannot_hold_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="Path"):
        plain({"file": Path("a")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        plain(float("nan"))


def test_the_digest_covers_everything_and_no_layout(tmp_path: Path) -> None:
    path = write_result(tmp_path / "a.json", bench_result())
    content = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(content.items()))))
    assert read_result(path)[DIGEST] == content[DIGEST]


def test_every_kind_needs_what_comparing_reads() -> None:
    for needed in NEEDED.values():
        assert {"fingerprint", "comparable", "workload", "method"} <= set(needed)
