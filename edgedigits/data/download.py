"""Download one file of a dataset: from its mirrors in turn, resumed, verified, whole or not at all.

What has arrived stands in <name>.part beside the target. After an interruption it is gone on with, by the
next mirror too. The target appears only once its checksum is right.
"""

import contextlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from edgedigits.data.description import LARGEST, DataFile
from edgedigits.data.locations import ENVIRONMENT
from edgedigits.progress import ProgressBar
from edgedigits_runtime.errors import ChecksumMismatch, DataError, DataNotFound, OutputNotWritable

CHUNK = 64 * 1024
# Seconds without a byte after which a mirror is given up,
TIMEOUT = 30.0
# and bytes a second over as long, below which a mirror only seems to send; a bad telephone line carries more.
SLOWEST = 1024
LONGEST_REASON = 200


class _MirrorError(Exception):
    """One mirror did not deliver; the next one is asked."""


def fetch(file: DataFile, target: Path, *, timeout: float = TIMEOUT) -> Path:
    """Download `file` to `target` and return `target`.

    Args:
        timeout: seconds to wait for a connection, for each next byte, and for SLOWEST bytes a second to come.

    Raises:
        DataNotFound: no mirror delivered; the message has each one's fault.
        ChecksumMismatch: every mirror delivered other bytes than the dataset's.
        OutputNotWritable: the folder is read-only or the disk is full.
    """
    part = target.with_name(f"{target.name}.part")
    faults: dict[str, Exception] = {}
    with _writing(target), _alone(target.parent):
        if target.is_file():
            # Another process has just brought it.
            return target
        for mirror in file.mirrors:
            url = f"{mirror}{file.name}"
            try:
                _fetch_from(url, file, part, timeout)
            except (_MirrorError, ChecksumMismatch) as error:
                faults[url] = error
            else:
                part.replace(target)
                return target
    raise _given_up(file, target, faults)


def _fetch_from(url: str, file: DataFile, part: Path, timeout: float) -> None:
    """Complete `part` from one mirror and check it."""
    while True:
        resumed = _receive(url, part, timeout)
        try:
            file.content(part.read_bytes())
        except ChecksumMismatch:
            part.unlink()
            # The first bytes may be another mirror's, or of an older file: once more, from the start.
            if resumed:
                continue
            raise
        return


def _receive(url: str, part: Path, timeout: float) -> bool:
    """Fetch what `part` lacks; return whether bytes that stood there before were kept."""
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "edgedigits"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        # RFC 9110, 15.5.17: nothing begins at `start`, so `part` is complete or wrong; its checksum tells.
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            return True
        raise _MirrorError(f"HTTP {error.code} {_reason(error)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _MirrorError(_reason(error)) from error
    with response:
        resumed = bool(start) and _begins_at(response) == start
        if not resumed and response.status != http.HTTPStatus.OK:
            part.unlink(missing_ok=True)
            raise _MirrorError(f"HTTP {response.status} to a request for bytes from {start}")
        _store(response, part, start if resumed else 0, timeout)
    return resumed


def _begins_at(response: http.client.HTTPResponse) -> int | None:
    """Return the offset at which a 206 answer begins; None for any other answer."""
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found and response.status == http.HTTPStatus.PARTIAL_CONTENT else None


def _store(response: http.client.HTTPResponse, part: Path, start: int, timeout: float) -> None:
    """Write the body behind the first `start` bytes of `part`; refuse another length than was announced."""
    announced = response.headers.get("Content-Length", "")
    total = start + int(announced) if announced.isdecimal() else None
    size = start
    with part.open("ab" if start else "wb") as out:
        with ProgressBar(part.name.removesuffix(".part"), total, style="bytes") as bar:
            bar.advance(start)
            for chunk in _chunks(response, timeout):
                size += len(chunk)
                if size > LARGEST:
                    raise _MirrorError(f"sends more than {LARGEST // 1024**2} MiB")
                out.write(chunk)
                bar.advance(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    if total is not None and size != total:
        raise _MirrorError(f"sent {size:,} of {total:,} bytes")


def _chunks(response: http.client.HTTPResponse, timeout: float) -> Iterator[bytes]:
    """Yield what comes, as it comes: what came before a mirror is given up stays."""
    since, received = time.monotonic(), 0
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
            received += len(chunk)
            taken = time.monotonic() - since
            if taken >= timeout:
                if received < SLOWEST * taken:
                    raise _MirrorError(f"sends only {received / taken:.0f} bytes a second")
                since, received = time.monotonic(), 0
    except (OSError, http.client.HTTPException) as error:
        raise _MirrorError(f"the connection broke: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return what went wrong in one line; a mirror's own words may be in it, so nothing that steers a terminal."""
    said = str(getattr(error, "reason", "")) or str(error) or type(error).__name__
    return "".join(letter if letter.isprintable() else " " for letter in said)[:LONGEST_REASON].strip()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Make a folder, and let one process at a time download into it where the system has locks of folders."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems have none.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into our error; what the network does is a _MirrorError by then."""
    try:
        yield
    except OSError as error:
        raise OutputNotWritable(f"cannot write {path}: {error.strerror or error}") from error


def _given_up(file: DataFile, target: Path, faults: dict[str, Exception]) -> DataError:
    told = "; ".join(f"{url}: {fault}" for url, fault in faults.items())
    message = (
        f"{file.name} of {file.dataset} could not be downloaded ({told}); try again later,"
        f" or put the file into {target.parent}, or set {ENVIRONMENT} to the folder above {file.dataset}/"
    )
    if faults and all(isinstance(fault, ChecksumMismatch) for fault in faults.values()):
        return ChecksumMismatch(message)
    return DataNotFound(message)
