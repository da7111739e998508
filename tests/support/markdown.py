"""Read the project's Markdown: links, headings, console blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(```+)(\w*)[^\n]*\n(.*?)^\1[ ]*$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(((?!\w+:)[^)\s]+)\)")
NOT_RUN = re.compile(r"<!-- not run: (.+) -->\n\Z")


@dataclass(frozen=True)
class Console:
    """A console block: its lines, and the reason why no test runs it, if any."""

    page: Path
    lines: tuple[str, ...]
    not_run: str

    def commands(self) -> list[str]:
        """Return the commands without their prompt and comment."""
        return [re.sub(r"\s+#.*", "", line[2:]) for line in self.lines if line.startswith("$ ")]


def links(text: str) -> Iterator[str]:
    """Yield the relative links and anchors of a page outside of code blocks."""
    yield from LINK.findall(FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def console_blocks(page: Path) -> Iterator[Console]:
    """Yield the blocks of a page that show a terminal, whatever their language is called."""
    text = page.read_text()
    for match in FENCE.finditer(text):
        lines = tuple(match[3].splitlines())
        if match[2] == "console" or any(line.startswith("$ ") for line in lines):
            reason = NOT_RUN.search(text[: match.start()])
            yield Console(page, lines, reason[1] if reason else "")
