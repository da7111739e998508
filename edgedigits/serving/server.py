"""The server: listens, starts its processes, and ends when it has answered what it took."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from edgedigits.serving.options import Limits, ServeOptions
from edgedigits_runtime.errors import AddressUnavailable, MissingExtra

if TYPE_CHECKING:
    from edgedigits.serving.guard import App
    from edgedigits.serving.protocol import Config
    from edgedigits_runtime.reading.reader import Reader

BACKLOG = 2048
"""Connections that the system holds until they are accepted."""

KEEP_ALIVE = 75
"""Seconds; longer than proxies keep idle connections (nginx: 60), or one is closed just when they send."""

FILES_BESIDE = 256
"""File descriptors of a process that are no connections: libraries, model, logs."""


def serve(options: ServeOptions) -> None:
    """Serve until SIGINT or SIGTERM; what was taken until then is answered.

    Raises:
        AddressUnavailable: see ServeOptions.check; or the address cannot be listened on.
        MissingExtra: FastAPI or uvicorn is not installed.
        EdgedigitsError: the model cannot be used.
    """
    options.check()
    try:
        import uvicorn
        from uvicorn.supervisors import Multiprocess

        from edgedigits.serving.app import create_app
    except ImportError as error:
        raise MissingExtra("edgedigits serve", "serve") from error
    reader = options.reading.open()
    listening = listen(options.host, options.port)
    allow_connections(options.limits)
    print(welcome(reader, listening, options), file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, _ended)
    try:
        if options.workers == 1:
            uvicorn.Server(_config(partial(create_app, options, reader), options)).run([listening])
        else:
            # Each process opens its own; that this one could be opened says that they will.
            reader.close()
            Multiprocess(_config(partial(create_app, options), options), [listening]).run()
    except KeyboardInterrupt:
        pass  # Raised again by uvicorn when all is answered; it is how a server is ended.


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        AddressUnavailable: it cannot.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # What the system says; Python adds the address to it.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise AddressUnavailable(
            f"cannot listen on {host}, port {port}: {reason}; choose others with --host and --port"
        ) from error


def allow_connections(limits: Limits) -> None:
    """Have the system let this process, and those it starts, open as many connections as the limits allow."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def welcome(reader: "Reader", listening: socket.socket, options: ServeOptions) -> str:
    """Return the line that says what is served where."""
    engine = reader.classifier.engine
    what = f"{reader.classifier.contract.name} on {engine.name}, {engine.device}"
    processes = f", {options.workers} processes" if options.workers > 1 else ""
    return f"{what}{processes}: {address(listening)} (end with Ctrl-C)"


def address(listening: socket.socket) -> str:
    """Return where a browser finds the server."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _config(factory: "Callable[[], App]", options: ServeOptions) -> "Config":
    from edgedigits.serving.logs import logging_config
    from edgedigits.serving.protocol import Config, LimitedProtocol

    return Config(
        limits=options.limits,
        app=factory,
        factory=True,
        workers=options.workers,
        loop="auto",
        http=LimitedProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=logging_config(),
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(options.limits.seconds) + 1,
    )


def _ended(*_: object) -> None:
    """Take the signal that uvicorn raises again when all is answered: to have ended so is no failure."""
    raise SystemExit(0)
