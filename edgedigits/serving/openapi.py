"""What the OpenAPI document says of each route: what it takes, and every answer that it gives."""

from typing import Any

from edgedigits.serving import schemas

DESCRIPTION = (
    "Finds and reads handwritten digits in pictures. Nothing that is sent is stored, and no path or address is ever"
    " taken from a request."
)

PROBLEMS = {
    400: "The request is no HTTP.",
    401: "The server's token is missing or wrong.",
    403: "The server does not go by the name that was asked for, or another site's page asks.",
    405: "Not with this method.",
    408: "The request did not arrive in time.",
    413: "A body, a picture or their number is over the limit.",
    415: "Not a type that is read here.",
    422: "A picture, a form, an array or a parameter is damaged, empty or something else than expected.",
    503: "More waits than can be answered in time.",
}

BINARY = {"type": "string", "format": "binary"}
PIXEL = {"type": "integer", "minimum": 0, "maximum": 255}

TOKEN = {"Bearer": {"type": "http", "scheme": "bearer"}, "Basic": {"type": "http", "scheme": "basic"}}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    told: dict[int | str, dict[str, Any]] = {
        status: {"model": schemas.Error, "description": PROBLEMS[status]} for status in statuses
    }
    if 503 in told:
        told[503]["headers"] = {
            "Retry-After": {"description": "seconds", "required": True, "schema": {"type": "integer", "minimum": 1}}
        }
    if 401 in told:
        told[401]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return told


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": content}


READ: dict[str, Any] = {
    "summary": "Read pictures",
    "description": (
        "Send one picture as the body, or one or several as multipart fields `file`. PNG, JPEG, WebP, TIFF, BMP and"
        " GIF are read. Several pictures are answered with a list; one of them that cannot be read stops no other."
    ),
    "responses": {
        200: {
            "model": schemas.Reading
            | schemas.TracedReading
            | list[schemas.Reading | schemas.TracedReading | schemas.Unread],
            "description": "What was read; a list for several pictures.",
        },
        **_problems(400, 401, 403, 408, 413, 415, 422, 503),
    },
    "openapi_extra": {
        "parameters": [
            {
                "name": "trace",
                "in": "query",
                "description": "Also answer what the network was shown, and why it was kept or not.",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": _body(
            {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "additionalProperties": False,
                        "properties": {"file": {"type": "array", "minItems": 1, "items": BINARY}},
                    }
                },
                **{f"image/{kind}": {"schema": BINARY} for kind in ("png", "jpeg", "webp", "tiff", "bmp", "gif")},
                "application/octet-stream": {"schema": BINARY},
            }
        ),
    },
}

CLASSIFY: dict[str, Any] = {
    "summary": "Classify images that are framed already",
    "description": (
        "Images of the model's own size, ink bright on dark as MNIST has it: one or a list of them as JSON, or a .npy"
        " file of uint8 [N, H, W]. Nothing is looked for in them and nothing is left out."
    ),
    "responses": {
        200: {"model": schemas.Classified, "description": "The probabilities of each image."},
        **_problems(400, 401, 403, 408, 413, 415, 422, 503),
    },
}

MODELS: dict[str, Any] = {
    "summary": "Tell which model answers",
    "responses": {200: {"model": schemas.Models, "description": "The models."}, **_problems(401, 403)},
}

HEALTH: dict[str, Any] = {
    "summary": "Tell that the server runs",
    "responses": {200: {"model": schemas.Status, "description": "It does."}, **_problems(403)},
}

READY: dict[str, Any] = {
    "summary": "Tell whether pictures are taken at the moment",
    "responses": {200: {"model": schemas.Status, "description": "They are."}, **_problems(403, 503)},
}


def classify_body(shape: tuple[int, int, int], most: int) -> dict[str, Any]:
    """Return what `openapi_extra` says of the arrays that a model with images of this shape takes."""
    height, width, channels = shape
    pixel: dict[str, Any] = PIXEL if channels == 1 else _list_of(PIXEL, channels)
    image = _list_of(_list_of(pixel, width), height)
    images = {"type": "array", "minItems": 1, "items": image, "description": f"at most {most:,}"}
    schema = {
        "type": "object",
        "required": ["images"],
        "additionalProperties": False,
        "properties": {"images": {"oneOf": [image, images]}},
    }
    return {"requestBody": _body({"application/json": {"schema": schema}, "application/x-npy": {"schema": BINARY}})}


def _list_of(items: dict[str, Any], count: int) -> dict[str, Any]:
    return {"type": "array", "minItems": count, "maxItems": count, "items": items}
