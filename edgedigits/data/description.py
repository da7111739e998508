"""The description of a dataset before it is loaded: its size, its classes and its published files."""

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import ChecksumMismatch

ENVIRONMENT = "EDGEDIGITS_DATA"
GZIP_MAGIC = b"\x1f\x8b"
# Larger than any published file; limits a download, and the content of a gzip file.
MAX_BYTES = 512 * 1024**2

Md5Of = Literal["container", "content"]


@dataclass(frozen=True)
class DataFile:
    """One published file of a dataset, stored at <root>/<dataset>/<name>.

    Args:
        dataset: name of the dataset and of its folder.
        name: file name, ending in ".gz".
        md5: hexadecimal, as the authors or other loaders publish it.
        md5_of: "container" is the served file; "content" is its decompressed content, which accepts a file that
            was compressed again or decompressed.
        mirrors: URLs of folders that hold the file, ending in "/", in order of preference.
    """

    dataset: str
    name: str
    md5: str
    md5_of: Md5Of
    mirrors: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Possible file names on disk."""
        return (self.name,) if self.md5_of == "container" else (self.name, self.name.removesuffix(".gz"))

    def content(self, raw: bytes) -> bytes:
        """Verify the bytes of the file, and return its decompressed content.

        Raises:
            ChecksumMismatch: they are not the published bytes; the message has the difference only.
        """
        if self.md5_of == "container":
            self._compare(raw)
        content = _unzip(raw)
        if self.md5_of == "content":
            self._compare(content)
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

    def _compare(self, data: bytes) -> None:
        found = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if found != self.md5:
            raise ChecksumMismatch(f"expected MD5 {self.md5} of the {self.md5_of}, got {found}")


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
        files: the published files; empty if a package includes the data.
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
    files: tuple[DataFile, ...] = ()
    bundled_with: str | None = None


def _unzip(raw: bytes) -> bytes:
    """Decompress gzip; other bytes are returned as they are, because some servers decompress .gz files."""
    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ChecksumMismatch(f"the gzip file is damaged ({error})") from error
    if len(content) > MAX_BYTES:
        raise ChecksumMismatch(f"it decompresses to more than {MAX_BYTES // 1024**2} MiB")
    return content
