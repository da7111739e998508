"""The page as one HTML file that loads nothing: script, style and data within it, and a policy that allows no more."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from edgedigits_runtime.errors import ExportError

STYLE = re.compile(r'<link rel="?stylesheet"? href="?style\.css"?\s*/?>')
SCRIPT = re.compile(r'<script type="?module"? src="?[\w./]+"?></script>')
ICON = re.compile(r'(?<=<link rel="icon" href=")icon\.svg(?=")')
CHARSET = re.compile(r'<meta charset="?utf-8"?\s*/?>', re.IGNORECASE)


def inline_page(
    html: str, style: str, scripts: list[str], data: Mapping[str, bytes | dict[str, Any]], icon: bytes
) -> str:
    """Return the page with all that it needs.

    Args:
        html: with one `<link rel=stylesheet href=style.css>` and one `<script type=module src=...>`, which go, and
            one `<link rel=icon href=icon.svg>`.
        style: the text of style.css.
        scripts: modules without imports, in the order in which they run.
        data: by the id of the element that holds it: bytes gzipped and in base64, objects as JSON.
        icon: the content of icon.svg.

    Raises:
        ExportError: the page is not as expected, or a text would end the element that it is put into.
    """
    for text, end in [(style, "</style"), *((script, "</script") for script in scripts)]:
        if end in text.lower():
            raise ExportError(f"the page's own text holds {end}, which would end it; write it in another way")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(style, scripts)}">'
    inline = [f'<script type="module">{script}</script>' for script in scripts]
    page = _put(html, CHARSET, lambda found: f"{found}\n{policy}", "<meta charset=utf-8>")
    page = _put(page, STYLE, lambda _: f"<style>{style}</style>", "<link rel=stylesheet href=style.css>")
    drawn = f"data:image/svg+xml;base64,{base64.b64encode(icon).decode()}"
    page = _put(page, ICON, lambda _: drawn, '<link rel="icon" href="icon.svg">')
    elements = [_element(name, content) for name, content in data.items()]
    return _put(page, SCRIPT, lambda _: "\n".join([*elements, *inline]), "<script type=module src=...>")


def content_policy(style: str, scripts: list[str]) -> str:
    """Return a Content-Security-Policy that admits these texts, and no request to anywhere but beside the page."""
    rules = {
        "default-src": "'none'",
        "script-src": " ".join([*map(_hashed, scripts), "'wasm-unsafe-eval'"]),
        "style-src": _hashed(style),
        "img-src": "'self' blob: data:",
        "media-src": "'self' blob:",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {allowed}" for rule, allowed in rules.items())


def packed(content: bytes) -> str:
    """Return bytes gzipped and in base64; the same for the same bytes."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _element(name: str, content: bytes | dict[str, Any]) -> str:
    if isinstance(content, bytes):
        return f'<script type="text/plain" id="{name}">{packed(content)}</script>'
    # Within a script only "<" can be the beginning of its end.
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _put(page: str, place: re.Pattern[str], made: Callable[[str], str], wanted: str) -> str:
    found = place.findall(page)
    if len(found) != 1:
        raise ExportError(f"the page must have {wanted} once, and has it {len(found)} times")
    return place.sub(lambda match: made(match[0]), page)
