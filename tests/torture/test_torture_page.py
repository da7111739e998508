"""tests/torture/README.md has the recorded results, and `make torture` runs every attack on it."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.torture.page import PAGE, SECTIONS, filled
from tests.torture.runner import read_result, record

TEXT = PAGE.read_text()


def test_the_page_is_up_to_date() -> None:
    assert filled(TEXT) == TEXT


@pytest.mark.parametrize("kind", SECTIONS)
def test_each_attack_has_a_section_and_make_runs_it(kind: str) -> None:
    assert f"<!-- {kind}: made by make torture -->" in TEXT
    attacks = re.search(r"^ATTACKS := (.+)$", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)
    assert attacks is not None and kind in attacks[1].split()


def test_tables_are_filled_from_results(tmp_path: Path) -> None:
    out = tmp_path / "kills.json"
    for name, kills in (("export-c", 150), ("export-web", 60), ("train", 200)):
        found = {"counts_as": name.partition("-")[0], "how": {"before": kills}, "kills": kills, "completed": 3,
                 "files_checked": 1000, "failed": 0, "seed": 0, "finished": name != "train"}  # fmt: skip
        record(out, name, found)
    page = filled(TEXT, tmp_path)
    assert "| `export` | 210 | 210 | 0 | 0 | 2,000 | 6 | 0 |" in page
    assert "| `train` | 200 |" in page and "train was interrupted" in page
    assert filled(page, tmp_path) == page


def test_a_part_is_recorded_with_the_other_parts(tmp_path: Path) -> None:
    out = tmp_path / "new" / "x.json"
    assert read_result(out) == {}
    record(out, "one", {"runs": 1})
    record(out, "two", {"runs": 2})
    record(out, "one", {"runs": 3})
    parts = json.loads(out.read_text())["parts"]
    assert {name: part["runs"] for name, part in parts.items()} == {"one": 3, "two": 2}
    assert "processor" in read_result(out)["machine"]


@pytest.mark.parametrize("page", ["SECURITY.md", "tests/torture/README.md"])
def test_links_exist(page: str) -> None:
    path = REPOSITORY / page
    for link in re.findall(r"\]\(((?!http)[^)]+)\)", path.read_text()):
        if link.endswith("results/reliability"):
            continue
        assert (path.parent / link).exists(), link
