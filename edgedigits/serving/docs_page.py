"""A page that shows the OpenAPI document, without a script and without a request to anywhere else."""

from html import escape
from pathlib import Path
from typing import Any

STYLE = Path(__file__).with_name("docs.css")

EXAMPLES = {
    "/v1/read": "curl -F file=@5.png http://127.0.0.1:8000/v1/read\n"
    "curl -F file=@a.png -F file=@b.jpg http://127.0.0.1:8000/v1/read\n"
    "curl --data-binary @5.png -H 'Content-Type: image/png' 'http://127.0.0.1:8000/v1/read?trace=true'",
    "/v1/classify": "curl --data-binary @images.npy -H 'Content-Type: application/x-npy'"
    " http://127.0.0.1:8000/v1/classify",
    "/v1/models": "curl http://127.0.0.1:8000/v1/models",
}

Document = dict[str, Any]


def docs_page(document: Document) -> str:
    """Return HTML for an OpenAPI document as this server's is: its routes, then the shapes of its answers."""
    info = document["info"]
    routes = [
        _route(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    shapes = [_shape(name, schema) for name, schema in document["components"]["schemas"].items()]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}: HTTP API</title>",
            '<link rel="stylesheet" href="docs.css"><link rel="icon" href="icon.svg"></head><body><main>',
            f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
            f"<p>{escape(info['description'])}</p>",
            '<p><a href="./">The page</a> · <a href="openapi.json">The OpenAPI document</a></p>',
            "<h2>Requests</h2>",
            *routes,
            "<h2>Answers</h2>",
            *shapes,
            "</main></body></html>",
        ]
    )


def _route(method: str, path: str, operation: Document) -> str:
    parts = [
        f'<section><h3><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h3>',
        f"<p>{_text(operation.get('description') or operation['summary'])}</p>",
    ]
    rows = [
        (f"<code>?{escape(each['name'])}=</code>{_type(each['schema'])}", _text(each.get("description", "")))
        for each in operation.get("parameters", [])
    ]
    kinds: dict[str, list[str]] = {}
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        kinds.setdefault(_type(content["schema"]), []).append(f"<code>{escape(kind)}</code>")
    rows += [(", ".join(alike), said) for said, alike in kinds.items()]
    if rows:
        parts.append(_table("takes", rows))
    answers = [
        (f"<code>{status}</code>", f"{_text(answer['description'])} {_answer_type(answer)}")
        for status, answer in operation["responses"].items()
    ]
    parts.append(_table("answers", answers))
    if path in EXAMPLES:
        parts.append(f'<pre tabindex="0">{escape(EXAMPLES[path])}</pre>')
    return "\n".join([*parts, "</section>"])


def _shape(name: str, schema: Document) -> str:
    rows = [
        (f"<code>{escape(field)}</code> {_type(part)}", _text(part.get("description", "")))
        for field, part in schema.get("properties", {}).items()
    ]
    about = f"<p>{_text(schema['description'])}</p>" if "description" in schema else ""
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3>{about}{_table("fields", rows)}</section>'


def _answer_type(answer: Document) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return _type(schema) if schema else ""


def _type(schema: Document) -> str:
    """Return a schema in a few words, with links to the shapes it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_type(each) for each in schema[several])
    if schema.get("format") == "binary":
        return "the file's bytes"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and "properties" in schema:
        fields = ", ".join(f"<code>{escape(name)}</code>: {_type(part)}" for name, part in schema["properties"].items())
        return f"{{{fields}}}"
    if schema.get("type") == "integer" and {"minimum", "maximum"} <= schema.keys():
        return f"{schema['minimum']} to {schema['maximum']}"
    return escape(str(schema.get("type", "anything")))


def _text(text: str) -> str:
    """Return text with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def _table(caption: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th scope=row>{first}</th><td>{second}</td></tr>" for first, second in rows)
    return f"<table><caption>{caption}</caption><tbody>{body}</tbody></table>"
