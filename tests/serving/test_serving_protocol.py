"""The protocol without a network: what is counted as headers, piece by piece."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from uvicorn.server import ServerState

from edgedigits.serving.options import Limits
from edgedigits.serving.protocol import Config, LimitedProtocol

CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is written to a client."""

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
    """Answer when the whole body has come."""
    while (await receive()).get("more_body"):
        pass
    await answer(send)


async def reads_nothing(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer at once, as where a token is missing."""
    await answer(send)


async def answer(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def sent(pieces: Iterable[bytes], app: Any = reads_all) -> tuple[list[int], int]:
    """Return the statuses that a client gets which sends these pieces, and how many of them were taken."""

    async def send() -> tuple[list[int], int]:
        config = Config(limits=Limits(), app=app, log_config=None)
        protocol = LimitedProtocol(config=config, server_state=ServerState(), app_state={})
        wire = Wire()
        protocol.connection_made(wire)
        taken = 0
        for piece in pieces:
            if wire.closed:
                break
            protocol.data_received(piece)
            taken += 1
            # The application reads and answers meanwhile.
            await asyncio.sleep(0)
        for _ in range(200):
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        return [int(line[:3]) for line in wire.written.split(b"HTTP/1.1 ")[1:]], taken

    return asyncio.run(send())


@pytest.mark.parametrize("app", [reads_all, reads_nothing])
@pytest.mark.parametrize("piece", [b"X-1: aaa\r\n", b"X-1: aaa\r\n" * 10, b"endless"])
def test_trailers_are_headers_too(app: Any, piece: bytes) -> None:
    statuses, taken = sent([CHUNKED, b"4\r\n1234\r\n0\r\n", *[piece] * 20_000], app)
    assert statuses == [431 if app is reads_all else 200]
    assert taken * len(piece) < 40_000


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
def test_a_head_in_one_piece_is_counted(head: bytes) -> None:
    assert sent([head]) == ([431], 1)
    assert sent([head[:50_000], head[50_000:]]) == ([431], 1)


def test_what_is_no_header_is_not_counted_as_one() -> None:
    chunks = [piece for _ in range(20_000) for piece in (b"4\r\n", b"1234\r\n")]
    assert sent([CHUNKED, *chunks, b"0\r\n", b"X-1: aaa\r\n", b"\r\n"])[0] == [200]
    whole = b"POST / HTTP/1.1\r\nContent-Length: 90000\r\nX: " + 30_000 * b"a" + b"\r\n\r\n"
    assert sent([whole, 45_000 * b"b", 45_000 * b"b"])[0] == [200]
    assert sent([whole + 90_000 * b"b"])[0] == [200]


def test_each_request_of_a_connection_is_counted_by_itself() -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + 1000 * b"a" + b"\r\n\r\n"
    assert sent([100 * request])[0] == [200] * 100
    assert sent([request] * 100)[0] == [200] * 100


@pytest.mark.parametrize("broken", [b"\x16\x03\x01", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"])
@pytest.mark.parametrize("app", [reads_all, reads_nothing])
def test_what_follows_a_request_and_is_none_is_refused(broken: bytes, app: Any) -> None:
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert sent([whole, *[b""] * 9, broken], app)[0] == [200, 400]


@pytest.mark.parametrize(("app", "statuses"), [(reads_all, [400]), (reads_nothing, [200])])
def test_a_broken_body_is_refused_unless_it_was_answered(app: Any, statuses: list[int]) -> None:
    assert sent([CHUNKED, b"4\r\n1234\r\n", b"no length\r\n"], app)[0] == statuses
