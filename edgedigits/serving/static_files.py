"""Static files, read into memory when the server starts, so that no request path reaches the disk."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

import edgedigits_exporters

PAGE = Path(edgedigits_exporters.__file__).parent / "web" / "page"

TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".wasm": "application/wasm"}
"""Types for which the system's table may hold a value that browsers refuse."""


@dataclass(frozen=True)
class StaticFile:
    """The bytes of a file and its headers."""

    content: bytes
    headers: dict[str, str]

    def endpoint(self) -> Callable[[Request], Awaitable[Response]]:
        """Return a function that answers requests for the file."""

        async def send(request: Request) -> Response:
            if request.headers.get("if-none-match") == self.headers["etag"]:
                return Response(status_code=304, headers=self.headers)
            return Response(self.content, headers=self.headers)

        return send


def static_file(content: bytes, suffix: str) -> StaticFile:
    """Return a file whose type follows from its suffix."""
    kind = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    tag = hashlib.sha256(content).hexdigest()[:32]
    # no-cache: browsers ask each time and mostly get 304, so they never show an old page after an update.
    return StaticFile(content, {"content-type": kind, "etag": f'"{tag}"', "cache-control": "no-cache"})


def page_files(folder: Path = PAGE) -> dict[str, StaticFile]:
    """Return the files of the page by request path; "/" is index.html."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {f"/{path.relative_to(folder).as_posix()}": static_file(path.read_bytes(), path.suffix) for path in paths}
    if "/index.html" in files:
        files["/"] = files["/index.html"]
    return files
