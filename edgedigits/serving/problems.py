"""What a request is answered when it cannot be answered as it hoped: a status, and one line that says why."""

import json
from collections.abc import Mapping

from edgedigits_runtime.errors import ArrayError, EdgedigitsError, PictureError, PictureTooLarge

RETRY_SECONDS = 1


class Problem(Exception):
    """A request that is refused.

    Attributes:
        status: of HTTP.
        kind: a name for programs.
        message: one line for people.
        headers: that go with it.
    """

    def __init__(self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """Return the JSON object that is sent."""
        return json.dumps({"error": {"type": self.kind, "message": self.message}}).encode()


def problem_of(error: EdgedigitsError) -> Problem:
    """Return how an error of the library is told over HTTP; anything but a bad picture or array is ours: 503."""
    kind = type(error).__name__
    if isinstance(error, PictureTooLarge):
        return Problem(413, kind, str(error))
    if isinstance(error, PictureError | ArrayError):
        return Problem(422, kind, str(error))
    return busy(str(error), kind)


def busy(message: str, kind: str = "Busy") -> Problem:
    """Return a 503 that says when to come back."""
    return Problem(503, kind, message, {"Retry-After": str(RETRY_SECONDS)})


def no_place() -> Problem:
    """Return what is answered while as many pictures wait as may."""
    return busy("too many pictures wait already; try again later")


def too_large(message: str) -> Problem:
    return Problem(413, "BodyTooLarge", message)


def unsupported(message: str) -> Problem:
    return Problem(415, "UnsupportedMediaType", message)


def invalid(message: str) -> Problem:
    return Problem(422, "Invalid", message)
