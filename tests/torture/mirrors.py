"""Mirrors that stall, truncate, lie and drip, at random: a download is right, or says what each of them did."""

import gzip
import hashlib
import random
import socket
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
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
MIRRORS = 3
TIMEOUT = 0.25
CONTENT = np.random.default_rng(5).bytes(60_000)
SERVED = gzip.compress(CONTENT, 1, mtime=0)
PATIENCE = 20.0
"""Seconds after which a download hangs: all its mirrors' timeouts together are a tenth of it."""


class Mirror:
    """One mirror on the loopback interface, that misbehaves at each request as it was told to."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._closed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and let go of who waits."""
        self._closed.set()
        self._listener.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                asked = connection.recv(65536).decode("latin-1")
                self._misbehave(connection, asked)
            except OSError:
                return

    def _misbehave(self, to: socket.socket, asked: str) -> None:
        how, start = self.behaviour, 0
        if "range: bytes=" in asked.lower() and how != "good without ranges":
            start = int(asked.lower().split("range: bytes=")[1].split("-")[0])
        if how == "stalls before answering":
            self._closed.wait(PATIENCE)
        elif how == "closes at once":
            return
        elif how == "resets":
            to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "no HTTP":
            to.sendall(b"220 ftp ready\r\n")
        elif how == "turns in circles":
            to.sendall(f"HTTP/1.1 302 Found\r\nLocation: {self.url}again\r\nContent-Length: 0\r\n\r\n".encode())
        elif how.startswith("status"):
            to.sendall(f"HTTP/1.1 {how.split()[1]} Sorry\r\nContent-Length: 0\r\n\r\n".encode())
        elif how == "stalls in the headers":
            to.sendall(b"HTTP/1.1 200 OK\r\nContent-")
            self._closed.wait(PATIENCE)
        elif how == "endless headers":
            to.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-More: yes\r\n" * 2000)
        else:
            self._send(to, how, start)

    def _send(self, to: socket.socket, how: str, start: int) -> None:
        body = {"other bytes": SERVED[::-1], "a page in place of it": b"<html>Please log in</html>"}.get(how, SERVED)
        if start >= len(body):
            to.sendall(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
            return
        first = start + 1 if how == "wrong range" and start else start
        rest = body[first:]
        length = {"announces more": str(len(rest) + 50), "announces less": str(len(rest) // 2),
                  "announces nonsense": "-7"}.get(how, str(len(rest)))  # fmt: skip
        place = f"Content-Range: bytes {first}-{len(body) - 1}/{len(body)}"
        status = f"206 Partial Content\r\n{place}" if first else "200 OK"
        to.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode())
        if how in ("sends half", "stalls in the body"):
            rest = rest[: len(rest) // 2]
        if how == "drips":
            for k in range(len(rest)):
                to.sendall(rest[k : k + 1])
                if self._closed.wait(0.01):
                    return
        to.sendall(rest)
        if how == "stalls in the body":
            self._closed.wait(PATIENCE)


@contextmanager
def _mirrors(behaviours: list[str]) -> Iterator[list[Mirror]]:
    mirrors = [Mirror(behaviour) for behaviour in behaviours]
    try:
        yield mirrors
    finally:
        for mirror in mirrors:
            mirror.close()


def attack_downloads(downloads: int, seed: int) -> dict[str, Any]:
    """Download a file from three mirrors that behave at random, again and again until one time it is there."""
    rng = random.Random(seed)
    behaved: Counter[str] = Counter()
    found: dict[str, Any] = {"runs": downloads, "completed": 0, "refused": 0, "broken": []}
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    with tempfile.TemporaryDirectory(prefix="edgedigits-mirrors-") as folder:
        target = Path(folder) / "data" / "file.gz"
        for number in range(downloads):
            chosen = rng.sample(BEHAVIOURS, MIRRORS)
            behaved.update(chosen)
            with _mirrors(chosen) as mirrors:
                file = DataFile("torture", "file.gz", md5, "content", tuple(mirror.url for mirror in mirrors))
                start = time.monotonic()
                try:
                    fetch(file, target, timeout=TIMEOUT)
                except DataError as error:
                    found["refused"] += 1
                    why = _badly_refused(str(error), target)
                except EdgedigitsError as error:
                    why = f"{type(error).__name__}: {error}"
                # Anything else is a broken promise, to be told and not to end the attack.
                except Exception as error:  # noqa: BLE001
                    why = f"raised {type(error).__name__}: {error}"
                else:
                    found["completed"] += 1
                    why = "" if file.read(target) == CONTENT else "wrong bytes were taken"
                    target.unlink()
                if not why and time.monotonic() - start > PATIENCE / 2:
                    why = f"took {time.monotonic() - start:.0f} s"
            if why:
                found["broken"].append(f"download {number} from {', '.join(chosen)}: {why}")
    return {**found, "behaviours": dict(sorted(behaved.items()))}


def _badly_refused(message: str, target: Path) -> str:
    if target.exists():
        return "the file is there, and was refused"
    told = message.count("http://127.0.0.1") >= MIRRORS and message.isprintable()
    return "" if told else f"does not say why in one line: {message}"
