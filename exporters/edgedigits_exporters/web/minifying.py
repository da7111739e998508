"""Leave out of a script or a style what only people read: comments, indentation, spaces between words and signs.

Names and most line breaks stay, so that an error still says where it is, and no semicolon is needed that was not
written.
"""

import re

TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<string> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
  | (?P<word> [\w$\#]+ )
  | (?P<space> \s+ )
  | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
PATTERN = re.compile(r"/(?![/*])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")

BEFORE_A_PATTERN = frozenset("(,=:[!&|?{};+-*%~^<>\n") | {"return", "typeof", "case", "in", "of", "=>"}
"""A stroke behind one of these begins a regular expression; elsewhere it divides."""

WORD = re.compile(r"[\w$\#]")


def minified(script: str) -> str:
    """Return a script that does the same in fewer bytes."""
    kept: list[str] = []
    gap = ""
    for token in _tokens(script):
        if token.isspace():
            gap = max(gap, "\n" if "\n" in token else " ")
            continue
        kept += [_between(kept[-1] if kept else "\n", token, gap), token]
        gap = ""
    return "".join(kept).strip() + "\n"


def minified_style(style: str) -> str:
    """Return a style sheet that does the same in fewer bytes."""
    parts = re.split(r"""("[^"]*"|'[^']*')""", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    # Every second part is a string.
    parts[::2] = [re.sub(r" ?([{};,]|:(?= )) ?", r"\1", re.sub(r"\s+", " ", part)) for part in parts[::2]]
    return "".join(parts).strip()


def without_comments(script: str) -> str:
    """Return a script with white space in place of its comments."""
    return "".join(_tokens(script))


def _between(before: str, after: str, gap: str) -> str:
    """Return what has to stay of the space between two tokens."""
    if not gap or "\n" in gap:
        # Behind these a statement goes on, and before those.
        joined = before[-1] in "{([,;\n" or after[0] in ")]"
        return "" if joined else gap
    apart = WORD.match(before[-1]) and WORD.match(after[0])
    # "a + +b" and "a - -b" may not become one sign.
    return " " if apart or (before[-1] in "+-/" and after[0] == before[-1]) else ""


def _tokens(script: str) -> list[str]:
    """Return the script's words, signs, strings and white space; a comment is white space."""
    tokens: list[str] = []
    before = "\n"
    at = 0
    while at < len(script):
        token = _token(script, at, before)
        at += len(token)
        if not _is_gap(token):
            before = token
        elif _is_comment(token):
            token = "\n" if "\n" in token else " "
        tokens.append(token)
    return tokens


def _token(script: str, at: int, before: str) -> str:
    if script[at] == "`":
        return script[at : _end_of_template(script, at)]
    pattern = PATTERN.match(script, at) if before in BEFORE_A_PATTERN else None
    found = pattern or TOKEN.match(script, at)
    assert found is not None  # Every character is a token.
    return found[0]


def _end_of_template(script: str, at: int) -> int:
    """Return where a template literal ends, with all that is computed within it."""
    at += 1
    while script[at] != "`":
        if script.startswith("${", at):
            at = _end_of_braces(script, at + 2)
        else:
            at += 2 if script[at] == "\\" else 1
    return at + 1


def _end_of_braces(script: str, at: int) -> int:
    before = "{"
    while script[at] != "}":
        if script[at] == "{":
            at, before = _end_of_braces(script, at + 1), "}"
        else:
            token = _token(script, at, before)
            at += len(token)
            if not _is_gap(token):
                before = token
    return at + 1


def _is_gap(token: str) -> bool:
    return token.isspace() or _is_comment(token)


def _is_comment(token: str) -> bool:
    return token.startswith(("//", "/*"))
