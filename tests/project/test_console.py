"""Every console block of README and docs: its commands exist, and it runs as shown or says why no test runs it."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from edgedigits.cli import app
from tests.conftest import REPOSITORY, RunCommand
from tests.project.test_docs import PAGES
from tests.support.markdown import Console, console_blocks

BLOCKS = [block for page in PAGES for block in console_blocks(page)]
TARGETS = set(re.findall(r"^([a-z][\w-]*)(?= |:)", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE))
TARGETS |= set(re.findall(r"^\.PHONY: (.+)$", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)[0].split())


def name_of(block: Console) -> str:
    return f"{block.page.relative_to(REPOSITORY)}: {(block.commands() or ['?'])[0]}"


def parse(words: list[str]) -> None:
    """Raise click's usage error for an unknown command, an unknown option, or an option without its value."""
    command: Any = get_command(app)
    assert words[0].startswith("-") or words[0] in command.list_commands(None), f"no command {words[0]}"
    # A group such as `bench` works without a command too.
    while words and hasattr(command, "list_commands") and words[0] in command.list_commands(None):
        command, words = command.get_command(None, words[0]), words[1:]
    command.make_parser(command.context_class(command)).parse_args(list(words))


@pytest.mark.parametrize("block", BLOCKS, ids=name_of)
def test_the_commands_of_a_block_exist(block: Console) -> None:
    assert block.commands(), "a console block shows a command after `$ `"
    for line in block.commands():
        for words in _simple_commands(line):
            if words[0] == "edgedigits":
                parse(words[1:])
            elif words[0] == "make" and "-c" not in line:
                assert {word for word in words[1:] if "=" not in word} <= TARGETS, line


@pytest.mark.parametrize("block", [block for block in BLOCKS if not block.not_run], ids=name_of)
def test_a_block_runs_as_shown(
    block: Console, run_here: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    monkeypatch.setenv("COLUMNS", "200")
    printed = ""
    for line in block.commands():
        (words,) = _simple_commands(line)
        assert words[0] == "edgedigits", f"only edgedigits commands are run: {line}"
        done = run_here(*words[1:])
        printed += done.stdout + done.stderr
    for shown in (line for line in block.lines if line and not line.startswith("$ ")):
        pattern = ".*".join(map(re.escape, shown.split("...")))
        assert re.search(rf"^{pattern}\s*$", printed, flags=re.MULTILINE), f"not printed: {shown}\n{printed}"


def _simple_commands(line: str) -> list[list[str]]:
    """Return the words of each command that a line of shell runs, without redirections."""
    lexer = shlex.shlex(re.sub(r"<(\w+)>", r"\1", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    words = iter(list(lexer))
    for word in words:
        if word in ("|", "&&", ";", "||"):
            commands.append([])
        elif word in (">", "<", ">>"):
            next(words)
        else:
            commands[-1].append(word)
    return [words for words in commands if words]
