"""Uploads: a request's body into memory, within limits, and the pictures in it. Nothing goes to disk."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from edgedigits.serving.options import Limits
from edgedigits.serving.problems import Problem, busy, invalid, too_large, unsupported

Receive = Callable[[], Awaitable[Any]]

FIELD = b"file"
LONGEST_NAME = 255

RAW_TYPES = ("application/octet-stream", "")

HOW = "send the picture as multipart field 'file' (curl -F file=@5.png) or as the body, with Content-Type: image/png"


@dataclass
class Held:
    """Counts the bytes that all requests hold, which have to fit into memory together."""

    most: int
    count: int = 0


@dataclass
class Upload:
    """One picture as it came: what the sender calls it, and the bytes of the file."""

    name: str
    content: bytes


class BodyReader:
    """Receives one request's body; `release` gives back what it holds."""

    def __init__(self, limits: Limits, held: Held) -> None:
        self._limits = limits
        self._held = held
        self.count = 0

    async def receive(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        """Return the whole body.

        Raises:
            Problem: it is encoded, longer than allowed, cut short, or there is no room for it now.
        """
        if headers.get("content-encoding", "identity") != "identity":
            raise unsupported("expected a body without Content-Encoding; send it as it is")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limits.body_bytes:
            raise self._too_long()
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            whole: bytes = message.get("body", b"")
            self._count(len(whole))
            return whole
        return await self._rest(message, receive)

    def release(self) -> None:
        self._held.count -= self.count
        self.count = 0

    async def _rest(self, message: Any, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            if message["type"] == "http.disconnect":
                # Nobody hears it but the log: the client is gone, or LimitedProtocol cut it off and told it why.
                raise Problem(408, "Unfinished", "the request ended before its body was complete")
            self._count(len(message.get("body", b"")))
            body += message.get("body", b"")
            if not message.get("more_body"):
                return bytes(body)
            message = await receive()

    def _count(self, more: int) -> None:
        if self.count + more > self._limits.body_bytes:
            raise self._too_long()
        if self._held.count + more > self._held.most:
            raise busy("too much is being received at the moment; try again later")
        self.count += more
        self._held.count += more

    def _too_long(self) -> Problem:
        return too_large(f"expected a body of at most {self._limits.body_bytes:,} bytes; make the picture smaller")


def pictures_in(body: bytes, content_type: str, limits: Limits) -> list[Upload]:
    """Return the pictures of a body: the parts of a form, or the body itself.

    Raises:
        Problem: 415 for what is neither a form nor a picture, 413 for too many parts, 422 for a broken or empty form.
    """
    kind, parameters = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        return _parts(body, parameters.get(b"boundary", b""), limits)
    media = kind.decode("latin-1")
    if media not in RAW_TYPES and not media.startswith("image/"):
        raise unsupported(f"expected a picture, got {media[:80]}; {HOW}")
    if not body:
        raise invalid(f"the body is empty; {HOW}")
    return [Upload("picture", body)]


@dataclass
class _Form:
    """Takes what the parser finds in one body."""

    body: bytes
    most: int
    uploads: list[Upload] = field(default_factory=list)
    whole: bool = False

    def begin(self) -> None:
        if len(self.uploads) == self.most:
            raise Problem(413, "TooManyPictures", f"expected at most {self.most} pictures in a request")
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._slices: list[bytes] = []

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._slices.append(data[start:end])

    def end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"")
        if name != FIELD:
            raise invalid(f"unexpected field {name.decode('utf-8', 'replace')[:80]!r}; {HOW}")
        given = options.get(b"filename", b"").decode("utf-8", "replace")[:LONGEST_NAME]
        self.uploads.append(Upload(given or "picture", b"".join(self._slices)))

    def finish(self) -> None:
        self.whole = True


def _parts(body: bytes, boundary: bytes, limits: Limits) -> list[Upload]:
    if not boundary:
        raise invalid("the form has no boundary in its Content-Type; let your client make that header")
    form = _Form(body, limits.pictures)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin,
                "on_header_field": form.header_name,
                "on_header_value": form.header_value,
                "on_header_end": form.header_end,
                "on_part_data": form.data,
                "on_part_end": form.end,
                "on_end": form.finish,
            },
        )
        parser.write(body)
    except FormParserError as error:
        raise invalid(f"the form is broken: {error}") from None
    if not form.whole:
        raise invalid("the form is broken: it ends before its last boundary")
    if not form.uploads:
        raise invalid(f"the form holds no picture; {HOW}")
    return form.uploads
