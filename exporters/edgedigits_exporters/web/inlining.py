"""Make the page one HTML file: script, style and data inside, and a Content-Security-Policy that allows no more."""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def inline_page(
    html: str, style: str, scripts: Sequence[str], data: Mapping[str, bytes | str | dict[str, Any]], icon: bytes
) -> str:
    """Return the page with everything it needs.

    Args:
        html: index.html, which links style.css, server_page.js and icon.svg.
        style: the content of style.css.
        scripts: modules without imports, in the order in which they run; they replace server_page.js.
        data: by the id of its element: bytes are gzipped and in base64, texts are scripts of workers, objects are JSON.
        icon: the content of icon.svg.

    Raises:
        ValueError: `html` does not have each of these tags once.
    """
    policy = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(style, scripts)}">'
    elements = [_element(name, content) for name, content in data.items()]
    elements += [f'<script type="module">{script}</script>' for script in scripts]
    inlined = {
        '<meta charset="utf-8">': f'<meta charset="utf-8">\n{policy}',
        '<link rel="stylesheet" href="style.css">': f"<style>{style}</style>",
        'href="icon.svg"': f'href="data:image/svg+xml;base64,{base64.b64encode(icon).decode()}"',
        '<script type="module" src="server_page.js"></script>': "\n".join(elements),
    }
    for tag, content in inlined.items():
        if html.count(tag) != 1:
            raise ValueError(f"expected {tag} once in index.html, found it {html.count(tag)} times")
        html = html.replace(tag, content)
    return html


def content_policy(style: str, scripts: Sequence[str]) -> str:
    """Return a Content-Security-Policy that allows these texts, and requests only for the files beside the page."""
    rules = {
        "default-src": "'none'",
        "script-src": " ".join([*map(_hashed, scripts), "'wasm-unsafe-eval'"]),
        "style-src": _hashed(style),
        "img-src": "'self' blob: data:",
        "media-src": "'self' blob:",
        "manifest-src": "'self'",
        # A page from disk can load no worker, and makes it of its own text.
        "worker-src": "'self' blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {allowed}" for rule, allowed in rules.items())


def packed(content: bytes) -> str:
    """Return bytes gzipped and in base64; the same for the same bytes."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _element(name: str, content: bytes | str | dict[str, Any]) -> str:
    if isinstance(content, str):
        return f'<script type="text/plain" id="{name}">{content}</script>'
    if isinstance(content, bytes):
        return f'<script type="text/plain" id="{name}">{packed(content)}</script>'
    # Without "<", no text can end the element.
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'
