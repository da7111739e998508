"""The ASGI application: routes and error responses."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgedigits.serving import openapi
from edgedigits.serving.guard import RECORD, App, Guard
from edgedigits.serving.logs import Log
from edgedigits.serving.options import ServeOptions
from edgedigits.serving.problems import Problem
from edgedigits.serving.service import JSON, Service
from edgedigits.serving.static_files import page_files, static_file
from edgedigits_runtime.reading.reader import Reader


def create_app(options: ServeOptions, reader: Reader | None = None, log: Log | None = None) -> App:
    """Return the ASGI application.

    Args:
        options: see ServeOptions.
        reader: opened with `options` if None; closed when the server ends.
        log: for requests; standard output if None.
    """
    service = Service(reader or options.reading.open(), options)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        yield {"limits": options.limits}  # For edgedigits.serving.protocol.
        service.close()

    shape = service.reader.classifier.contract.image_shape
    document = openapi.build_document(shape, options.limits.arrays, with_token=bool(options.token))
    files = {
        "/openapi.json": static_file(json.dumps(document).encode(), ".json"),
        "/docs": static_file((openapi.FOLDER / "docs.html").read_bytes(), ".html"),
        "/docs.css": static_file((openapi.FOLDER / "docs.css").read_bytes(), ".css"),
        **page_files(),
    }
    app = Starlette(
        routes=[
            Route("/v1/read", service.read, methods=["POST"]),
            Route("/v1/classify", service.classify, methods=["POST"]),
            Route("/v1/models", service.models),
            Route("/healthz", service.health),
            Route("/readyz", service.health),
            *(Route(path, file.endpoint()) for path, file in files.items()),
        ],
        exception_handlers={Problem: _respond, HTTPException: _respond, Exception: _respond},
        lifespan=lifespan,
    )
    return Guard(app, options, log or Log(requests=options.log_requests), service.is_full)


async def _respond(request: Request, error: Exception) -> Response:
    """Return the response to a request that raised an exception."""
    if isinstance(error, HTTPException):
        kind = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "Refused")
        error = Problem(error.status_code, kind, error.detail, error.headers)
    elif not isinstance(error, Problem):
        error = Problem(500, "Internal", "internal error; see the server's log")
    request.scope[RECORD]["error"] = error.kind
    return Response(error.body(), error.status, {**JSON, **error.headers})
