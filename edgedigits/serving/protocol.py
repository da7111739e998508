"""HTTP/1.1 with deadlines: slow or oversized requests, and clients that do not read, cannot hold a connection.

uvicorn's own protocols have no deadline for a request or a response, and no limit for headers. uvicorn runs this class
by its `http` setting; besides asyncio.Protocol it needs the arguments of __init__ and `shutdown`.
"""

import asyncio
import logging
import socket
import struct
from collections import deque
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools

from edgedigits.serving.options import Limits
from edgedigits.serving.problems import Problem, busy

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

LOG = logging.getLogger("uvicorn.error")

KEEP_ALIVE = 75
"""Seconds. Longer than proxies keep idle connections (nginx: 60); otherwise a request may meet a closed connection."""

BODY_AHEAD = 65_536
"""Bytes of a body that are received before the application asks for them."""

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Request:
    """One request: ASGI's `receive` and `send`."""

    def __init__(self, connection: "Connection", scope: dict[str, Any], *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive  # Whether the connection stays open after the response.
        self.started = self.finished = False  # Of the response.
        self._connection = connection
        self._scope = scope
        self._expects_continue = dict(scope["headers"]).get(b"expect", b"").lower() == b"100-continue"
        self._disconnected = False
        self._body = bytearray()
        self._more_body = True
        self._changed = asyncio.Event()
        self._response: dict[str, Any] = {}

    def add_body(self, body: bytes, more: bool) -> bool:
        """Take a piece of the body; return whether there is room for another."""
        if not self.finished:
            self._body += body
            self._more_body = more
            self._changed.set()
        return len(self._body) <= BODY_AHEAD

    def disconnect(self) -> None:
        """Ignore what the application still sends."""
        self._disconnected = True
        self._changed.set()

    async def run(self) -> None:
        """Let the application answer."""
        try:
            await self._connection.app(self._scope, self.receive, self.send)
        except (Exception, asyncio.CancelledError):  # uvicorn cancels what outlasts the time for a graceful stop.
            LOG.exception("the application raised an exception")
        if not self.finished and not self._disconnected:
            self._connection.fail(self)

    async def receive(self) -> dict[str, Any]:
        if self._expects_continue and not self.started:
            self._expects_continue = False
            self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._disconnected and not self.finished:
            self._connection.read_on()
            await self._changed.wait()
            self._changed.clear()
        if self._disconnected or self.finished:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self._more_body}

    async def send(self, message: dict[str, Any]) -> None:
        await self._connection.writable.wait()
        if self._disconnected or self.finished or self._connection.transport.is_closing():
            return
        if message["type"] == "http.response.start":
            self._response = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._scope["method"] == "HEAD":
            body = b""
        if not self.started:
            # One write, and so one packet, for a small response.
            body = self._head(len(body), more) + body
            self.started = True
        self._connection.transport.write(body)
        if not more:
            self.finished = True
            self._changed.set()
            self._connection.on_response_complete(self)

    def _head(self, length: int, more: bool) -> bytes:
        status = self._response["status"]
        headers = [(name.lower(), value) for name, value in self._response["headers"]]
        names = {name for name, _ in headers}
        if b"content-length" not in names and status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            if more:
                self.keep_alive = False  # The end of the connection marks the end of the body.
            else:
                headers.append((b"content-length", b"%d" % length))
        if not self.keep_alive and b"connection" not in names:
            headers.append((b"connection", b"close"))
        return head(status, [*self._connection.server_state.default_headers, *headers])


