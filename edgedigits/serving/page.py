"""The page: its files, read once when the server starts, so that no path of a request ever reaches a disk."""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

import edgedigits_exporters

FOLDER = Path(edgedigits_exporters.__file__).parent / "web" / "page"

TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".wasm": "application/wasm"}
"""Where the system's own register may say something that browsers do not run."""


@dataclass(frozen=True)
class PageFile:
    """A file of the page: its bytes, and the headers that go with them."""

    content: bytes
    headers: dict[str, str]

    @property
    def tag(self) -> str:
        return self.headers["etag"]


def page_files(folder: Path = FOLDER) -> dict[str, PageFile]:
    """Return the files below a folder by the path that a browser asks for; "/" is index.html."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {f"/{path.relative_to(folder).as_posix()}": page_file(path.read_bytes(), path.suffix) for path in paths}
    if "/index.html" in files:
        files["/"] = files["/index.html"]
    return files


def page_file(content: bytes, suffix: str) -> PageFile:
    """Return what is sent of a file with this suffix."""
    kind = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    tag = hashlib.sha256(content).hexdigest()[:32]
    # Asked for each time, and mostly answered with 304: a server that was updated is not shown an old page.
    return PageFile(content, {"content-type": kind, "etag": f'"{tag}"', "cache-control": "no-cache"})
