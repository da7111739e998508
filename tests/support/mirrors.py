"""An HTTP server on the loopback interface that serves one file, with a chosen fault."""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_STALL = 20.0


@dataclass
class Mirror:
    """A server that runs within a `with` block.

    Args:
        body: the file, or a function from the path in the URL to the file.
        ranges: support Range.
        announces: function from the number of bytes that remain to the Content-Length.
        share: of the remaining bytes, sent before the connection is closed.
        status: of the answer.
        shift: added to the start of a range.
        answer: sent in place of everything else; URL in it is replaced by the server's.
        resets: reset the connection instead of closing it.
        stalls: keep the connection open after the answer.
        pieces: bytes sent at once, and the seconds between; everything at once if None.
        asked: the Range of each request; None if it had none.
    """

    body: bytes | Callable[[str], bytes]
    ranges: bool = True
    announces: Callable[[int], object] = str
    share: float = 1.0
    status: int = 200
    shift: int = 0
    answer: str | None = None
    resets: bool = False
    stalls: bool = False
    pieces: tuple[int, float] | None = None
    asked: list[str | None] = field(default_factory=list)

    def __enter__(self) -> "Mirror":
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, to: socket.socket) -> None:
        # A client may close the connection at any time.
        with to, contextlib.suppress(OSError):
            request = to.recv(65536).decode("latin-1")
            found = re.search(r"(?i)\nrange: (bytes=(\d+)-)", request)
            self.asked.append(found[1] if found else None)
            if self.resets:
                to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if self.answer is None:
                path = request.split()[1] if request else "/"
                self._send(to, self.body if isinstance(self.body, bytes) else self.body(path), found)
            else:
                to.sendall(self.answer.replace("URL", self.url).encode())
            if self.stalls:
                self._closed.wait(MAX_STALL)

    def _send(self, to: socket.socket, body: bytes, ranged: re.Match[str] | None) -> None:
        start = int(ranged[2]) if ranged and self.ranges else 0
        if start and start >= len(body):
            to.sendall(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
            return
        start += self.shift if start else 0
        rest = body[start:]
        code = 206 if start and self.status == 200 else self.status
        status = f"{code} Status\r\nContent-Length: {self.announces(len(rest))}"
        if start:
            status += f"\r\nContent-Range: bytes {start}-{len(body) - 1}/{len(body)}"
        to.sendall(f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode())
        rest = rest[: int(len(rest) * self.share)]
        size, pause = self.pieces or (max(len(rest), 1), 0.0)
        for begin in range(0, len(rest), size):
            to.sendall(rest[begin : begin + size])
            if self._closed.wait(pause):
                return
