"""The dataset "served": four files of random bytes from a server on the loopback interface.

The server's address is in TORTURE_MIRROR. It sends files in pieces with pauses, and supports Range.
"""

import gzip
import hashlib
import os
import sys
import threading
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
    md5 = hashlib.md5(gzip.decompress(body(name)), usedforsecurity=False).hexdigest()
    return DataFile("served", name, md5, "content", (os.environ.get(ENVIRONMENT, "http://127.0.0.1:9/"),))


def __getattr__(name: str) -> Any:
    # Made on access, because the address is set after the import.
    if name != "DESCRIPTION":
        raise AttributeError(name)
    return Description(
        name="served", about="random bytes from the loopback interface", homepage="http://127.0.0.1/",
        train=0, test=None, shape=(1, 1, 1), labels=("0", "1"), reader="plain", files=tuple(map(_file, NAMES)),
    )  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Serve NAMES, whole or from an offset."""

    def do_GET(self) -> None:
        """Answer one request."""
        content = body(self.path.rpartition("/")[2])
        requested = self.headers["Range"]
        start = int(requested.removeprefix("bytes=").rstrip("-")) if requested else 0
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
        """Accept that killed clients close the connection early."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
