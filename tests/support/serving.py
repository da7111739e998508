"""Servers for tests: the application without a network, and `edgedigits serve` in a process."""

import asyncio
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits.serving.app import create_app
from edgedigits.serving.logs import Log
from edgedigits.serving.options import ServeOptions
from edgedigits_runtime.reading.reader import Reader
from tests.conftest import REPOSITORY, encoded

FIVE = (REPOSITORY / "examples" / "5-white-on-black-28x28.png").read_bytes()
PHOTO = (REPOSITORY / "examples" / "4-phone-photo.jpg").read_bytes()
BLANK = encoded(Image.new("L", (40, 40), 255))


def npy(array: NDArray[Any], **options: Any) -> bytes:
    """Return an array as a .npy file."""
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


class Api:
    """The application without a network; `log` is its log."""

    def __init__(self, reader: Reader, options: ServeOptions | None = None) -> None:
        self.log = io.StringIO()
        self.app = create_app(options or ServeOptions(batch_ms=0), reader, Log(file=self.log))
        # One loop for all requests, as in a server.
        self._loop = asyncio.Runner()

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()

    def ask(self, method: str, path: str, base: str = "http://127.0.0.1", **options: Any) -> httpx.Response:
        """Send one request."""
        return self.together([(method, path, options)], base)[0]

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("POST", path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def together(
        self, requests: list[tuple[str, str, dict[str, Any]]], base: str = "http://127.0.0.1"
    ) -> list[httpx.Response]:
        """Send several requests at once."""

        async def send() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await asyncio.gather(
                    *(client.request(method, path, **options) for method, path, options in requests)
                )

        return self._loop.run(send())


class Running:
    """`edgedigits serve` in a process."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._logged: list[str] = []
        # Without a reader, the server would block when the pipe is full.
        self._reading = threading.Thread(target=self._read_log, daemon=True)
        self._reading.start()

    def connect(self) -> socket.socket:
        """Return a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def end(self, signal_number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and the log."""
        self.process.send_signal(signal_number)
        code = self.process.wait(timeout=60)
        self.close_log()
        return code, "".join(self._logged)

    def close_log(self) -> None:
        """Read the rest of the log after the process has ended."""
        self._reading.join(timeout=60)

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        self._logged.extend(self.process.stdout)


@contextmanager
def running(
    *options: str | Path, environment: dict[str, str] | None = None, before: Callable[[], None] | None = None
) -> Iterator[Running]:
    """Start a server on a free port, and end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edgedigits", "serve", "--port", "0", *map(str, options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
        preexec_fn=before,
    )  # fmt: skip
    server = None
    try:
        assert process.stderr is not None
        welcome = process.stderr.readline()
        found = re.search(r"http://\S+:(\d+)/", welcome)
        assert found, welcome + process.stderr.read()
        server = Running(process, int(found[1]))
        _wait_until_ready(server)
        yield server
    finally:
        process.kill()
        process.wait()
        if server is not None:
            server.close_log()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _wait_until_ready(server: Running) -> None:
    # The system queues connections until a process accepts them.
    assert httpx.get(f"{server.url}/readyz", timeout=60).status_code == 200


def form(*pictures: tuple[str, bytes]) -> dict[str, Any]:
    """Return the arguments of httpx for a form with these pictures."""
    return {"files": [("file", (name, content)) for name, content in pictures]}


def read_answer(connection: socket.socket) -> bytes:
    """Return everything that is received until the server closes the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass  # Closed while more was being sent.
    return b"".join(parts)
