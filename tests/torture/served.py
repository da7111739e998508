"""A dataset that a mirror on the loopback interface serves, whose address stands in TORTURE_MIRROR.

Four files of random bytes, so that nothing about them compresses or repeats. The mirror sends them in pieces with
pauses, as a network does, and takes Range.
"""

import gzip
import hashlib
import os
import sys
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from edgedigits.data.description import DataFile, Description

ENVIRONMENT = "TORTURE_MIRROR"
NAMES = tuple(f"part-{number}.gz" for number in range(4))
BYTES = 300_000
PIECE = 16_384
PAUSE = 0.002


@cache
def body(name: str) -> bytes:
    """Return the file of that name, the same in every process."""
    return gzip.compress(np.random.default_rng(NAMES.index(name)).bytes(BYTES), 1, mtime=0)


def _file(name: str) -> DataFile:
    content = gzip.decompress(body(name))
    mirrors = tuple(os.environ.get(ENVIRONMENT, "http://127.0.0.1:9/").split())
    return DataFile("served", name, hashlib.md5(content, usedforsecurity=False).hexdigest(), "content", mirrors)


def __getattr__(name: str) -> Any:
    # Made when it is asked for: a fork learns the mirror's address after this module was imported.
    if name != "DESCRIPTION":
        raise AttributeError(name)
    return Description(
        name="served",
        about="random bytes from the loopback interface",
        homepage="http://127.0.0.1/",
        train=0,
        test=None,
        shape=(1, 1, 1),
        labels=("0", "1"),
        reader="plain",
        files=tuple(_file(name) for name in NAMES),
    )


class Handler(BaseHTTPRequestHandler):
    """Serve NAMES, whole or from an offset."""

    def do_GET(self) -> None:
        """Answer one request."""
        content = body(self.path.rpartition("/")[2])
        wanted = self.headers["Range"]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        for begin in range(start, len(content), PIECE):
            self.wfile.write(content[begin : min(begin + PIECE, len(content))])
            time.sleep(PAUSE)

    def handle(self) -> None:
        """Let clients go away in the middle, as killed ones do."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until whoever started it goes away; print the address first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
