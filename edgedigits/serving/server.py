"""The server: listens, starts its processes, and stops after answering the requests that have arrived."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from edgedigits.serving.options import Limits, ServeOptions
from edgedigits_runtime.errors import AddressUnavailable, MissingExtra

if TYPE_CHECKING:
    from edgedigits_runtime.reading.reader import Reader

BACKLOG = 2048
"""Connections that the system queues until they are accepted."""

OTHER_FILES = 256
"""File descriptors of a process besides connections: libraries, model, logs."""


def serve(options: ServeOptions, when_listening: Callable[[str], object] = lambda _: None) -> None:
    """Serve until SIGINT or SIGTERM, and answer the requests that have arrived until then.

    Args:
        options: of the server.
        when_listening: called with the page's address on this machine as soon as it accepts connections.

    Raises:
        AddressUnavailable: see ServeOptions.check; or the address cannot be listened on.
        MissingExtra: Starlette, uvicorn or httptools is not installed.
        EdgedigitsError: the model cannot be used.
    """
    options.check()
    try:
        import uvicorn
        from uvicorn.supervisors import Multiprocess

        from edgedigits.serving.app import create_app
        from edgedigits.serving.logs import LOGGING
        from edgedigits.serving.protocol import Connection
    except ImportError as error:
        raise MissingExtra("edgedigits serve", "serve") from error
    reader = options.reading.open()
    listening = listen(options.host, options.port)
    raise_file_limit(options.limits)
    print(welcome(reader, listening, options), file=sys.stderr, flush=True)
    when_listening(address_of(listening, from_here=True))
    signal.signal(signal.SIGTERM, _exit)
    one_process = options.workers == 1
    if not one_process:
        reader.close()  # It was opened to report an unusable model before the processes start.
    config = uvicorn.Config(
        partial(create_app, options, reader if one_process else None),
        factory=True,
        workers=options.workers,
        http=Connection,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=LOGGING,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=int(options.limits.seconds) + 1,
    )
    # uvicorn raises KeyboardInterrupt after a graceful stop.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listening]) if one_process else Multiprocess(config, [listening]).run()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        AddressUnavailable: the address cannot be listened on.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # The system's own text: Python adds the address to it.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise AddressUnavailable(
            f"cannot listen on {host}, port {port}: {reason}; choose others with --host and --port"
        ) from error


def raise_file_limit(limits: Limits) -> None:
    """Raise the limit of open files, also of child processes, to what the connections need."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def welcome(reader: "Reader", listening: socket.socket, options: ServeOptions) -> str:
    """Return the line that names the model and the address."""
    engine = reader.classifier.engine
    processes = f", {options.workers} processes" if options.workers > 1 else ""
    name = reader.classifier.contract.name
    return f"{name} on {engine.name}, {engine.device}{processes}: {address_of(listening)} (end with Ctrl-C)"


def address_of(listening: socket.socket, *, from_here: bool = False) -> str:
    """Return the page's address; `from_here` is that of this machine where it listens on all addresses."""
    host, port = listening.getsockname()[:2]
    if from_here and host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _exit(*_: object) -> None:
    """Exit with 0 on the SIGTERM that uvicorn raises again after a graceful stop."""
    raise SystemExit(0)
