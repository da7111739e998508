"""Files by address: a path on this machine, or `s3://...` and whatever else fsspec opens."""

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

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Got = TypeVar("Got")

MOST_BYTES = 64_000_000
"""Of one picture that is not a file on this machine, and so is held in memory; larger ones are refused."""

BLOCK = 8 << 20
"""Bytes that are fetched at a time of a file that is read from its beginning to its end."""

RUN_FILE = "_run.json"
"""What marks a folder as the output of a bulk reading, which is never a source of another."""

TRIES, PAUSE = 3, 0.5
"""How often an address that does not answer is asked, and the seconds before the second time, which then double."""


def is_remote(address: str) -> bool:
    """Say whether an address is one for fsspec."""
    return "://" in address


def filesystem(address: str) -> "AbstractFileSystem":
    """Return what opens an address.

    Raises:
        MissingExtra: fsspec is not installed.
        SourceUnavailable: no such protocol, or its package is not installed.
    """
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra(f"reading {address}", "ray") from error
    try:
        return fsspec.core.url_to_fs(address, use_listings_cache=False)[0]
    except (ImportError, ValueError) as error:
        raise SourceUnavailable(f"cannot open {address}: {_line(error)}") from error


def exists(address: str) -> bool:
    """Say whether there is something at an address.

    Raises:
        SourceUnavailable: the address does not answer.
    """
    return _asked(address, lambda: bool(filesystem(address).exists(address)))


@contextlib.contextmanager
def opened(address: str) -> Iterator[IO[bytes]]:
    """Open a file to be read from its beginning to its end, or from anywhere.

    Raises:
        SourceNotFound: there is no such file, or it may not be read.
        SourceUnavailable: the address does not answer.
    """
    if not is_remote(address):
        try:
            file: IO[bytes] = Path(address).open("rb")  # noqa: SIM115  # closed below
        except OSError as error:
            raise SourceNotFound(f"cannot open {address}: {error.strerror or error}") from error
    else:
        try:
            # The usual block of s3fs is 50 MB.
            file = _asked(
                address,
                lambda: filesystem(address).open(address, "rb", block_size=BLOCK, cache_type="readahead"),
            )
        except (FileNotFoundError, PermissionError) as error:
            raise SourceNotFound(f"cannot open {address}: {_line(error)}") from error
        file = io.BufferedReader(_Patient(address, file), BLOCK // 8)
    with file:
        yield file


class _Patient(io.RawIOBase):
    """A remote file that asks again where it is not answered, so that what cannot be fetched never looks damaged."""

    def __init__(self, address: str, file: IO[bytes]) -> None:
        self._address = address
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        at = self._file.tell()

        def read() -> bytes:
            self._file.seek(at)
            return self._file.read(len(buffer))

        content = _asked(self._address, read)
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


def fetched(address: str) -> bytes:
    """Return the bytes of a picture at a remote address.

    Raises:
        PictureNotFound, PictureTooLarge, PictureUnreadable: there is none, it is over MOST_BYTES or may not be read.
        SourceUnavailable: the address does not answer.
    """
    try:
        # One request where the length is not asked for first; only pictures that are too large are cut.
        content: bytes = _asked(address, lambda: filesystem(address).cat_file(address, end=MOST_BYTES + 1))
    except FileNotFoundError as error:
        raise PictureNotFound(f"no picture at {address}") from error
    except PermissionError as error:
        raise PictureUnreadable(f"not permitted to read {address}") from error
    if len(content) > MOST_BYTES:
        raise PictureTooLarge(f"{address} has more than the {MOST_BYTES:,} bytes that a picture may have")
    return content


def _asked(address: str, ask: Callable[[], Got]) -> Got:
    """Ask again where an address does not answer; what is not there or not permitted is an answer.

    Raises:
        SourceUnavailable: it never answered.
        FileNotFoundError, PermissionError: as they came.
    """
    for attempt in range(TRIES):
        try:
            return ask()
        except (FileNotFoundError, PermissionError, EdgedigitsError):
            raise
        # Every file system of fsspec has errors of its own, such as botocore's.
        except Exception as error:
            if attempt == TRIES - 1:
                raise SourceUnavailable(f"{address} does not answer: {_line(error)}") from error
            time.sleep(PAUSE * 2**attempt)
    raise AssertionError


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def remote_files(address: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield the files below a remote folder whose names are wanted, in natural order, a folder listed at a time.

    Raises:
        SourceUnavailable: the address does not answer.
    """
    from edgedigits_runtime.sources.files import natural_key

    found = filesystem(address)

    def ls(folder: str) -> list[dict[str, Any]]:
        return _asked(folder, lambda: list(found.ls(folder, detail=True)))

    def below(folder: str) -> Iterator[str]:
        # A folder's own empty key is listed among its files.
        entries = [entry for entry in ls(folder) if entry["name"].rstrip("/") != folder.rstrip("/")]
        if any(_last(entry["name"]) == RUN_FILE for entry in entries):
            return
        for entry in sorted(entries, key=lambda entry: natural_key(_last(entry["name"]))):
            if entry["type"] == "directory":
                yield from below(entry["name"])
            elif wanted(_last(entry["name"])):
                yield str(found.unstrip_protocol(entry["name"]))

    yield from below(found._strip_protocol(address))


def remote_matches(pattern: str) -> list[str]:
    """Return the files that match a remote pattern, in natural order; folders that do are no files."""
    from edgedigits_runtime.sources.files import natural_key

    found = filesystem(pattern)
    entries = _asked(pattern, lambda: dict(found.glob(pattern, detail=True)))
    names = [name for name, entry in entries.items() if entry["type"] == "file"]
    return sorted((str(found.unstrip_protocol(name)) for name in names), key=natural_key)


def is_remote_folder(address: str) -> bool:
    """Say whether files lie below a remote address."""
    return _asked(address, lambda: bool(filesystem(address).isdir(address)))


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]
