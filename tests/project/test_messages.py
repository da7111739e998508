"""Messages, remedies and examples name only commands and options that exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from typer.main import get_command

from edgedigits.cli import app
from tests.conftest import REPOSITORY

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
COMMAND = re.compile(r"\bedgedigits ([a-z][a-z-]*)((?: [^;,·()]*)?)")
"""A command to type, up to the end of its clause."""

OTHERS = re.compile(r"\b(pip|cmake|ctest|http\.server|rpicam-hello|ray start|Raspberry Pi OS)\b|^--|python3 -m")
"""Words of strings that have the options of other programs."""


@cache
def texts() -> list[tuple[str, str]]:
    """Return all that `_texts` yields."""
    return list(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    """Yield (place, text) of every string in the packages; "{}" stands for a value."""
    for root in ("edgedigits", "exporters", "runtime"):
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            parts: set[ast.AST] = set()
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    parts |= set(node.values)
                    text = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
                    text = node.value
                else:
                    continue
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}", text


@cache
def options() -> dict[str, set[str]]:
    """Return the options of each command; those of `bench matrix` and the like are with those of the group."""
    group: Any = get_command(app)
    found = {}
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        every = [command, *getattr(command, "commands", {}).values()]
        parameters = [parameter for one in every for parameter in one.params]
        found[name] = {option for one in parameters for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    return found


def test_every_command_to_type_exists_and_has_the_options() -> None:
    wrong, count = [], 0
    for place, text in texts():
        for name, rest in COMMAND.findall(text):
            if OPTION.search(rest) or name in options():
                count += 1
                known = options().get(name, set())
                wrong += [
                    f"{place}: edgedigits {name} has no {one}" for one in OPTION.findall(rest) if one not in known
                ]
    assert not wrong
    assert count > 60


def test_every_option_that_a_message_names_exists() -> None:
    known = set.union(*options().values())
    named = [(place, one) for place, text in texts() if not OTHERS.search(text) for one in OPTION.findall(text)]
    assert [f"{place}: {one}" for place, one in named if one not in known] == []
    assert len(named) > 150


def test_the_scan_finds_what_it_should() -> None:
    assert Path(__file__).is_file() and "--json" in options()["bench"] and "--models" in options()["bench"]
    assert COMMAND.findall("run: edgedigits train --resume {}, or not") == [("train", " --resume {}")]
    assert OPTION.findall("give --out; a---b and x--y are none") == ["--out"]
