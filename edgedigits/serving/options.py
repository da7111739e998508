"""What a server is told: where it listens, what it takes, and what reads."""

from dataclasses import dataclass

from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.errors import AddressUnavailable

LOOPBACK = ("127.0.0.1", "::1", "localhost")

MAX_PIXELS = 25_000_000
"""Of a picture: fewer than a reader takes by itself, since many may ask at a time."""

LEAST_TOKEN = 16
"""Characters of a token; shorter ones are found by trying."""


@dataclass(frozen=True)
class Limits:
    """What one request, and all of them together, may take. Whatever goes beyond is refused, and nothing is stored.

    Attributes:
        body_bytes: of one request.
        pictures: in one request.
        arrays: 28x28 images in one request.
        seconds: within which a request has to arrive, and again to be answered.
        waiting: pictures, and requests of arrays, that wait or are being read; further ones are told to come back.
        held_bytes: of all requests that are being received or wait.
        header_bytes: of one request.
        connections: of one process at a time.
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
    """Everything that a server, and each of its processes, is made from.

    Attributes:
        reading: which model reads, and how; its `max_pixels` is a limit too.
        host: the address to listen on.
        port: 0 for any that is free.
        workers: processes, each with its own reader.
        token: what requests have to bring; empty for none, which only loopback allows.
        names: further host names that requests may ask for, such as a reverse proxy's.
        limits: of requests.
        batch_ms: how long the first of several pictures waits for others.
        log_requests: whether each request makes a line.
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
        """Refuse what would let other machines in without asking them for anything.

        Raises:
            AddressUnavailable: no token where other machines reach the server, or one that is quickly guessed.
        """
        if self.token and (len(self.token) < LEAST_TOKEN or not self.token.isascii() or not self.token.isprintable()):
            raise AddressUnavailable(
                f"expected a token of at least {LEAST_TOKEN} characters of ASCII; make one with:"
                " python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        if not self.token and not self.on_loopback:
            raise AddressUnavailable(
                f"{self.host} can be reached from other machines, so a token is needed: set EDGEDIGITS_TOKEN or give"
                " --token; or listen on 127.0.0.1"
            )