def head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the bytes before a response's body.

    Raises:
        ValueError: a header holds a line break.
    """
    lines = [name + b": " + value for name, value in headers]
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise ValueError(f"expected headers without line breaks; got {lines}")
    return STATUS_LINES[status] + b"\r\n".join([*lines, b"", b""])


class Connection(asyncio.Protocol):
    """A connection. Each request must arrive, and each response be taken, within Limits.seconds."""

    def __init__(
        self, config: "Config", server_state: "ServerState", app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:  # fmt: skip
        """Take uvicorn's settings, its sets of connections and tasks, and the lifespan's state with the `limits`."""
        self.app = config.loaded_app
        self.transport: asyncio.Transport
        self.writable = asyncio.Event()
        self.writable.set()
        self.server_state = server_state
        self._app_state = app_state
        self._limits: Limits = app_state["limits"]
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        # Otherwise a request after `Connection: close` breaks the answer to the one before.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._requests: deque[Request] = deque()
        self._read_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        # Of the message that arrives:
        self._arriving = self._with_body = False
        self._request: Request | None = None  # None until its headers are complete and valid.
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = self._field_bytes = self._messages = 0

    # Called by asyncio and uvicorn

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.server_state.connections.add(self)  # type: ignore[arg-type]  # any protocol with `shutdown`
        if len(self.server_state.connections) > self._limits.connections:
            self._refuse(busy("too many connections; try again later"))
        else:
            self._set_read_timer(self._limits.seconds)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.server_state.connections.discard(self)
        self._stop_read_timer()
        for request in self._requests:
            request.disconnect()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        # As long as no further message begins, the piece belongs to one request.
        last = self._messages + (not self._arriving)
        self._with_body = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._request:
                self._request.keep_alive = False
        except httptools.HttpParserError:
            too_large = self._field_bytes > self._limits.header_bytes
            problem = self._headers_too_large() if too_large else Problem(400, "BadRequest", "expected HTTP/1.1")
            LOG.warning("Invalid HTTP request received: %s", problem.message)  # uvicorn's words, for filters of logs.
            self._give_up(problem)
        if self.transport.is_closing():
            return
        # Incomplete headers, and the trailers of a chunked body, which the parser keeps in memory like headers.
        if self._arriving and not self._with_body and self._messages <= last:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.header_bytes:
                self._give_up(self._headers_too_large())
        if self._read_timer is None and (self._arriving or not self._requests):
            self._set_read_timer(self._limits.seconds)

    def pause_writing(self) -> None:
        self.writable.clear()
        self._write_timer = self._loop.call_later(self._limits.seconds, self._drop)

    def resume_writing(self) -> None:
        self.writable.set()
        if self._write_timer:
            self._write_timer.cancel()

    def shutdown(self) -> None:
        """Close the connection after the responses to the requests that have arrived."""
        if self._requests:
            self._requests[-1].keep_alive = False
        else:
            self.transport.close()

    # Called by the parser

    def on_message_begin(self) -> None:
        self._stop_read_timer()  # Not earlier: blank lines before a request give it no more time.
        self._arriving = True
        self._messages += 1
        self._request = None
        self._url, self._headers = b"", []
        self._head_bytes = self._field_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_field(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        # 4 bytes for ": " and the line break: many short headers take the most memory.
        self._count_field(len(name) + len(value) + 4)
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        headers, self._headers = self._headers, []  # Trailers must not become headers.
        url = httptools.parse_url(self._url)
        version = self._parser.get_http_version()
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": version,
            "method": self._parser.get_method().decode("ascii"), "scheme": "http", "root_path": "",
            "path": unquote(url.path.decode("ascii")), "raw_path": url.path, "query_string": url.query or b"",
            "headers": headers, "client": self._address("peername"), "server": self._address("sockname"),
            "state": self._app_state.copy(),
        }  # fmt: skip
        keep_alive = version != "1.0" and self._parser.should_keep_alive()
        self._request = Request(self, scope, keep_alive=keep_alive)
        self._requests.append(self._request)
        if len(self._requests) == 1:
            self._start(self._request)
        else:
            self.transport.pause_reading()

    def on_body(self, body: bytes) -> None:
        self._with_body = True
        self._head_bytes = 0
        if self._request and not self._request.add_body(body, more=True):
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        self._arriving = False
        self._stop_read_timer()
        if self._request:
            self._request.add_body(b"", more=False)

    # Called by requests

    def read_on(self) -> None:
        """Receive more, unless a received request waits."""
        if len(self._requests) <= 1:
            self.transport.resume_reading()

    def on_response_complete(self, request: Request) -> None:
        self.server_state.total_requests += 1
        self._requests.popleft()
        if not request.keep_alive:
            self.transport.close()
        if self.transport.is_closing():
            return
        if self._requests:
            self._start(self._requests[0])
        elif not self._arriving:
            self._set_read_timer(KEEP_ALIVE)
        self.read_on()

    def fail(self, request: Request) -> None:
        """End a request whose application sent no response."""
        if request.started:
            self.transport.close()
        else:
            self._refuse(Problem(500, "Internal", "internal error; see the server's log"))

    def _address(self, name: str) -> tuple[str, int] | None:
        address = self.transport.get_extra_info(name)
        return (address[0], address[1]) if isinstance(address, tuple) else None

    def _start(self, request: Request) -> None:
        task = self._loop.create_task(request.run())
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    # Limits

    def _set_read_timer(self, seconds: float) -> None:
        self._stop_read_timer()
        self._read_timer = self._loop.call_later(seconds, self._read_timed_out)

    def _stop_read_timer(self) -> None:
        if self._read_timer:
            self._read_timer.cancel()
            self._read_timer = None

    def _read_timed_out(self) -> None:
        if self._arriving:
            self._give_up(Problem(408, "TooSlow", f"the request did not arrive within {self._limits.seconds:g} s"))
        else:
            self.transport.close()

    def _drop(self) -> None:
        """Close at once. Without SO_LINGER the system would still offer the client what is left to send."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _count_field(self, count: int) -> None:
        self._field_bytes += count
        if self._field_bytes > self._limits.header_bytes:
            # The parser stops, and feed_data raises HttpParserError.
            raise self._headers_too_large()

    def _headers_too_large(self) -> Problem:
        return Problem(431, "HeadersTooLarge", f"expected headers of at most {self._limits.header_bytes:,} bytes")

    def _give_up(self, problem: Problem) -> None:
        """Refuse the request that arrives, unless its response was begun."""
        request = self._request if self._arriving else None
        if request and request.started:
            self.transport.close()
            return
        self._refuse(problem)
        if request:
            request.disconnect()

    def _refuse(self, problem: Problem) -> None:
        """Send a problem without the application, and close."""
        if self.transport.is_closing():
            return
        body = problem.body()
        headers = {**problem.headers, "content-type": "application/json", "content-length": len(body)}
        pairs = [(name.encode(), str(value).encode()) for name, value in {**headers, "connection": "close"}.items()]
        self.transport.write(head(problem.status, pairs) + body)
        self.transport.close()
