"""The OpenAPI document: openapi.json, and what differs between servers. docs.html describes the same for people."""

import json
from pathlib import Path
from typing import Any

from edgedigits.serving.guard import OPEN_PATHS
from edgedigits_runtime.machine import installed_version

FOLDER = Path(__file__).parent
PIXEL = {"type": "integer", "minimum": 0, "maximum": 255}
TOKEN = {"Bearer": {"type": "http", "scheme": "bearer"}, "Basic": {"type": "http", "scheme": "basic"}}

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
