"""The page's files: what a strict Content-Security-Policy asks of them, and that they fit together."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "exporters" / "edgedigits_exporters" / "web" / "page"
MODULES = sorted(FOLDER.rglob("*.js"))

IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.{1,2}/[^"]+)";$', re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function\*?|class|const) ([\w$]+)", re.MULTILINE)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))


@pytest.fixture(scope="module")
def tags() -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed((FOLDER / "index.html").read_text())
    return parser.seen


def test_nothing_of_the_page_is_inline(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    for tag, attributes in tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert tag != "style"
        assert tag != "script" or attributes.get("src")


def test_the_page_asks_only_for_its_own_files(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    asked = [attributes.get("src") or attributes["href"] for tag, attributes in tags if tag in ("script", "link", "img")
             and (attributes.get("src") or attributes.get("href"))]  # fmt: skip
    assert len(asked) >= 4
    for name in asked:
        assert name
        assert (FOLDER / name).is_file()
    style = (FOLDER / "style.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_ids_are_used_once_and_those_that_are_asked_for_exist(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    ids = Counter(attributes["id"] for _, attributes in tags if "id" in attributes)
    assert set(ids.values()) == {1}
    script = "".join(module.read_text() for module in MODULES)
    asked = set(re.findall(r'(?:byId|element|setRatio)\("([\w-]+)"', script))
    assert len(asked) > 20
    assert asked <= set(ids)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_imports_of_modules_lead_somewhere(module: Path) -> None:
    text = module.read_text()
    imports = IMPORT.findall(text)
    assert len(imports) == len(re.findall(r"^import\b", text, flags=re.MULTILINE))
    for names, path in imports:
        other = (module.parent / path).resolve()
        assert other.is_file(), path
        assert {name.strip() for name in names.split(",")} - {""} <= set(EXPORTED.findall(other.read_text())), path
