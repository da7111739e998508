"""Errors of requests: an HTTP status, a name for programs and a line for people."""

import json
from collections.abc import Mapping

from edgedigits_runtime.errors import ArrayError, EdgedigitsError, PictureError, PictureTooLarge

RETRY_SECONDS = 1


class Problem(Exception):
    """A refused request.

    Attributes:
        status: of HTTP.
        kind: the error's name for programs.
        message: one line for people.
        headers: of the response.
    """

    def __init__(self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """Return the JSON object of the response."""
        return json.dumps({"error": {"type": self.kind, "message": self.message}}).encode()


def problem_of(error: EdgedigitsError) -> Problem:
    """Return the problem of a library error: 413 or 422 for a bad picture or array, else 503."""
    kind = type(error).__name__
    if isinstance(error, PictureTooLarge):
        return Problem(413, kind, str(error))
    if isinstance(error, PictureError | ArrayError):
        return Problem(422, kind, str(error))
    return busy(str(error), kind)


def busy(message: str = "too many requests are waiting; try again later", kind: str = "Busy") -> Problem:
    """Return a 503 with Retry-After."""
    return Problem(503, kind, message, {"Retry-After": str(RETRY_SECONDS)})


def unsupported(message: str) -> Problem:
    return Problem(415, "UnsupportedMediaType", message)


def invalid(message: str) -> Problem:
    return Problem(422, "Invalid", message)
