"""What is known of a dataset before it is loaded: its size, its classes, and the files it is made of."""

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import ChecksumMismatch

GZIP_MAGIC = b"\x1f\x8b"
# Nothing here is larger; it bounds what a mirror can make us store, and what a gzip file can unfold to.
LARGEST = 512 * 1024**2


@dataclass(frozen=True)
class DataFile:
    """One file of a dataset as its mirrors serve it, on disk at <root>/<dataset>/<name>.

    Args:
        dataset: name of the dataset, which is that of the folder.
        name: file name, ending in ".gz".
        md5: hexadecimal; what the authors published or what other loaders of the field pin.
        md5_of: "container" is the file as it is served; "content" is what is inside the gzip, so that a
            file compressed again or not at all is accepted too.
        mirrors: URLs of the folders that hold it, ending in "/", tried in this order.
    """

    dataset: str
    name: str
    md5: str
    md5_of: Literal["container", "content"]
    mirrors: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """File names under which it may lie on disk."""
        return (self.name,) if self.md5_of == "container" else (self.name, self.name.removesuffix(".gz"))

    def content(self, raw: bytes) -> bytes:
        """Check the bytes of the file and return what is inside its gzip.

        Raises:
            ChecksumMismatch: they are not those of the dataset; the message says only how they differ.
        """
        if self.md5_of == "container":
            self._compare(raw)
        content = _unzip(raw)
        if self.md5_of == "content":
            self._compare(content)
        return content

    def read(self, path: Path) -> bytes:
        """Read and check the file at `path`, and return what is inside its gzip.

        Raises:
            ChecksumMismatch: the bytes are not those of the dataset, or the file cannot be read.
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
    """What a dataset holds, said without loading it.

    Args:
        name: its name in DATASETS.
        about: what the pictures show and who made them, one line.
        homepage: URL of the authors' page.
        train: number of samples outside the test set.
        test: number of the authors' test samples; None where they published none.
        shape: height, width and channels of one image.
        labels: names of the classes.
        reader: see Contract.
        files: what `load` needs on disk; empty where a package brings the data with it.
        bundled_with: import name of that package; None where the data are files.
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
    """Decompress gzip, told by its first bytes; some servers send a .gz file already decompressed."""
    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            content = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ChecksumMismatch(f"the gzip is damaged ({error})") from error
    if len(content) > LARGEST:
        raise ChecksumMismatch(f"it unfolds to more than {LARGEST // 1024**2} MiB")
    return content
