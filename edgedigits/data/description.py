"""The description of a dataset before it is loaded: its size, its classes and its published files."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from edgedigits.data.unix_compress import COMPRESS_MAGIC, uncompress
from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import ChecksumMismatch

ENVIRONMENT = "EDGEDIGITS_DATA"
GZIP_MAGIC = b"\x1f\x8b"
MD5_LENGTH = 32
# Larger than any published file; limits a download, and the content of a gzip file.
MAX_BYTES = 512 * 1024**2

ChecksumOf = Literal["container", "content"]


@dataclass(frozen=True)
class DataFile:
    """One published file of a dataset, stored at <root>/<dataset>/<name>.

    Args:
        dataset: name of the dataset and of its folder.
        name: file name, as it is served.
        checksum: hexadecimal; MD5 where the authors or other loaders publish it, else SHA-256.
        checksum_of: "container" is the served file; "content" is its decompressed content, which accepts a file that
            was compressed again or decompressed.
        mirrors: URLs of folders that hold the file, ending in "/", in order of preference.
        also: checksums of other published versions.
    """

    dataset: str
    name: str
    checksum: str
    checksum_of: ChecksumOf
    mirrors: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Possible file names on disk."""
        plain = self.name.removesuffix(".gz").removesuffix(".Z")
        return (self.name,) if self.checksum_of == "container" or plain == self.name else (self.name, plain)

    def content(self, raw: bytes) -> bytes:
        """Verify the bytes of the file, and return its decompressed content.

        Raises:
            ChecksumMismatch: they are not the published bytes; the message has the difference only.
        """
        if self.checksum_of == "container":
            compare(raw, (self.checksum, *self.also), "container")
        content = _decompressed(raw)
        if self.checksum_of == "content":
            compare(content, (self.checksum, *self.also), "content")
        return content

    def read(self, path: Path) -> bytes:
        """Read and verify the file at `path`, and return its decompressed content.

        Raises:
            ChecksumMismatch: it is not the published file, or it cannot be read.
        """
        try:
            return self.content(path.read_bytes())
        except (ChecksumMismatch, OSError) as error:
            raise ChecksumMismatch(
                f"{path} is not the published file: {error}; delete it and run: edgedigits data download {self.dataset}"
            ) from error


@dataclass(frozen=True)
class DataFolder:
    """Many small published files of a dataset, stored at <root>/<dataset>/<name>/.

    Args:
        dataset: name of the dataset and of its folder.
        name: name of the folder with the files.
        members: from each file's name here to its path at the mirrors.
        checksum: SHA-256, hexadecimal, of the SHA-256 digests of the files in the order of `members`.
        mirrors: URLs, ending in "/", to which the paths are added.
    """

    dataset: str
    name: str
    members: Mapping[str, str] = field(hash=False)
    checksum: str
    mirrors: tuple[str, ...]
    checksum_of: ChecksumOf = "content"

    @property
    def names(self) -> tuple[str, ...]:
        """Possible names on disk."""
        return (self.name,)

    def read(self, path: Path) -> dict[str, bytes]:
        """Read and verify the folder at `path`, and return the content of each file.

        Raises:
            ChecksumMismatch: other files, or one cannot be read.
        """
        try:
            contents = {name: (path / name).read_bytes() for name in self.members}
            compare(b"".join(hashlib.sha256(one).digest() for one in contents.values()), (self.checksum,), "content")
        except (ChecksumMismatch, OSError) as error:
            raise ChecksumMismatch(
                f"{path} does not hold the published files: {error}; delete it and run:"
                f" edgedigits data download {self.dataset}"
            ) from error
        return contents


@dataclass(frozen=True)
class Description:
    """A dataset's facts.

    Args:
        name: key in DATASETS.
        about: subject and authors of the pictures, one line.
        homepage: URL of the authors' page.
        train: number of samples outside the test set.
        test: number of samples in the authors' test set; None if there is none.
        shape: height, width and channels of one image.
        labels: names of the classes.
        reader: see Contract.
        licence: of the pictures, as their authors state it.
        files, folders: the published files; empty if a package includes the data.
        bundled_with: import name of that package, else None.
    """

    name: str
    about: str
    homepage: str
    train: int
    test: int | None
    shape: tuple[int, int, int]
    labels: tuple[str, ...]
    reader: ReaderKind
    licence: str
    files: tuple[DataFile, ...] = ()
    folders: tuple[DataFolder, ...] = ()
    bundled_with: str | None = None

    @property
    def published(self) -> tuple[DataFile | DataFolder, ...]:
        """All files and folders."""
        return (*self.files, *self.folders)


def compare(data: bytes, checksums: tuple[str, ...], what: ChecksumOf) -> None:
    """Raise ChecksumMismatch unless `data` has one of the checksums, all hexadecimal MD5 or all SHA-256."""
    algorithm = "md5" if len(checksums[0]) == MD5_LENGTH else "sha256"
    found = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    if found not in checksums:
        raise ChecksumMismatch(f"expected {algorithm.upper()} {' or '.join(checksums)} of the {what}, got {found}")


def _decompressed(raw: bytes) -> bytes:
    """Decompress gzip and .Z; other bytes are returned as they are, because some servers decompress .gz files."""
    kind = "gzip" if raw.startswith(GZIP_MAGIC) else ".Z"
    try:
        if raw.startswith(COMPRESS_MAGIC):
            content = uncompress(raw, MAX_BYTES + 1)
        elif raw.startswith(GZIP_MAGIC):
            with gzip.open(io.BytesIO(raw)) as file:
                content = file.read(MAX_BYTES + 1)
        else:
            return raw
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ChecksumMismatch(f"the {kind} file is damaged ({error})") from error
    if len(content) > MAX_BYTES:
        raise ChecksumMismatch(f"it decompresses to more than {MAX_BYTES // 1024**2} MiB")
    return content
