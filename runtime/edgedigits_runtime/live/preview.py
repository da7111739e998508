"""Preview: live pictures as a web page, for boards without a display.

Each viewer has a thread. A picture is drawn and compressed only while a viewer is connected. When the page is served
beyond this machine, its address contains a random token.
"""

import io
import ipaddress
import json
import re
import secrets
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

from PIL import Image

from edgedigits_runtime.errors import DeviceUnavailable

BOUNDARY = "frame"
QUALITY = 80
VIEWERS = 8
"""Maximum number of viewers; each takes a thread."""

RESEND = 5.0
"""Seconds after which the last picture is sent again, which detects closed connections."""

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}

PAGE = {
    "": ("preview.html", "text/html; charset=utf-8"),
    "preview.css": ("preview.css", "text/css; charset=utf-8"),
    "preview.js": ("preview.js", "text/javascript; charset=utf-8"),
}


class Preview:
    """A small web server for live pictures.

    Attributes:
        address: of the page.
    """

    def __init__(self, host: str, port: int) -> None:
        """Bind and start to serve; port 0 takes any free port.

        Raises:
            DeviceUnavailable: the address or port is unavailable.
        """
        self._draw: Callable[[], Image.Image] | None = None
        self.facts: dict[str, Any] = {}
        self._number = 0
        self._changed = threading.Condition()
        self._jpeg: tuple[int, bytes] = (-1, b"")
        self._encoding = threading.Lock()
        self.viewers = threading.Semaphore(VIEWERS)
        self.closed = False
        local = _is_loopback(host)
        self.prefix = "/" if local else f"/{secrets.token_urlsafe(9)}/"
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            raise DeviceUnavailable(
                f"--preview cannot serve at {host} port {port}: {error.strerror or error}; choose another port"
            ) from error
        self.port = int(self._server.server_address[1])
        # IPv6 addresses are in brackets.
        name = f"[{host}]" if ":" in host else host
        self.hosts = {"localhost", "127.0.0.1", "[::1]", name} if local else None
        self.address = f"http://{'localhost' if local else name}:{self.port}{self.prefix}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()

    def show(self, draw: Callable[[], Image.Image], facts: dict[str, Any]) -> None:
        """Replace the picture.

        Args:
            draw: returns the picture; called at most once, and only for a viewer.
            facts: values on the page, for JSON.
        """
        with self._changed:
            self._draw, self.facts = draw, facts
            self._number += 1
            self._changed.notify_all()

    def add_facts(self, facts: dict[str, Any]) -> None:
        """Add values to the page until the next picture."""
        self.facts = {**self.facts, **facts}

    def newest(self, after: int) -> tuple[int, bytes]:
        """Return the number and JPEG of the newest picture; wait up to RESEND seconds for one after `after`."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after or self.closed, RESEND)
            number, draw = self._number, self._draw
        if draw is None:
            return 0, b""
        with self._encoding:
            if self._jpeg[0] < number:
                file = io.BytesIO()
                draw().save(file, "JPEG", quality=QUALITY)
                self._jpeg = number, file.getvalue()
            return self._jpeg

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Shutdown does not wait for viewers.
    block_on_close = False

    def __init__(self, at: tuple[str, int], preview: Preview) -> None:
        self.preview = preview
        if ":" in at[0]:
            self.address_family = socket.AF_INET6
        super().__init__(at, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore closed connections."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "edgedigits", ""
    timeout = 10

    def do_GET(self) -> None:
        preview = self.server.preview
        # Prevents DNS rebinding. The port is not checked, because a tunnel may have another one.
        if preview.hosts is not None and re.sub(r":\d+$", "", self.headers.get("Host", "")) not in preview.hosts:
            self._send(403, b"open it as localhost", "text/plain")
            return
        path = self.path.partition("?")[0]
        name = path.removeprefix(preview.prefix) if path.startswith(preview.prefix) else None
        if name == "stream.mjpg":
            self._stream()
        elif name == "frame.jpg":
            self._send(200, preview.newest(-1)[1], "image/jpeg")
        elif name == "reading.json":
            self._send(200, json.dumps(preview.facts).encode(), "application/json")
        elif name in PAGE:
            file, kind = PAGE[name]
            self._send(200, resources.files(__package__).joinpath(file).read_bytes(), kind)
        else:
            self._send(404, b"not found", "text/plain")

    def _stream(self) -> None:
        preview = self.server.preview
        if not preview.viewers.acquire(blocking=False):
            self._send(503, b"too many viewers", "text/plain")
            return
        try:
            self._head(200, f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            number = -1
            while not preview.closed:
                number, jpeg = preview.newest(number)
                if jpeg:
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
        except OSError:
            return  # The viewer disconnected.
        finally:
            preview.viewers.release()

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self._head(status, kind, len(body))
        self.wfile.write(body)

    def _head(self, status: int, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in SECURITY.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing."""


def host_and_port(text: str) -> tuple[str, int]:
    """Parse "8080" or "0.0.0.0:8080"; the default host is this machine.

    Raises:
        ValueError: `text` is neither.
    """
    host, _, port = text.rpartition(":")
    number = int(port)
    if not 0 <= number <= 65535:
        raise ValueError(f"a port is 0 to 65535, is {number}")
    return host.strip("[]") or "127.0.0.1", number


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
