"""Results of tests and of benchmarks/results/boards follow docs/bench.schema.json."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edgedigits.benchmarking.results.boards_page import boards_page
from edgedigits.benchmarking.results.result_file import NEEDED, check, read_result, write_result
from edgedigits.benchmarking.results.submission import as_submission
from edgedigits_runtime.errors import ResultError
from tests.conftest import REPOSITORY
from tests.support.bench_results import SCHEMA, bench_result, matrix_result, peers_result, validate

BOARDS = REPOSITORY / "benchmarks" / "results" / "boards"
MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "bench": bench_result,
    "matrix": matrix_result,
    "peers": peers_result,
}


def test_the_schema_is_valid_and_covers_every_kind() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [entry["$ref"] for entry in SCHEMA["oneOf"]] == [f"#/$defs/{kind}" for kind in NEEDED]
    for kind, needed in NEEDED.items():
        assert set(SCHEMA["$defs"][kind]["then"]["required"]) == set(needed)


@pytest.mark.parametrize("kind", MADE)
def test_results_follow_the_schema(kind: str) -> None:
    result = MADE[kind]()
    check(result, kind)
    jsonschema.validate(result, SCHEMA)
    validate(result)


@pytest.mark.parametrize("kind", MADE)
def test_an_incomplete_result_may_lack_every_section(kind: str) -> None:
    whole = MADE[kind]()
    begun = {key: whole[key] for key in ("schema", "kind", "made", "edgedigits", "sha256")}
    validate({**begun, "complete": False})
    with pytest.raises(jsonschema.ValidationError, match="required"):
        validate({**begun, "complete": True})


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"made": "yesterday"}, {"stages": {}}, {"stages": {"think": {}}}, {"surprise": 1}, {"sha256": "x"}],
)
def test_the_schema_refuses_other_objects(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate({**bench_result(), **change})


def test_the_folder_of_boards_exists() -> None:
    assert BOARDS.is_dir()


def test_every_board_is_complete_and_has_no_private_data() -> None:
    for path in sorted(BOARDS.glob("*.json")):
        result = read_result(path)
        validate(result)
        assert result["complete"], path
        assert as_submission(result, private=()) == result, path


def test_the_page_of_boards_is_up_to_date() -> None:
    assert (BOARDS / "README.md").read_text() == boards_page(BOARDS)


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=re.escape(str(tmp_path))):
        boards_page(tmp_path)


def test_the_page_of_boards_shows_memory_in_megabytes(tmp_path: Path) -> None:
    write_result(tmp_path / "a.json", bench_result(memory={"peak_bytes": 65_122_304}))
    assert "| 65 MB |" in boards_page(tmp_path)
