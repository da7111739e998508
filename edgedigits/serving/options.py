"""Options and limits of the server."""

from dataclasses import dataclass

from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.errors import AddressUnavailable

LOOPBACK = ("127.0.0.1", "::1", "localhost")

MAX_PIXELS = 25_000_000
"""Most pixels of a picture; fewer than the reader's own limit, because several requests arrive at once."""

MIN_TOKEN = 16
"""Characters. Shorter tokens can be guessed."""


@dataclass(frozen=True)
class Limits:
    """Limits of one request and of all requests together. A request beyond them is refused.

    Attributes:
        body_bytes: body of one request.
        pictures: pictures in one request.
        arrays: images in one request for /v1/classify.
        seconds: time for a request to arrive, for its turn to come, and for the client to take the response.
        waiting: pictures, and requests with arrays, that wait or are being read.
        held_bytes: bodies of all requests in memory.
        header_bytes: headers of one request.
        connections: connections of one process.
    """

    body_bytes: int = 16_000_000
    pictures: int = 64
    arrays: int = 4096
    seconds: float = 30.0
    waiting: int = 512
    held_bytes: int = 256_000_000
    header_bytes: int = 32_000
    connections: int = 4096


@dataclass(frozen=True)
class ServeOptions:
    """Options of a server and each of its processes.

    Attributes:
        reading: the model and how to open it.
        host: the address to listen on.
        port: 0 for any free port.
        workers: number of processes, each with its own reader.
        token: required in every request; empty for none, which only loopback allows.
        names: additional host names that requests may use, such as that of a reverse proxy.
        limits: of requests.
        batch_ms: time that a picture waits for others to be read with, while other requests are there.
        log_requests: write a line for each request.
    """

    reading: ReaderOptions = ReaderOptions(max_pixels=MAX_PIXELS)
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    token: str = ""
    names: tuple[str, ...] = ()
    limits: Limits = Limits()
    batch_ms: float = 2.0
    log_requests: bool = True

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    def check(self) -> None:
        """Refuse to open the server to other machines without a strong token.

        Raises:
            AddressUnavailable: the token is missing or too short.
        """
        if self.token and (len(self.token) < MIN_TOKEN or not self.token.isascii() or not self.token.isprintable()):
            raise AddressUnavailable(
                f"expected a token of at least {MIN_TOKEN} ASCII characters; make one with:"
                " python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        if not self.token and not self.on_loopback:
            raise AddressUnavailable(
                f"{self.host} can be reached from other machines, which requires a token: set EDGEDIGITS_TOKEN or"
                " --token, or listen on 127.0.0.1"
            )
