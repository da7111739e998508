"""Files by address: local paths, and `s3://...` and other addresses of fsspec.

All functions raise SourceUnavailable if a remote address does not answer after some retries.
"""

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from edgedigits_runtime.errors import (
    EdgedigitsError,
    MissingExtra,
    PictureNotFound,
    PictureTooLarge,
    PictureUnreadable,
    SourceNotFound,
    SourceUnavailable,
)
from edgedigits_runtime.sources.files import natural_key

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Result = TypeVar("Result")

MAX_BYTES = 64_000_000
"""Most bytes of a picture that is not a local file, because it is held in memory."""

BLOCK = 8 << 20
"""Bytes fetched at a time from a file that is read sequentially."""

RUN_FILE = "_run.json"
"""Marks a folder as the output of a bulk reading, which is never a source."""

TRIES, PAUSE = 3, 0.5
"""Requests to an address, and the seconds before the second one, which then double."""


def is_remote(address: str) -> bool:
    """Return whether fsspec opens the address."""
    return "://" in address


def filesystem(address: str) -> "AbstractFileSystem":
    """Return the file system of an address; raises SourceUnavailable if its package is not installed."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra(f"reading {address}", "ray") from error
    try:
        return fsspec.core.url_to_fs(address, use_listings_cache=False)[0]
    except (ImportError, ValueError) as error:
        raise SourceUnavailable(f"cannot open {address}: {one_line(error)}") from error


def exists(address: str) -> bool:
    """Return whether a remote address exists."""
    return _retry(address, lambda: bool(filesystem(address).exists(address)))


def is_remote_folder(address: str) -> bool:
    """Return whether a remote address is a folder."""
    return _retry(address, lambda: bool(filesystem(address).isdir(address)))


@contextlib.contextmanager
def opened(address: str) -> Iterator[IO[bytes]]:
    """Open a seekable file for reading; raises SourceNotFound if it does not exist or may not be read."""
    if not is_remote(address):
        try:
            file: IO[bytes] = Path(address).open("rb")  # noqa: SIM115  # closed below
        except OSError as error:
            raise SourceNotFound(f"cannot open {address}: {error.strerror or error}") from error
    else:
        try:
            # The default block of s3fs is 50 MB.
            file = _retry(
                address,
                lambda: filesystem(address).open(address, "rb", block_size=BLOCK, cache_type="readahead"),
            )
        except (FileNotFoundError, PermissionError) as error:
            raise SourceNotFound(f"cannot open {address}: {one_line(error)}") from error
        file = io.BufferedReader(_RetryingFile(address, file), BLOCK // 8)
    with file:
        yield file


class _RetryingFile(io.RawIOBase):
    """A remote file that repeats failed requests, so that a network error is not taken for a damaged file."""

    def __init__(self, address: str, file: IO[bytes]) -> None:
        self._address = address
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        position = self._file.tell()

        def read() -> bytes:
            self._file.seek(position)
            return self._file.read(len(buffer))

        content = _retry(self._address, read)
        buffer[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def fetch(address: str) -> bytes:
    """Return the bytes of a picture at a remote address; raises PictureError if it is missing or too large."""
    try:
        # A single request: the length is not requested first.
        content: bytes = _retry(address, lambda: filesystem(address).cat_file(address, end=MAX_BYTES + 1))
    except FileNotFoundError as error:
        raise PictureNotFound(f"no picture at {address}") from error
    except PermissionError as error:
        raise PictureUnreadable(f"not permitted to read {address}") from error
    if len(content) > MAX_BYTES:
        raise PictureTooLarge(f"{address} has more than {MAX_BYTES:,} bytes")
    return content


def _retry(address: str, request: Callable[[], Result]) -> Result:
    """Repeat a failed request, unless it raised FileNotFoundError or PermissionError."""
    for attempt in range(TRIES):
        try:
            return request()
        except (FileNotFoundError, PermissionError, EdgedigitsError):
            raise
        # Each file system has its own exceptions, such as botocore's.
        except Exception as error:
            if attempt == TRIES - 1:
                raise SourceUnavailable(f"{address} does not answer: {one_line(error)}") from error
            time.sleep(PAUSE * 2**attempt)
    raise AssertionError


def one_line(error: BaseException) -> str:
    """Return the message of an exception on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def remote_files(address: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield the files below a remote folder whose names are wanted, in natural order, one folder at a time."""
    system = filesystem(address)

    def ls(folder: str) -> list[dict[str, Any]]:
        return _retry(folder, lambda: list(system.ls(folder, detail=True)))

    def below(folder: str) -> Iterator[str]:
        # Stores list the empty key of a folder among its files.
        entries = [entry for entry in ls(folder) if entry["name"].rstrip("/") != folder.rstrip("/")]
        if any(_last(entry["name"]) == RUN_FILE for entry in entries):
            return
        for entry in sorted(entries, key=lambda entry: natural_key(_last(entry["name"]))):
            if entry["type"] == "directory":
                yield from below(entry["name"])
            elif wanted(_last(entry["name"])):
                yield str(system.unstrip_protocol(entry["name"]))

    yield from below(system._strip_protocol(address))


def remote_matches(pattern: str) -> list[str]:
    """Return the files that match a remote pattern, in natural order, without folders."""
    system = filesystem(pattern)
    entries = _retry(pattern, lambda: dict(system.glob(pattern, detail=True)))
    names = [name for name, entry in entries.items() if entry["type"] == "file"]
    return sorted((str(system.unstrip_protocol(name)) for name in names), key=natural_key)


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]
