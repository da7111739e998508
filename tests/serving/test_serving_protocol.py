"""The protocol without a network: header limits, pipelining, broken requests."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from edgedigits.serving.options import Limits
from edgedigits.serving.protocol import Connection

CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire(asyncio.Transport):
    """Records what is written to a client."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def reads_all(_scope: Any, receive: Any, send: Any) -> None:
    """Respond after the whole body."""
    while (await receive()).get("more_body"):
        pass
    await answer(send)


async def reads_nothing(_scope: Any, _receive: Any, send: Any) -> None:
    """Respond at once, as if the token was missing."""
    await answer(send)


async def answer(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def sent(
    pieces: Iterable[bytes], app: Any = reads_all, *, limits: Limits | None = None, pause: float = 0
) -> tuple[list[int], int]:
    """Send pieces, `pause` seconds apart; return the statuses of the responses and the number of accepted pieces."""

    async def send() -> tuple[list[int], int]:
        config = Config(app=app, log_config=None)
        config.load()
        protocol = Connection(config, ServerState(), {"limits": limits or Limits()})
        wire = Wire()
        protocol.connection_made(wire)
        accepted = 0
        for piece in pieces:
            if wire.closed:
                break
            protocol.data_received(piece)
            accepted += 1
            # Let the application run.
            await asyncio.sleep(pause)
        for _ in range(200):
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        return [int(line[:3]) for line in wire.written.split(b"HTTP/1.1 ")[1:]], accepted

    return asyncio.run(send())


@pytest.mark.parametrize("app", [reads_all, reads_nothing])
@pytest.mark.parametrize("piece", [b"X-1: aaa\r\n", b"X-1: aaa\r\n" * 10, b"endless"])
def test_trailers_count_as_headers(app: Any, piece: bytes) -> None:
    statuses, accepted = sent([CHUNKED, b"4\r\n1234\r\n0\r\n", *[piece] * 20_000], app)
    assert statuses == [431 if app is reads_all else 200]
    assert accepted * len(piece) < 40_000


def test_many_trailers_in_one_piece() -> None:
    assert sent([CHUNKED + b"0\r\n" + 5000 * b"X-1: aaa\r\n" + b"\r\n"]) == ([431], 1)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + 60_000 * b"a" + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + 10_000 * b"A: b\r\n" + b"\r\n",
        b"GET /" + 60_000 * b"a" + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_headers_in_one_piece_are_limited(head: bytes) -> None:
    assert sent([head]) == ([431], 1)
    assert sent([head[:50_000], head[50_000:]]) == ([431], 1)


def test_bodies_do_not_count_as_headers() -> None:
    chunks = [piece for _ in range(20_000) for piece in (b"4\r\n", b"1234\r\n")]
    assert sent([CHUNKED, *chunks, b"0\r\n", b"X-1: aaa\r\n", b"\r\n"])[0] == [200]
    whole = b"POST / HTTP/1.1\r\nContent-Length: 90000\r\nX: " + 30_000 * b"a" + b"\r\n\r\n"
    assert sent([whole, 45_000 * b"b", 45_000 * b"b"])[0] == [200]
    assert sent([whole + 90_000 * b"b"])[0] == [200]


def test_headers_are_limited_for_each_request() -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + 1000 * b"a" + b"\r\n\r\n"
    assert sent([100 * request])[0] == [200] * 100
    assert sent([request] * 100)[0] == [200] * 100


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_blank_lines_do_not_keep_a_connection_open(monkeypatch: pytest.MonkeyPatch, before: bytes) -> None:
    monkeypatch.setattr("edgedigits.serving.protocol.KEEP_ALIVE", 0.1)
    pieces = [before, *[b"\r\n"] * 200]
    statuses, accepted = sent(pieces, limits=Limits(seconds=0.1), pause=0.01)
    assert statuses == [200] * bool(before) and accepted < len(pieces)


def test_invalid_http_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert sent([b"\x16\x03\x01"])[0] == [400]
    assert [(record.name, record.levelname) for record in caplog.records] == [("uvicorn.error", "WARNING")]


@pytest.mark.parametrize(
    "broken",
    [
        b"\x16\x03\x01",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
@pytest.mark.parametrize("app", [reads_all, reads_nothing])
def test_bytes_after_a_request_that_are_not_http_are_refused(broken: bytes, app: Any) -> None:
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert sent([whole, *[b""] * 9, broken], app)[0] == [200, 400]


@pytest.mark.parametrize(("app", "statuses"), [(reads_all, [400]), (reads_nothing, [200])])
def test_a_broken_body_is_refused_unless_the_response_was_sent(app: Any, statuses: list[int]) -> None:
    assert sent([CHUNKED, b"4\r\n1234\r\n", b"no length\r\n"], app)[0] == statuses


def test_trailers_do_not_become_headers() -> None:
    found: list[bytes] = []

    async def record(scope: Any, receive: Any, send: Any) -> None:
        await reads_all(scope, receive, send)
        found.extend(name for name, _ in scope["headers"])

    assert sent([CHUNKED + b"0\r\nAuthorization: x\r\n\r\n"], record)[0] == [200]
    assert found == [b"host", b"transfer-encoding"]


def test_a_failing_application_gives_500() -> None:
    async def fail(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ZeroDivisionError

    assert sent([b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"], fail)[0] == [500]


def test_a_cancelled_request_gives_500() -> None:
    """uvicorn cancels the requests that a graceful stop has waited for too long."""

    async def wait(_scope: Any, _receive: Any, _send: Any) -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        await asyncio.sleep(60)

    assert sent([b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"], wait)[0] == [500]


def test_head_has_no_body() -> None:
    async def respond(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"HTTP/1.1 599 "})

    assert sent([b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"], respond)[0] == [200]
