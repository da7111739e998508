"""docs/c.md and its details have the stored figures, and no stored comparison of C with LiteRT found a difference."""

import json
from typing import Any

from benchmarks.c_tables import DETAILS, PAGE, detailed_tables, tables
from benchmarks.emulated_cores.cores import CORES
from benchmarks.publishing import read_section
from edgedigits.model_files import shipped_names
from edgedigits.recipes import PUBLISHED
from tests.conftest import REPOSITORY

RESULTS = REPOSITORY / "benchmarks" / "results"


def kept(name: str) -> Any:
    return json.loads((RESULTS / name).read_text())


def test_the_tables_are_those_of_the_stored_figures() -> None:
    found = kept("c_export.json")
    assert read_section(PAGE, "c-export") == tables(found)
    assert read_section(DETAILS, "c-export") == detailed_tables(found)


def test_no_stored_comparison_differs() -> None:
    rows = kept("c_exactness.json")["rows"]
    assert not [row for row in rows if row["trouble"] or row["different_values"]]
    everything = {(name, kernels) for name in (*shipped_names(), *PUBLISHED) for kernels in ("xnnpack", "reference")}
    on_all_images = {
        (row["network"], row["kernels"]) for row in rows if (row["where"], row["images"]) == ("host", 10_000)
    }
    assert everything <= on_all_images
    assert {row["where"] for row in rows} >= set(CORES)
