"""The protocol: uvicorn's, with an end to patience. Neither sender nor receiver may hold a connection by being slow."""

import asyncio
import socket
import struct
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from edgedigits.serving.options import Limits
from edgedigits.serving.problems import Problem, busy


class Config(uvicorn.Config):
    """uvicorn's settings, with the limits that LimitedProtocol keeps; it is sent to other processes as it is."""

    def __init__(self, *, limits: Limits, **settings: Any) -> None:
        super().__init__(**settings)
        self.limits = limits


class LimitedProtocol(HttpToolsProtocol):
    """A connection whose requests have to arrive, and whose answers have to be taken, within Limits.seconds.

    uvicorn itself waits for ever for the first byte, for the rest of the headers and of a body, and for a client
    that does not read; its parser takes headers of any length, and it keeps requests faster than it answers them.
    """

    config: Config

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._limits = self.config.limits
        self._arrival: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._under_way = False
        self._in_headers = False
        self._with_body = False
        self._header_bytes = 0
        self._field_bytes = 0
        self._messages = 0
        self._answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(busy("there are too many connections at the moment; try again later"))
            return
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_taking()
        if self._answering is not None:
            # uvicorn tells only the request that came last, which may be another one.
            self._answering.disconnected = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        # The requests that a piece which is only one request's may have begun.
        most = self._messages + (not self._under_way)
        self._with_body = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        # After a chunked body come trailers, of which the parser keeps as much as of headers.
        if self._under_way and not self._with_body and self._messages <= most:
            self._header_bytes += len(data)
            if self._header_bytes > self._limits.header_bytes:
                self._give_up(self._headers_too_large())
        if self._under_way and self._arrival is None:
            self._wait_for_request()

    def on_message_begin(self) -> None:
        self._under_way = self._in_headers = True
        self._messages += 1
        self._header_bytes = self._field_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_field(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        # With what parts them and ends the line: many short ones take the most memory.
        self._count_field(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._with_body = True
        self._header_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._under_way = False
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.pipeline and not self.transport.is_closing():
            # uvicorn reads on after each answer, however many requests wait: a thousand more come with one piece.
            self.flow.pause_reading()

    def send_400_response(self, msg: str) -> None:
        too_large = self._field_bytes > self._limits.header_bytes
        self._give_up(self._headers_too_large() if too_large else Problem(400, "BadRequest", msg))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_taking()
        self._taking = self.loop.call_later(self._limits.seconds, self._drop)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_taking()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _drop(self) -> None:
        """Close at once: without this option the system would go on offering the client what waits for it."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _wait_for_request(self) -> None:
        self._arrival = self.loop.call_later(self._limits.seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self._under_way:
            self._give_up(Problem(408, "TooSlow", f"the request did not arrive within {self._limits.seconds:g} s"))
        else:
            self.transport.close()  # Nothing was ever sent.

    def _count_field(self, count: int) -> None:
        """Count what came of the URL, headers and trailers of a request, in however few pieces."""
        self._field_bytes += count
        if self._field_bytes > self._limits.header_bytes:
            # It stops the parser; then uvicorn calls send_400_response.
            raise self._headers_too_large()

    def _headers_too_large(self) -> Problem:
        return Problem(431, "HeadersTooLarge", f"expected headers of at most {self._limits.header_bytes:,} bytes")

    def _give_up(self, problem: Problem) -> None:
        """Refuse what is under way, unless it was answered already; the application may say no more of it."""
        cycle = self.cycle if self._under_way and not self._in_headers else None
        if cycle is not None and cycle.response_started:
            self.transport.close()
            return
        self._refuse(problem)
        if cycle is not None:
            # The application waits for the body.
            cycle.disconnected = True
            cycle.message_event.set()

    def _refuse(self, problem: Problem) -> None:
        """Answer without the application, and close."""
        body = problem.body()
        headers = {"content-type": "application/json", "connection": "close", **problem.headers}
        lines = [STATUS_LINE[problem.status], *(f"{name}: {value}\r\n".encode() for name, value in headers.items())]
        self.transport.write(b"".join([*lines, b"content-length: %d\r\n\r\n" % len(body), body]))
        self.transport.close()

    def _stop_waiting(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _stop_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
