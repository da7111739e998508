"""Request bodies, received into memory within limits, and the pictures in them. Nothing is written to disk."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from edgedigits.serving.batching import Capacity
from edgedigits.serving.options import Limits
from edgedigits.serving.problems import Problem, invalid, unsupported

FIELD = b"file"
MAX_NAME = 255

RAW_TYPES = ("application/octet-stream", "")

HOW = "send the picture as multipart field 'file' (curl -F file=@5.png) or as the body, with Content-Type: image/png"


@dataclass
class Upload:
    """A picture of a request: its file name and its bytes."""

    name: str
    content: bytes


class Body:
    """The body of a request; leaving the context returns its bytes to the budget."""

    def __init__(self, limits: Limits, budget: Capacity) -> None:
        self._limits = limits
        self._budget = budget
        self._count = 0

    def __enter__(self) -> "Body":
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.leave(self._count)

    async def receive(self, headers: Mapping[str, str], receive: Callable[[], Awaitable[Any]]) -> bytes:
        """Return the whole body.

        Raises:
            Problem: it is encoded, too long or incomplete, or the budget is used up.
        """
        if headers.get("content-encoding", "identity") != "identity":
            raise unsupported("expected a body without Content-Encoding; send it uncompressed")
        length = headers.get("content-length", "")
        if length.isdecimal():
            self._check_size(int(length))
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                # Only logged: the client has gone, or has got its answer from the protocol.
                raise Problem(408, "Unfinished", "the request ended before its body was complete")
            piece = message.get("body", b"")
            more = message.get("more_body", False)
            self._add(len(piece))
            if not more and not body:
                return bytes(piece)
            body += piece
        return bytes(body)

    def _add(self, count: int) -> None:
        self._check_size(self._count + count)
        self._budget.enter(count)
        self._count += count

    def _check_size(self, size: int) -> None:
        most = self._limits.body_bytes
        if size > most:
            raise Problem(413, "BodyTooLarge", f"expected a body of at most {most:,} bytes; make the picture smaller")


def pictures_in(body: bytes, content_type: str, limits: Limits) -> list[Upload]:
    """Return the pictures of a body: the parts of a form, or the body itself.

    Raises:
        Problem: 415 for neither a form nor a picture, 413 for too many parts, 422 for a broken or empty form.
    """
    kind, parameters = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        return _parts(body, parameters.get(b"boundary", b""), limits.pictures)
    media_type = kind.decode("latin-1")
    if media_type not in RAW_TYPES and not media_type.startswith("image/"):
        raise unsupported(f"expected a picture, got {media_type[:80]}; {HOW}")
    if not body:
        raise invalid(f"the body is empty; {HOW}")
    return [Upload("picture", body)]


@dataclass
class _Form:
    """Collects the parts of a form; the methods are the parser's callbacks."""

    most: int
    uploads: list[Upload] = field(default_factory=list)
    complete: bool = False

    def on_part_begin(self) -> None:
        if len(self.uploads) == self.most:
            raise Problem(413, "TooManyPictures", f"expected at most {self.most} pictures in a request")
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._pieces: list[bytes] = []

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def on_part_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"")
        if name != FIELD:
            raise invalid(f"unexpected field {name.decode('utf-8', 'replace')[:80]!r}; {HOW}")
        file_name = options.get(b"filename", b"").decode("utf-8", "replace")[:MAX_NAME]
        self.uploads.append(Upload(file_name or "picture", b"".join(self._pieces)))

    def on_end(self) -> None:
        self.complete = True


def _parts(body: bytes, boundary: bytes, most: int) -> list[Upload]:
    if not boundary:
        raise invalid("expected a boundary in the form's Content-Type; let your client make that header")
    form = _Form(most)
    names = (name for name in dir(form) if name.startswith("on_"))
    callbacks: Any = {name: getattr(form, name) for name in names}
    try:
        MultipartParser(boundary, callbacks).write(body)
    except FormParserError as error:
        raise invalid(f"the form is broken: {error}") from None
    if not form.complete:
        raise invalid("the form is broken: it ends before its last boundary")
    if not form.uploads:
        raise invalid(f"the form has no picture; {HOW}")
    return form.uploads
