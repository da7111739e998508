"""The docs match the code: commands, options, names, files, schema."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.main import get_command

from edgedigits.bulk.parts import COLUMNS as BULK_COLUMNS
from edgedigits.cli import app
from edgedigits.recipes import PUBLISHED
from edgedigits.serving.openapi import load_document
from edgedigits_runtime.contract import Contract
from tests.conftest import REPOSITORY, RunCommand
from tests.support.docs_tree import linked_files
from tests.support.markdown import anchors, links

README = (REPOSITORY / "README.md").read_text()
DOCS = REPOSITORY / "docs"
# Folders of ours; those of a virtual environment or of npm have pages of others.
ROOMS = ("docs", "edgedigits", "exporters", "runtime", "benchmarks", "tests")
PAGES = sorted(REPOSITORY.glob("*.md")) + sorted(
    page for room in ROOMS for page in (REPOSITORY / room).rglob("*.md") if "templates" not in page.parts
    and "project" not in page.parts and page.parent.name not in ("tflite_micro",)
)  # fmt: skip
GROUP: Any = get_command(app)
COMMANDS = {name: GROUP.get_command(None, name) for name in GROUP.list_commands(None)}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_documented(command: str) -> None:
    page = (DOCS / "commands.md").read_text()
    assert re.search(rf"\| `{command}\b", page) and f"$ edgedigits {command}" in page


def test_the_readme_is_short() -> None:
    tables = re.findall(r"^\|[-| ]+\|$", README, flags=re.MULTILINE)
    assert len(README.split()) <= 1100
    assert len(tables) <= 3
    assert README.index("![") < README.index(tables[0])


def test_every_page_of_docs_is_in_the_index_and_on_the_site() -> None:
    listed, pages = set(links((DOCS / "index.md").read_text())), {page.name for page in DOCS.glob("*.md")}
    assert pages - {"index.md"} <= listed
    assert pages == set(re.findall(r": docs/([\w-]+\.md)", (REPOSITORY / "mkdocs.yml").read_text()))


def test_the_site_has_the_pages_with_their_pictures_and_code() -> None:
    found = {str(file.relative_to(REPOSITORY)) for file in linked_files(REPOSITORY / "README.md")}
    assert {"docs/index.md", "docs/pictures/page-desktop.png", "tests/torture/README.md"} <= found
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_modules_and_make_targets_of_a_page_exist(page: Path) -> None:
    text = page.read_text()
    for link in links(text):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link
    if page.name == "CHANGELOG.md":
        return
    for module in re.findall(r"python -m ((?:edgedigits|benchmarks|tests)[\w.]*)", text):
        assert find_spec(module), module
    for path in re.findall(
        r"(?<![\w/.])(?:benchmarks|docs|edgedigits|examples|exporters|requirements|runtime|tests)/[\w/.-]+\.\w+", text
    ):
        assert (REPOSITORY / path).exists(), path
    targets = re.findall(r"^([a-z][\w-]*):", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)
    assert {*re.findall(r"`make ([a-z-]+)`", text)} <= {*targets}


def test_the_page_on_serving_names_options_paths_and_statuses_that_exist() -> None:
    page = (DOCS / "serving.md").read_text()
    options = {option for parameter in COMMANDS["serve"].params for option in parameter.opts + parameter.secondary_opts}
    named = set(re.findall(r"(?<=`)--[\w-]+", page))
    assert named - {"--data-binary", "--json"} <= options
    for line in re.findall(r"^\$ edgedigits serve([^#\n]*)|ExecStart=\S+ serve(.*)", page, flags=re.MULTILINE):
        assert set(re.findall(r"--[\w-]+", "".join(line))) <= options
    for path in ("/v1/read", "/v1/classify", "/v1/models", "/healthz", "/readyz", "/docs", "/openapi.json"):
        assert f" {path}" in page
    operations = [operation for methods in load_document()["paths"].values() for operation in methods.values()]
    statuses = {status for operation in operations for status in operation["responses"]}
    assert statuses <= set(re.findall(r"\b\d{3}\b", page))


def test_the_page_on_bulk_reading_names_options_and_columns_that_exist() -> None:
    page = (DOCS / "bulk.md").read_text()
    options = {option for parameter in COMMANDS["read-bulk"].params for option in parameter.opts}
    assert set(re.findall(r"--[a-z][\w-]+", page)) <= options
    for column in BULK_COLUMNS:
        assert f"| `{column}` |" in page


def test_the_contract_page_names_every_field() -> None:
    page = (DOCS / "contract.md").read_text()
    for field in Contract.__dataclass_fields__:
        assert f"`{field}`" in page


def test_json_output_follows_the_published_schema(run_command: RunCommand) -> None:
    schema = json.loads((DOCS / "reading.schema.json").read_text())
    pictures = [REPOSITORY / "examples" / "3-blue-pen.jpg", "missing.png"]
    lines = run_command("predict", *pictures, "--json", check=1).stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        jsonschema.validate(json.loads(line), schema)


def test_the_results_of_the_models_are_those_that_were_measured() -> None:
    page = (DOCS / "models.md").read_text()
    measured = json.loads((REPOSITORY / "benchmarks" / "results" / "readme.json").read_text())
    for row in measured["rows"]:
        assert f"| {row['format']} {row['precision']} | {row['accuracy']:.2%} " in page


def test_every_published_recipe_has_its_row() -> None:
    page = (DOCS / "published.md").read_text()
    rows = json.loads((REPOSITORY / "benchmarks" / "results" / "reproduce.json").read_text())["rows"]
    assert [row["recipe"] for row in rows] == list(PUBLISHED)
    for row in rows:
        assert len(row["test_accuracy"]["seeds"]) >= 3
        assert f"| `{row['recipe']}` | {row['parameters']:,} | {row['published']} " in page
        assert f"{row['test_accuracy']['mean']:.2%} ± " in page
