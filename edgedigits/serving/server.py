"""The server: listens, starts its processes, and ends when it has answered what it took."""

import os
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

from edgedigits.serving.options import ServeOptions
from edgedigits_runtime.errors import AddressUnavailable, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn import Config

    from edgedigits.serving.guard import App

BACKLOG = 2048


def serve(options: ServeOptions) -> None:
    """Serve until SIGINT or SIGTERM.

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
    print(f"{reader.classifier.contract.name} at {address(listening)}", file=sys.stderr)
    if options.workers == 1:
        config = _config(partial(create_app, options, reader), options)
        uvicorn.Server(config).run([listening])
    else:
        reader.close()
        Multiprocess(_config(partial(create_app, options), options), [listening]).run()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        AddressUnavailable: it cannot.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise AddressUnavailable(
            f"cannot listen on {host}, port {port}: {os.strerror(error.errno or 0)}; choose others with --host and --port"
        ) from error


def address(listening: socket.socket) -> str:
    """Return where a browser finds the server."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _config(factory: "Callable[[], App]", options: ServeOptions) -> "Config":
    import uvicorn

    from edgedigits.serving.logs import logging_config

    return uvicorn.Config(
        factory,
        factory=True,
        workers=options.workers,
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=logging_config(),
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=int(options.limits.seconds),
    )
