"""One HTML file with script, style and data, and a policy that allows only those."""

import base64
import gzip
import hashlib
import html.parser
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_exporters.web.inlining import content_policy, inline_page, packed

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="style.css">
<script type="module" src="server_page.js"></script>
</head>
<body>é</body>
</html>
"""
ICON = b"<svg/>"


class Elements(html.parser.HTMLParser):
    """The scripts and styles of a page as a browser parses them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self.policy = ""
        self.within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within = tag in ("script", "style")
        if self.within:
            self.found.append((dict(attrs), ""))
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""

    def handle_data(self, data: str) -> None:
        if self.within:
            attributes, text = self.found.pop()
            self.found.append((attributes, text + data))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self.within = False


def test_script_style_and_data_are_in_the_page() -> None:
    made = inline_page(
        PAGE, "p { color: red }", ["let a = 1;", "let b = 2;"], {"model": b"\0\1", "settings": {"c": 1}}, ICON
    )
    style, model, settings, *scripts = Elements(made).found
    assert style == ({}, "p { color: red }")
    assert model[0] == {"type": "text/plain", "id": "model"}
    assert gzip.decompress(base64.b64decode(model[1])) == b"\0\1"
    assert (settings[0]["id"], json.loads(settings[1])) == ("settings", {"c": 1})
    assert scripts == [({"type": "module"}, "let a = 1;"), ({"type": "module"}, "let b = 2;")]
    assert "<body>é</body>" in made
    assert "src=" not in made
    assert re.findall(r'href="(.{20})', made) == ["data:image/svg+xml;b"]


def test_the_policy_comes_first_and_allows_script_and_style_by_hash() -> None:
    made = inline_page(PAGE, "p {}", ["let a;"], {}, ICON)
    assert made.index("Content-Security-Policy") < made.index("<style>") < made.index("<script")
    policy = dict(rule.split(" ", 1) for rule in Elements(made).policy.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'sha256-{digest('let a;')}' 'wasm-unsafe-eval'"
    assert policy["style-src"] == f"'sha256-{digest('p {}')}'"
    assert not re.search(r"unsafe-inline|unsafe-eval'? |https?:|\*", str(policy).replace("'wasm-unsafe-eval'", ""))
    assert "connect-src" not in policy
    assert content_policy("p {}", ["let a;"]) != content_policy("p {}", ["let b;"])


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=30)), st.binary(max_size=200))
def test_any_data_can_be_read_back(settings: dict[str, str], content: bytes) -> None:
    hostile = {**settings, "</script><script>": "</script><!-- <script>"}
    found = {attributes["id"]: text for attributes, text in Elements(
        inline_page(PAGE, "", [], {"settings": hostile, "model": content}, ICON)
    ).found if "id" in attributes}  # fmt: skip
    assert json.loads(found["settings"]) == hostile
    assert gzip.decompress(base64.b64decode(found["model"])) == content
    assert packed(content) == packed(content)


@pytest.mark.parametrize(
    ("page", "fact"),
    [
        (PAGE.replace("style.css", "other.css"), "style.css"),
        (PAGE.replace(" src=", " data-src="), "server_page.js"),
        (PAGE.replace("charset", "name"), "charset"),
        (PAGE + PAGE, "2 times"),
    ],
)
def test_a_page_without_the_expected_tags_is_refused(page: str, fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        inline_page(page, "", [], {}, ICON)
