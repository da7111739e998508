"""Checks and headers of every request: host, origin, token, security headers, log."""

import hmac
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any

from edgedigits.serving.logs import Log
from edgedigits.serving.options import LOOPBACK, ServeOptions
from edgedigits.serving.problems import Problem, busy

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = ("/healthz", "/readyz")
"""Paths that need no token. Monitoring requests them, and they reveal nothing."""

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
    " media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; manifest-src 'self'"
)

# From the OWASP Secure Headers Project. Endpoints set Cache-Control themselves.
SECURITY_HEADERS = [
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": CSP,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    }.items()
]

RECORD = "edgedigits"
"""The key of the request's log record in the ASGI scope."""


class Guard:
    """ASGI middleware."""

    def __init__(self, app: App, options: ServeOptions, log: Log, is_full: Callable[[], bool]) -> None:
        """Wrap `app`; `is_full` returns whether no more pictures can wait."""
        self._app = app
        self._is_full = is_full
        self._token = options.token.encode()
        # DNS rebinding: a web page could reach the server by a name of its own that resolves to this machine. A token
        # also prevents that, so any name is allowed with one.
        self._names = {*LOOPBACK, *(name.lower() for name in options.names)}
        self._any_name = not options.on_loopback and not options.names
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        record = scope[RECORD] = {"method": scope["method"], "path": scope["path"][:200], "status": 0}

        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                record["status"] = message["status"]
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        try:
            problem = self._problem(scope)
            if problem:
                record["error"] = problem.kind
                await send_problem(problem, send_guarded)
            else:
                await self._app(scope, receive, send_guarded)
        finally:
            self._log.request(record, (time.perf_counter() - start) * 1e3)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = dict(scope["headers"])
        host, origin = headers.get(b"host", b""), headers.get(b"origin", b"")
        if not self._any_name and _host_name(host) not in self._names:
            return Problem(403, "HostRefused", "this host name is not allowed; start the server with --allow-host")
        if origin and origin.partition(b"://")[2].lower() != host.lower():
            return Problem(403, "OriginRefused", "requests from pages of other sites are refused")
        if self._token and scope["path"] not in OPEN_PATHS and not self._has_token(headers.get(b"authorization", b"")):
            return Problem(
                401, "Unauthorized", "expected the server's token: Authorization: Bearer TOKEN, or TOKEN as password",
                {"WWW-Authenticate": 'Basic realm="edgedigits", charset="UTF-8"'},
            )  # fmt: skip
        # Checked before routing, because it is the most frequent response under overload.
        return busy() if scope["method"] == "POST" and self._is_full() else None

    def _has_token(self, authorization: bytes) -> bool:
        """Accept the token as a bearer token, or as the password of basic authentication, which browsers ask for."""
        scheme, _, given = authorization.partition(b" ")
        given = given.strip()
        if scheme.lower() == b"basic":
            try:
                given = b64decode(given, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif scheme.lower() != b"bearer":
            return False
        return hmac.compare_digest(given, self._token)


async def send_problem(problem: Problem, send: Send) -> None:
    """Send a problem as the response."""
    headers = {"content-type": "application/json", "cache-control": "no-store", **problem.headers}
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    await send({"type": "http.response.body", "body": problem.body()})


def _host_name(host: bytes) -> str:
    """Return a Host header without its port, and an IPv6 address without its brackets."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
