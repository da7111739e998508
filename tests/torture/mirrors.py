"""Downloads from faulty mirrors at random: the file arrives intact, or the error names each mirror's fault."""

import contextlib
import gzip
import hashlib
import random
import re
import socket
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits.data.description import DataFile
from edgedigits.data.download import fetch
from edgedigits_runtime.errors import DataError, EdgedigitsError

BEHAVIOURS = (
    "good", "good without ranges", "stalls before answering", "stalls in the headers", "stalls in the body",
    "sends half", "announces more", "announces less", "announces nonsense", "other bytes", "a page in place of it",
    "status 404", "status 503", "closes at once", "resets", "no HTTP", "turns in circles", "wrong range", "drips",
    "endless headers",
)  # fmt: skip
ANSWERS = {
    "stalls before answering": "",
    "closes at once": "",
    "resets": "",
    "no HTTP": "220 ftp ready\r\n",
    "turns in circles": "HTTP/1.1 302 Found\r\nLocation: URLagain\r\nContent-Length: 0\r\n\r\n",
    "status 404": "HTTP/1.1 404 Sorry\r\nContent-Length: 0\r\n\r\n",
    "status 503": "HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n",
    "stalls in the headers": "HTTP/1.1 200 OK\r\nContent-",
    "endless headers": "HTTP/1.1 200 OK\r\n" + "X-More: yes\r\n" * 2000,
}
"""Whole answers; the other behaviours send the file in some way."""

MIRRORS = 3
TIMEOUT = 0.25
CONTENT = np.random.default_rng(5).bytes(60_000)
SERVED = gzip.compress(CONTENT, 1, mtime=0)
HANGS = 20.0
"""Seconds after which a download hangs: ten times the timeouts of all its mirrors."""


class Mirror:
    """A server on the loopback interface that answers each request with one behaviour; `body` maps paths to files."""

    def __init__(self, behaviour: str, body: Callable[[str], bytes] = lambda _: SERVED) -> None:
        self._behaviour, self._body = behaviour, body
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._closed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end all waiting answers."""
        self._closed.set()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed.is_set():
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, to: socket.socket) -> None:
        with to, contextlib.suppress(OSError):
            request, how = to.recv(65536).decode("latin-1").lower(), self._behaviour
            if how == "resets":
                to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if how in ANSWERS:
                to.sendall(ANSWERS[how].replace("URL", self.url).encode())
            else:
                self._send(to, how, request)
            if how.startswith("stalls"):
                self._closed.wait(HANGS)

    def _send(self, to: socket.socket, how: str, request: str) -> None:
        body = {"other bytes": SERVED[::-1], "a page in place of it": b"<html>Please log in</html>"}.get(how)
        body = body or self._body(request.split()[1])
        ranged = re.search(r"range: bytes=(\d+)", request)
        start = int(ranged[1]) if ranged and how != "good without ranges" else 0
        if start >= len(body):
            to.sendall(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
            return
        first = start + 1 if how == "wrong range" and start else start
        rest = body[first:]
        length = {"announces more": str(len(rest) + 50), "announces less": str(len(rest) // 2),
                  "announces nonsense": "-7"}.get(how, str(len(rest)))  # fmt: skip
        content_range = f"Content-Range: bytes {first}-{len(body) - 1}/{len(body)}"
        status = f"206 Partial Content\r\n{content_range}" if first else "200 OK"
        to.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode())
        if how in ("sends half", "stalls in the body"):
            rest = rest[: len(rest) // 2]
        size, pause = {"drips": (1, 0.01), "sends pieces": (16_384, 0.002)}.get(how, (len(rest), 0.0))
        for begin in range(0, len(rest), size):
            to.sendall(rest[begin : begin + size])
            if self._closed.wait(pause):
                return


def attack_downloads(downloads: int, seed: int) -> dict[str, Any]:
    """Download a file again and again, each time from three mirrors with random behaviours."""
    rng = random.Random(seed)
    behaviours: Counter[str] = Counter()
    found: dict[str, Any] = {"runs": downloads, "completed": 0, "refused": 0, "broken": []}
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    with tempfile.TemporaryDirectory(prefix="edgedigits-mirrors-") as folder:
        target = Path(folder) / "data" / "file.gz"
        for number in range(downloads):
            chosen = rng.sample(BEHAVIOURS, MIRRORS)
            behaviours.update(chosen)
            with contextlib.ExitStack() as stack:
                mirrors = [stack.enter_context(contextlib.closing(Mirror(behaviour))) for behaviour in chosen]
                file = DataFile("torture", "file.gz", md5, "content", tuple(mirror.url for mirror in mirrors))
                if why := _download(file, target, found):
                    found["broken"].append(f"download {number} from {', '.join(chosen)}: {why}")
    return {**found, "behaviours": dict(sorted(behaviours.items()))}


def _download(file: DataFile, target: Path, found: dict[str, Any]) -> str:
    """Download and count one file, and return which promise was broken; mostly none."""
    start = time.monotonic()
    try:
        fetch(file, target, timeout=TIMEOUT)
    except DataError as error:
        found["refused"] += 1
        why = _fault_of_refusal(str(error), target)
    except EdgedigitsError as error:
        why = f"{type(error).__name__}: {error}"
    # Any other error is a broken promise; the attack continues.
    except Exception as error:  # noqa: BLE001
        why = f"raised {type(error).__name__}: {error}"
    else:
        found["completed"] += 1
        why = "" if file.read(target) == CONTENT else "wrong bytes were accepted"
        target.unlink()
    seconds = time.monotonic() - start
    return why or (f"took {seconds:.0f} s" if seconds > HANGS / 2 else "")


def _fault_of_refusal(message: str, target: Path) -> str:
    if target.exists():
        return "the file exists after an error"
    complete = message.count("http://127.0.0.1") >= MIRRORS and message.isprintable()
    return "" if complete else f"the error does not name each mirror in one line: {message}"
