"""The application: routes, and how errors are told."""

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edgedigits.serving import openapi
from edgedigits.serving.docs_page import STYLE, docs_page
from edgedigits.serving.guard import OPEN_PATHS, RECORD, App, Guard
from edgedigits.serving.logs import Log
from edgedigits.serving.options import ServeOptions
from edgedigits.serving.page import PageFile, page_file, page_files
from edgedigits.serving.problems import Problem, no_place
from edgedigits.serving.service import Service
from edgedigits_runtime.reading.reader import Reader


class RawRoute(APIRoute):
    """A route that hands its endpoint the request as it is: bodies are read by us, and limited as they come."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


def create_app(options: ServeOptions, reader: Reader | None = None, log: Log | None = None) -> App:
    """Return the ASGI application.

    Args:
        options: see ServeOptions.
        reader: answers; opened as the options say if None, and closed when the server ends.
        log: where requests are written; standard output if None.
    """
    service = Service(reader or options.reading.open(), options)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="edgedigits",
        version=version("edgedigits"),
        description=openapi.DESCRIPTION,
        # FastAPI's own pages load their scripts from elsewhere.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.include_router(_api(service))
    for path, file in {**_documents(app.openapi(), options), **page_files()}.items():
        app.add_route(path, _sends(file), include_in_schema=False)
    app.add_exception_handler(Problem, _told)
    app.add_exception_handler(HTTPException, _told_by_starlette)
    app.add_exception_handler(Exception, _own_fault)
    return Guard(app, options, log or Log(requests=options.log_requests), service.is_full)


def _documents(document: dict[str, Any], options: ServeOptions) -> dict[str, PageFile]:
    """Return the OpenAPI document, with the token that is asked for, and the page that shows it."""
    if options.token:
        document["components"]["securitySchemes"] = openapi.TOKEN
        document["security"] = [{name: []} for name in openapi.TOKEN]
        for path in OPEN_PATHS:
            document["paths"][path]["get"]["security"] = []
    return {
        "/openapi.json": page_file(json.dumps(document).encode(), ".json"),
        "/docs": page_file(docs_page(document).encode(), ".html"),
        "/docs.css": page_file(STYLE.read_bytes(), ".css"),
    }


def _api(service: Service) -> APIRouter:
    router = APIRouter(route_class=RawRoute)

    @router.post("/v1/read", **openapi.READ)
    async def read(request: Request) -> Response:
        return await service.read(request)

    shape, most = service.reader.classifier.contract.image_shape, service.options.limits.arrays

    @router.post("/v1/classify", **openapi.CLASSIFY, openapi_extra=openapi.classify_body(shape, most))
    async def classify(request: Request) -> Response:
        return await service.classify(request)

    @router.get("/v1/models", **openapi.MODELS)
    async def models(_: Request) -> Response:
        return JSONResponse(service.models(), headers={"cache-control": "no-store"})

    @router.get("/healthz", **openapi.HEALTH)
    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    @router.get("/readyz", **openapi.READY)
    async def readyz(_: Request) -> Response:
        if service.is_full():
            raise no_place()
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    return router


def _sends(file: PageFile) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=file.headers)
        return Response(file.content, headers=file.headers)

    return send


async def _told(request: Request, error: Exception) -> Response:
    problem = error if isinstance(error, Problem) else Problem(500, "Internal", "see the server's log")
    request.scope[RECORD]["error"] = problem.kind
    headers = {"content-type": "application/json", "cache-control": "no-store", **problem.headers}
    return Response(problem.body(), problem.status, headers)


async def _told_by_starlette(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    kind = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "Refused")
    return await _told(request, Problem(error.status_code, kind, error.detail, error.headers))


async def _own_fault(request: Request, _: Exception) -> Response:
    return await _told(request, Problem(500, "Internal", "something went wrong here; the server's log says what"))
