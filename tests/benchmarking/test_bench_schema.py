"""Results follow docs/bench.schema.json: those that tests make, and every board's in benchmarks/results/boards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edgedigits.benchmarking.results.boards_page import boards_page
from edgedigits.benchmarking.results.result import NEEDED, check, read_result, write_result
from edgedigits.benchmarking.results.submission import as_submission
from edgedigits_runtime.errors import ResultError
from tests.conftest import REPOSITORY
from tests.support.bench_results import bench_result, matrix_result, peers_result

SCHEMA = json.loads((REPOSITORY / "docs" / "bench.schema.json").read_text())
BOARDS = REPOSITORY / "benchmarks" / "results" / "boards"
MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "bench": bench_result,
    "matrix": matrix_result,
    "peers": peers_result,
}


def validate(result: dict[str, Any]) -> None:
    """Check by the part of the schema that fits the kind, whose messages are clearer than those of oneOf."""
    jsonschema.Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{result['kind']}"}]}).validate(result)


def test_the_schema_is_one_and_names_every_kind() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [entry["$ref"] for entry in SCHEMA["oneOf"]] == [f"#/$defs/{kind}" for kind in NEEDED]
    for kind, needed in NEEDED.items():
        assert set(SCHEMA["$defs"][kind]["then"]["required"]) == set(needed)


@pytest.mark.parametrize("kind", MADE)
def test_results_follow_it(kind: str) -> None:
    result = MADE[kind]()
    check(result, kind)
    jsonschema.validate(result, SCHEMA)
    validate(result)


@pytest.mark.parametrize("kind", MADE)
def test_a_result_that_is_not_complete_may_lack_every_section(kind: str) -> None:
    whole = MADE[kind]()
    begun = {key: whole[key] for key in ("schema", "kind", "made", "edgedigits", "sha256")}
    validate({**begun, "complete": False})
    with pytest.raises(jsonschema.ValidationError, match="required"):
        validate({**begun, "complete": True})


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"made": "yesterday"}, {"stages": {}}, {"stages": {"think": {}}}, {"surprise": 1}, {"sha256": "x"}],
)
def test_it_refuses_what_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate({**bench_result(), **change})


def test_there_is_a_folder_of_boards() -> None:
    assert BOARDS.is_dir()


def test_every_board_is_complete_consistent_and_says_nothing_private() -> None:
    for path in sorted(BOARDS.glob("*.json")):
        result = read_result(path)
        validate(result)
        assert result["complete"], path
        assert as_submission(result, private=()) == result, path


def test_the_page_of_boards_is_made_of_them() -> None:
    assert (BOARDS / "README.md").read_text() == boards_page(BOARDS)


def test_a_folder_without_results_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="no result files"):
        boards_page(tmp_path)


def test_the_page_of_boards_counts_bytes_as_the_terminal_does(tmp_path: Path) -> None:
    write_result(tmp_path / "a.json", bench_result(memory={"peak_bytes": 65_122_304}))
    assert "| 65 MB |" in boards_page(tmp_path)
