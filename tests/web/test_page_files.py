"""The page's files: the Content-Security-Policy holds, they fit together, and esbuild made the committed ones."""

import os
import re
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.needs import needs

WEB = REPOSITORY / "exporters" / "edgedigits_exporters" / "web"
PAGE, SOURCE = WEB / "page", WEB / "source"
MADE = ("element.js", "local_page.js", "reader_worker.js", "server_page.js", "style.css")
MODULES = sorted(SOURCE.rglob("*.js"))

NPM = REPOSITORY / "requirements"

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
    parser.feed((PAGE / "index.html").read_text())
    return parser.seen


@needs("npm", "node", NPM / "node_modules" / "esbuild")
def test_esbuild_makes_the_committed_scripts_and_style(tmp_path: Path) -> None:
    environment = {**os.environ, "OUT": str(tmp_path)}
    subprocess.run(["npm", "run", "--prefix", NPM, "page-script"], env=environment, check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(MADE)
    for name in MADE:
        assert (tmp_path / name).read_text() == (PAGE / name).read_text(), f"{name} is outdated: make page-script"


def test_nothing_ends_the_element_of_an_inlined_script_or_style() -> None:
    for name in MADE:
        assert not re.search(r"</(script|style)|<!--|^import\b|\bimport\(", (PAGE / name).read_text(), re.IGNORECASE)


def test_the_lock_file_names_no_registry() -> None:
    lock = (NPM / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert "resolved" not in lock


def test_the_page_has_no_inline_script_or_style(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    for tag, attributes in tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert tag != "style"
        assert tag != "script" or attributes.get("src")


def test_the_page_loads_only_its_own_files(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    names = [attributes.get("src") or attributes.get("href") for tag, attributes in tags if tag != "a"]
    loaded = {name for name in names if name}
    assert {"style.css", "server_page.js", "icon.svg"} <= loaded
    assert all((PAGE / name).is_file() for name in loaded)
    for folder in (PAGE, SOURCE):
        style = (folder / "style.css").read_text()
        assert "url(" not in style
        assert "@import" not in style


def test_ids_are_unique_and_scripts_look_up_existing_ones(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    ids = Counter(attributes["id"] for _, attributes in tags if "id" in attributes)
    assert set(ids.values()) == {1}
    script = "".join(module.read_text() for module in MODULES)
    looked_up = set(re.findall(r'(?:byId|element|setRatio)\("([\w-]+)"', script))
    assert len(looked_up) > 20
    assert looked_up <= set(ids)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_name_what_modules_export(module: Path) -> None:
    text = module.read_text()
    imports = IMPORT.findall(text)
    assert len(imports) == len(re.findall(r"^import\b", text, flags=re.MULTILINE))
    for names, path in imports:
        other = (module.parent / path).resolve()
        assert other.is_file(), path
        assert {name.strip() for name in names.split(",")} - {""} <= set(EXPORTED.findall(other.read_text())), path
