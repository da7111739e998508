"""The guard: what every request passes on its way in and out, whatever it asks for.

It looks at who is asked for and who asks, adds the headers that keep a browser careful, and writes one line.
"""

import hmac
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any

from edgedigits.serving.logs import Log
from edgedigits.serving.options import LOOPBACK, ServeOptions
from edgedigits.serving.problems import Problem, no_place

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = ("/healthz", "/readyz")
"""Asked by what watches over the server, which has no token; they tell nothing."""

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
    " media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; manifest-src 'self'"
)

# After the OWASP Secure Headers Project; Cache-Control is left to who answers.
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
"""Where in the scope the request's line of the log grows."""


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: App, options: ServeOptions, log: Log, is_full: Callable[[], bool]) -> None:
        """Take the application, what the server was told, where requests are logged, and whether it has no place."""
        self._app = app
        self._is_full = is_full
        self._token = options.token.encode()
        # Behind a token anybody may call the server what they like; without one, a name that somebody else's DNS
        # leads to this machine is how a web page would ask in its visitor's place.
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
        host = origin = authorization = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                authorization = value
        if not self._any_name and _name_of(host) not in self._names:
            return Problem(
                403, "HostRefused", "this server does not go by the name that was asked for; start it with --allow-host"
            )
        if origin and origin.partition(b"://")[2].lower() != host.lower():
            return Problem(403, "OriginRefused", "requests of other sites' pages are refused")
        if self._token and scope["path"] not in OPEN_PATHS and not self._knows_token(authorization):
            return Problem(
                401, "Unauthorized", "expected the server's token: Authorization: Bearer TOKEN, or TOKEN as password",
                {"WWW-Authenticate": 'Basic realm="edgedigits", charset="UTF-8"'},
            )  # fmt: skip
        # Said here as well, since under overload this is the most frequent answer: it has to cost little.
        return no_place() if scope["method"] == "POST" and self._is_full() else None

    def _knows_token(self, authorization: bytes) -> bool:
        """Say whether a header brings the token, as programs do, or as the password that browsers ask for."""
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
    """Answer a request with a problem."""
    body = problem.body()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **problem.headers,
    }
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _name_of(host: bytes) -> str:
    """Return the name in a Host header without the port; an IPv6 address without its brackets."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
