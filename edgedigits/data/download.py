"""Download one file of a dataset: mirrors in turn, resumable, verified, written atomically.

Received bytes go to <name>.part beside the target, and the next attempt or mirror resumes from there. The target
appears only after its checksum is verified.
"""

import contextlib
import http.client
import os
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgedigits.data.description import ENVIRONMENT, MAX_BYTES, DataFile, DataFolder
from edgedigits.progress import ProgressBar
from edgedigits_runtime.errors import ChecksumMismatch, DataError, DataNotFound, OutputNotWritable

CHUNK = 64 * 1024
# Seconds without a byte, or with fewer than MIN_SPEED bytes a second, after which the next mirror is tried.
TIMEOUT = 30.0
# A bad telephone line is faster.
MIN_SPEED = 1024
MAX_REASON = 200
CONNECTIONS = 8  # At once, for a folder of small files.


class _MirrorError(Exception):
    """A mirror failed; the next one is tried."""


def fetch(file: DataFile, target: Path, *, timeout: float = TIMEOUT) -> Path:
    """Download `file` to `target` and return `target`.

    Args:
        timeout: seconds for a connection and for each next byte; also the period of the speed limit MIN_SPEED.

    Raises:
        DataNotFound: every mirror failed; the message has the fault of each.
        ChecksumMismatch: every mirror served other bytes.
        OutputNotWritable: the folder is read-only or the disk is full.
    """
    part = target.with_name(f"{target.name}.part")
    faults: dict[str, Exception] = {}
    try:
        with _lock(target.parent):
            # Another process may have downloaded it in the meantime.
            for mirror in () if target.is_file() else file.mirrors:
                try:
                    _fetch_from(f"{mirror}{file.name}", file, part, timeout)
                except (_MirrorError, ChecksumMismatch) as error:
                    faults[f"{mirror}{file.name}"] = error
                else:
                    part.replace(target)
                    break
            if target.is_file():
                return target
    # Errors of the network are already _MirrorError.
    except OSError as error:
        raise OutputNotWritable(f"cannot write {target}: {error.strerror or error}") from error
    raise _failure(file, target, faults)


def fetch_folder(folder: DataFolder, target: Path, *, timeout: float = TIMEOUT) -> Path:
    """Download the files of `folder` to `target`, several at once, and return `target`; see fetch."""
    part = target.with_name(f"{target.name}.part")
    try:
        with _lock(target.parent):
            if target.is_dir():
                return target
            part.mkdir(exist_ok=True)
            missing = [name for name in folder.members if not (part / name).is_file()]
            with ThreadPoolExecutor(CONNECTIONS) as pool, ProgressBar(folder.dataset, len(missing)) as bar:
                for faults in pool.map(lambda name: _fetch_member(folder, name, part / name, timeout), missing):
                    if faults:
                        pool.shutdown(cancel_futures=True)
                        raise _failure(folder, target, faults)
                    bar.advance()
            try:
                folder.read(part)
            except ChecksumMismatch as error:
                shutil.rmtree(part)
                raise _failure(folder, target, {folder.mirrors[0]: error}) from error
            part.replace(target)
            return target
    except OSError as error:
        raise OutputNotWritable(f"cannot write {target}: {error.strerror or error}") from error


def _fetch_member(folder: DataFolder, name: str, target: Path, timeout: float) -> dict[str, Exception]:
    """Download one file of a folder; return the fault of each mirror if all failed."""
    part = target.with_name(f"{name}.part")
    faults: dict[str, Exception] = {}
    for mirror in folder.mirrors:
        url = mirror + urllib.parse.quote(folder.members[name])
        try:
            # The folder has a bar.
            _receive(url, part, timeout, bar_from=MAX_BYTES)
        except _MirrorError as error:
            faults[url] = error
        else:
            part.replace(target)
            return {}
    return faults


def _fetch_from(url: str, file: DataFile, part: Path, timeout: float) -> None:
    """Complete and verify `part` from one mirror."""
    resumed = _receive(url, part, timeout)
    try:
        file.content(part.read_bytes())
    except ChecksumMismatch:
        part.unlink()
        if not resumed:
            raise
        # The first bytes may come from another mirror or version, so start again.
        _fetch_from(url, file, part, timeout)


def _receive(url: str, part: Path, timeout: float, bar_from: int = 0) -> bool:
    """Receive the rest of `part`, with a bar from so many bytes; return whether its earlier bytes were kept."""
    start = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "edgedigits"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        # RFC 9110, 15.5.17: there are no bytes after `start`, so `part` is complete or wrong.
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            return True
        raise _MirrorError(f"HTTP {error.code} {_reason(error)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _MirrorError(_reason(error)) from error
    with response:
        found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        partial = response.status == http.HTTPStatus.PARTIAL_CONTENT
        resumed = bool(start and partial and found and int(found[1]) == start)
        if not resumed and response.status != http.HTTPStatus.OK:
            part.unlink(missing_ok=True)
            raise _MirrorError(f"HTTP {response.status} to a request for bytes from {start}")
        _store(response, part, start if resumed else 0, timeout, bar_from)
    return resumed


def _store(response: http.client.HTTPResponse, part: Path, start: int, timeout: float, bar_from: int) -> None:
    """Write the body after the first `start` bytes of `part`, and compare its length with the announced one."""
    announced = response.headers.get("Content-Length", "")
    total = start + int(announced) if announced.isdecimal() else None
    size = start
    with part.open("ab" if start else "wb") as out:
        with ProgressBar(part.name.removesuffix(".part"), total, style="bytes", at_least=bar_from) as bar:
            bar.advance(start)
            for chunk in _chunks(response, timeout):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise _MirrorError(f"sends more than {MAX_BYTES // 1024**2} MiB")
                out.write(chunk)
                bar.advance(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    if total is not None and size != total:
        raise _MirrorError(f"sent {size:,} of {total:,} bytes")


def _chunks(response: http.client.HTTPResponse, timeout: float) -> Iterator[bytes]:
    """Yield bytes as they arrive, so that they are kept if the mirror fails."""
    since, received = time.monotonic(), 0
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
            received += len(chunk)
            seconds = time.monotonic() - since
            if seconds >= timeout:
                if received < MIN_SPEED * seconds:
                    raise _MirrorError(f"sends only {received / seconds:.0f} bytes a second")
                since, received = time.monotonic(), 0
    except (OSError, http.client.HTTPException) as error:
        raise _MirrorError(f"the connection broke: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return the message of an error on one line, without a mirror's terminal control characters."""
    text = str(getattr(error, "reason", "")) or str(error) or type(error).__name__
    return "".join(letter if letter.isprintable() else " " for letter in text)[:MAX_REASON].strip()


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Make a folder, and lock it against other downloads where the system can."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems have no locks.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _failure(file: DataFile | DataFolder, target: Path, faults: dict[str, Exception]) -> DataError:
    causes = "; ".join(f"{url}: {fault}" for url, fault in faults.items())
    message = (
        f"{file.name} of {file.dataset} could not be downloaded ({causes}); try again later, put the file into"
        f" {target.parent}, or set {ENVIRONMENT} to the parent folder of {file.dataset}/"
    )
    mismatch = faults and all(isinstance(fault, ChecksumMismatch) for fault in faults.values())
    if mismatch:
        return ChecksumMismatch(message)
    error = DataNotFound(message)
    error.brief = (
        f"{file.dataset} is not on this machine and cannot be downloaded; edgedigits data download {file.dataset} has"
        " the reasons"
    )
    return error
