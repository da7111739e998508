"""Each `pip install` that a message tells users to type names extras and packages that pyproject.toml has."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
SOURCES = [
    path for room in ("edgedigits", "exporters", "runtime") for path in sorted((REPOSITORY / room).rglob("*.py"))
]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
# What a placeholder stands for: an extra that MissingExtra or a Ray node's fault is given, or a requirement.
PLACEHOLDER = re.compile(r"\[?\{[\w.]+\}\]?")
# Distributions of imports that are called otherwise, or come with another one.
DISTRIBUTIONS = {"cv2": "opencv", "sklearn": "scikit-learn", "grpc": "ray", "multipart": "python-multipart"}


def packages_of(extra: str) -> set[str]:
    """Return the distributions of an extra, with those of the extras that it includes."""
    found = set()
    for requirement in map(Requirement, EXTRAS[extra]):
        found |= (
            set().union(*map(packages_of, requirement.extras))
            if requirement.name == "edgedigits"
            else {requirement.name}
        )
    return found


def remedies() -> Iterator[tuple[str, str]]:
    """Yield where a requirement stands and the requirement of each `pip install` in code and docs."""
    for path in [*SOURCES, *PAGES]:
        for command in re.findall(r"pip install ([^\n`;#&]+)", path.read_text()):
            for word in re.findall(r"'([^']+)'|(?<![\w-])([a-z][\w-]+(?:\[[\w,-]+\])?)(?=[\s\"',.)]|$)", command)[:1]:
                yield path.name, "".join(word)


def missing_extras() -> Iterator[tuple[Path, ast.Call, ast.Try | None]]:
    """Yield each MissingExtra(...) in code, with the try statement whose import failed."""
    for path in SOURCES:
        if "MissingExtra(" not in (text := path.read_text()):
            continue
        tree = ast.parse(text)
        guarded = {
            id(call): node for node in ast.walk(tree) if isinstance(node, ast.Try)
            for handler in node.handlers for call in ast.walk(handler) if isinstance(call, ast.Call)
        }  # fmt: skip
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "MissingExtra":
                yield path, call, guarded.get(id(call))


@pytest.mark.parametrize(("place", "requirement"), sorted(set(remedies())))
def test_a_remedy_can_be_typed(place: str, requirement: str) -> None:
    if PLACEHOLDER.search(requirement):
        assert not requirement.startswith("edgedigits") or "[" in requirement
        return
    # In a clone, `.` is edgedigits; no index has it, so without an extra there is nothing to install.
    parsed = Requirement(re.sub(r"^(\./[\w.-]+\.whl|\.)", "edgedigits", requirement))
    if parsed.name == "edgedigits":
        assert parsed.extras, f"{place}: no index has edgedigits: {requirement}"
        assert parsed.extras <= set(EXTRAS), place
    else:
        known = {Requirement(each).name for each in chain(PROJECT["dependencies"], *EXTRAS.values())}
        assert parsed.name in known | {"openvino"}, place


def test_each_extra_that_an_error_names_exists() -> None:
    named = {call.args[1].value for _, call, _ in missing_extras() if isinstance(call.args[1], ast.Constant)}
    assert named <= set(EXTRAS)
    assert {"onnx", "camera", "window", "serve", "plot", "ray", "train-cpu"} <= named


def test_the_extra_of_an_error_brings_what_could_not_be_imported() -> None:
    checked = 0
    for path, call, guard in missing_extras():
        if guard is None or not isinstance(call.args[1], ast.Constant):
            continue
        imported = [node for statement in guard.body for node in ast.walk(statement)]
        names = {alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in imported if isinstance(node, ast.ImportFrom)}
        there = packages_of(str(call.args[1].value))
        for name in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
            if not name.startswith("edgedigits"):
                checked += 1
                assert any(package.startswith(DISTRIBUTIONS.get(name, name)) for package in there), (
                    f"{path.name}: {name}"
                )
    assert checked >= 5


def test_the_readme_explains_every_extra_of_users() -> None:
    rows = re.findall(r"^\| (`\[.*?) \|", (REPOSITORY / "README.md").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"\[([\w-]+)\]", " ".join(rows))) == set(EXTRAS) - {"dev", "source", "train-base"}
