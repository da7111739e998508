"""docs/c.md says what was measured, and that every value of C was LiteRT's."""

import importlib.util
import json
from typing import Any

from benchmarks.emulated_cores import BOARDS
from edgedigits.model_files import shipped_names
from edgedigits.recipes import PUBLISHED
from tests.conftest import REPOSITORY

RESULTS = REPOSITORY / "benchmarks" / "results"


def kept(name: str) -> Any:
    return json.loads((RESULTS / name).read_text())


def test_the_tables_are_those_that_were_measured() -> None:
    spec = importlib.util.spec_from_file_location("c_tables", REPOSITORY / "benchmarks" / "c_tables.py")
    assert spec is not None and spec.loader is not None
    c_tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(c_tables)
    page = (REPOSITORY / "docs" / "c.md").read_text()
    section = page.partition("<!-- c-export: made by make bench-c -->\n")[2].partition("\n<!-- end of c-export -->")[0]
    assert section == c_tables.tables(kept("c_export.json"))


def test_every_value_was_that_of_litert() -> None:
    rows = kept("c_exactness.json")["rows"]
    assert not [row for row in rows if row["trouble"] or row["different_values"]]
    everything = {(name, kernels) for name in (*shipped_names(), *PUBLISHED) for kernels in ("xnnpack", "reference")}
    on_all_images = {
        (row["network"], row["kernels"]) for row in rows if (row["where"], row["images"]) == ("host", 10_000)
    }
    assert everything <= on_all_images
    assert {row["where"] for row in rows} >= set(BOARDS)
