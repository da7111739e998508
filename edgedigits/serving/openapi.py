"""The OpenAPI document, and a page that shows it without scripts and without requests to other hosts."""

import json
from html import escape
from pathlib import Path
from typing import Any

from edgedigits.serving.guard import OPEN_PATHS
from edgedigits_runtime.machine import installed_version
from edgedigits_runtime.templates import fill

FOLDER = Path(__file__).parent
PIXEL = {"type": "integer", "minimum": 0, "maximum": 255}
TOKEN = {"Bearer": {"type": "http", "scheme": "bearer"}, "Basic": {"type": "http", "scheme": "basic"}}

EXAMPLES = {
    "/v1/read": "curl -F file=@5.png http://127.0.0.1:8000/v1/read\n"
    "curl -F file=@a.png -F file=@b.jpg http://127.0.0.1:8000/v1/read\n"
    "curl --data-binary @5.png -H 'Content-Type: image/png' 'http://127.0.0.1:8000/v1/read?trace=true'",
    "/v1/classify": "curl --data-binary @images.npy -H 'Content-Type: application/x-npy'"
    " http://127.0.0.1:8000/v1/classify",
    "/v1/models": "curl http://127.0.0.1:8000/v1/models",
}

Document = dict[str, Any]


def load_document() -> Document:
    """Return openapi.json: everything that is the same on every server."""
    document: Document = json.loads((FOLDER / "openapi.json").read_text())
    return document


def build_document(shape: tuple[int, int, int], max_images: int, *, with_token: bool) -> Document:
    """Return the document of a server, for the model's input shape [H, W, C] and the limit of /v1/classify."""
    document = load_document()
    document["info"]["version"] = installed_version("edgedigits") or ""
    height, width, channels = shape
    pixel: Document = PIXEL if channels == 1 else _list_of(PIXEL, channels)
    image = _list_of(_list_of(pixel, width), height)
    images = {"type": "array", "minItems": 1, "items": image, "description": f"at most {max_images:,}"}
    body = document["paths"]["/v1/classify"]["post"]["requestBody"]["content"]["application/json"]
    body["schema"]["properties"]["images"] = {"oneOf": [image, images]}
    if with_token:
        document["components"]["securitySchemes"] = TOKEN
        document["security"] = [{name: []} for name in TOKEN]
        for path in OPEN_PATHS:
            document["paths"][path]["get"]["security"] = []
    return document


def _list_of(items: Document, count: int) -> Document:
    return {"type": "array", "minItems": count, "maxItems": count, "items": items}


def docs_page(document: Document) -> str:
    """Return HTML with the operations and schemas of a document."""
    components, info = document["components"], document["info"]
    operations = [
        _operation(method, path, operation, components["responses"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    values = {
        "TITLE": escape(info["title"]),
        "VERSION": escape(info["version"]),
        "DESCRIPTION": escape(info["description"]),
        "OPERATIONS": "\n".join(operations),
        "SCHEMAS": "\n".join(_schema(name, schema) for name, schema in components["schemas"].items()),
    }
    return fill((FOLDER / "docs.html").read_text(), values)


def _operation(method: str, path: str, operation: Document, responses: Document) -> str:
    parts = [
        f'<section><h3><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h3>',
        f"<p>{_text(operation.get('description') or operation['summary'])}</p>",
    ]
    rows = [
        (f"<code>?{escape(each['name'])}=</code>{_type(each['schema'])}", _text(each["description"]))
        for each in operation.get("parameters", [])
    ]
    media_types: dict[str, list[str]] = {}
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        media_types.setdefault(_type(content["schema"]), []).append(f"<code>{escape(media_type)}</code>")
    rows += [(", ".join(names), body) for body, names in media_types.items()]
    if rows:
        parts.append(_table("takes", rows))
    answers = []
    for status, response in operation["responses"].items():
        found = responses[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        body = _type(found["content"]["application/json"]["schema"])
        answers.append((f"<code>{status}</code>", f"{_text(found['description'])} {body}"))
    parts.append(_table("answers", answers))
    if path in EXAMPLES:
        parts.append(f'<pre tabindex="0">{escape(EXAMPLES[path])}</pre>')
    return "\n".join([*parts, "</section>"])


def _schema(name: str, schema: Document) -> str:
    rows = [
        (f"<code>{escape(field)}</code> {_type(part)}", _text(part.get("description", "")))
        for field, part in schema["properties"].items()
    ]
    about = f"<p>{_text(schema['description'])}</p>" if "description" in schema else ""
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3>{about}{_table("fields", rows)}</section>'


def _type(schema: Document) -> str:
    """Return a short form of a schema, with links to the schemas it refers to."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return " or ".join(_type(each) for each in schema[keyword])
    if schema.get("format") == "binary":
        return "the file's bytes"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object" and "properties" in schema:
        fields = ", ".join(f"<code>{escape(name)}</code>: {_type(part)}" for name, part in schema["properties"].items())
        return f"{{{fields}}}"
    if schema.get("type") == "integer" and {"minimum", "maximum"} <= schema.keys():
        return f"{schema['minimum']} to {schema['maximum']}"
    return escape(str(schema.get("type", "anything")))


def _text(text: str) -> str:
    """Escape a text, and mark the parts between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def _table(caption: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th scope=row>{first}</th><td>{second}</td></tr>" for first, second in rows)
    return f"<table><caption>{caption}</caption><tbody>{body}</tbody></table>"
