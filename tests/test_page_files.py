"""The page's files: what a strict Content-Security-Policy and a page in one file ask of them."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from conftest import REPOSITORY

FOLDER = REPOSITORY / "exporters" / "edgedigits_exporters" / "web" / "page"
MODULES = sorted(FOLDER.rglob("*.js"))
# Of each only one is part of a page.
ENTRIES = ("server_page.js", "local_page.js")

IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "(\.{1,2}/[\w./-]+)";$')
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


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
def test_modules_can_be_joined_into_one_script(module: object) -> None:
    from pathlib import Path

    assert isinstance(module, Path)
    text = module.read_text()
    assert not re.search(r"^export (default|\{|\*)", text, flags=re.MULTILINE)
    assert not re.search(r"\bimport\(", re.sub(r"@\w+ \{[^\n]*", "", re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)))
    for line in re.findall(r"^import .*$", text, flags=re.MULTILINE):
        found = IMPORT.match(line)
        assert found, line
        names, path = found.groups()
        other = (module.parent / path).resolve()
        assert other.is_file(), line
        assert set(names.split(", ")) <= set(EXPORTED.findall(other.read_text())), line
    if module.name not in ENTRIES:
        # Only declarations stand at the top: nothing happens before the page starts.
        outside = [line for line in text.splitlines() if re.match(r"[\w(\[`]", line)]
        declared = re.compile(r"(import|export|async function|function|class|const|let) ")
        assert [line for line in outside if not declared.match(line)] == []


def test_names_of_all_modules_differ() -> None:
    names = Counter(
        name for module in MODULES if module.name not in ENTRIES for name in DECLARED.findall(module.read_text())
    )
    assert [name for name, times in names.items() if times > 1] == []
