"""Sections of docs pages."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import publishing

PAGE = """before
<!-- speed: made by make speed -->
old
<!-- end of speed -->
after <!-- sizes: made by make speed -->
"""

# Whatever a table holds; a backslash is no group, and a page is written as it is read.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1)


@given(texts)
def test_only_the_section_is_replaced(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    page = tmp_path_factory.mktemp("docs") / "page.md"
    page.write_text(PAGE)
    publishing.write_section(page, "speed", text)
    assert page.read_text() == PAGE.replace("old", text)


@pytest.mark.parametrize("name", ["other", "sizes"])
def test_a_page_without_both_markers_is_an_error(tmp_path: Path, name: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    with pytest.raises(SystemExit, match=f"{name}.*0"):
        publishing.write_section(page, name, "new")
    assert page.read_text() == PAGE
