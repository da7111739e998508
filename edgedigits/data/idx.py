"""Datasets of four IDX files, as MNIST and Fashion-MNIST are published.

The format (http://yann.lecun.com/exdb/mnist/): two zero bytes, a type, the number of dimensions, the size of each
dimension as a big-endian uint32, and the values in C order. Only unsigned bytes (type 8) are supported.
"""

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.description import ChecksumOf, DataFile, Description
from edgedigits.data.storage import read_file
from edgedigits_runtime.errors import DatasetInvalid

UNSIGNED_BYTE = 8
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx_files(
    dataset: str, mirrors: tuple[str, ...], checksum_of: ChecksumOf, checksums: tuple[str, ...]
) -> tuple[DataFile, ...]:
    """Return the files of a dataset, with their checksums in the order of NAMES."""
    return tuple(DataFile(dataset, f"{name}.gz", checksums[k], checksum_of, mirrors) for k, name in enumerate(NAMES))


def load_idx(description: Description, data_dir: Path | None, *, download: bool) -> Dataset:
    """Load a dataset whose `files` are train images, train labels, test images and test labels.

    Raises:
        DatasetInvalid: a file is not IDX, or images and labels do not match.
        DataError: see read_file.
    """
    train_images, train_labels, test_images, test_labels = description.files

    def samples(images_file: DataFile, labels_file: DataFile) -> Samples:
        files = (images_file, labels_file)
        images, labels = (parse_idx(read_file(file, data_dir, download=download), file.name) for file in files)
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise DatasetInvalid(
                f"expected [N, H, W] in {images_file.name} and [N] in {labels_file.name},"
                f" got {list(images.shape)} and {list(labels.shape)}"
            )
        return Samples(images[..., np.newaxis], labels.astype(np.int64))

    train, test = samples(train_images, train_labels), samples(test_images, test_labels)
    return Dataset(description.name, train, test, description.labels, description.reader)


def parse_idx(content: bytes, source: str) -> NDArray[np.uint8]:
    """Return the array in `content`, the decompressed bytes of an IDX file, as a copy.

    Args:
        source: name of the file in messages.

    Raises:
        DatasetInvalid: not IDX, another type than unsigned byte, or another length than in the header.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DatasetInvalid(f"{source}: expected an IDX file, which begins with two zero bytes, got {content[:4]!r}")
    kind, dimensions = content[2], content[3]
    if kind != UNSIGNED_BYTE:
        raise DatasetInvalid(f"{source}: expected IDX type 8 (unsigned byte), got {kind}")
    start = 4 + 4 * dimensions
    if dimensions == 0 or len(content) < start:
        raise DatasetInvalid(f"{source}: expected an IDX header of 1 or more dimensions, got {content[3:start]!r}")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = math.prod(shape)
    if len(content) - start != expected:
        raise DatasetInvalid(
            f"{source}: expected {expected:,} bytes for an array of {list(shape)}, got {len(content) - start:,}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()
