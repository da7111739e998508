"""CIFAR-10: 60,000 colour photos of 32x32 in ten classes, in its binary version. Krizhevsky 2009.

A batch file is a run of records of 3,073 bytes: the class, then 1,024 red, 1,024 green and 1,024 blue pixels,
row by row (https://www.cs.toronto.edu/~kriz/cifar.html). The archive is read in memory.
"""

import io
import tarfile
from pathlib import Path

import numpy as np

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.description import DataFile, Description
from edgedigits.data.storage import read_file
from edgedigits_runtime.errors import DatasetInvalid

SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
FOLDER = "cifar-10-batches-bin"
TRAIN_BATCHES = tuple(f"{FOLDER}/data_batch_{number}.bin" for number in range(1, 6))
TEST_BATCH = f"{FOLDER}/test_batch.bin"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"

DESCRIPTION = Description(
    name="cifar10",
    about="small colour photos of animals and vehicles",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    train=50_000,
    test=10_000,
    shape=(SIDE, SIDE, 3),
    labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    reader="plain",
    licence="none stated",
    files=(DataFile("cifar10", "cifar-10-binary.tar.gz", MD5, "container", ("https://www.cs.toronto.edu/~kriz/",)),),
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load CIFAR-10: uint8 [50000, 32, 32, 3] and [10000, 32, 32, 3].

    Raises:
        DatasetInvalid: the archive lacks a batch, or a batch is malformed.
        DataError: see read_file.
    """
    (file,) = DESCRIPTION.files
    train, test = parse_archive(read_file(file, data_dir, download=download), file.name)
    return Dataset(DESCRIPTION.name, train, test, DESCRIPTION.labels, DESCRIPTION.reader)


def parse_archive(content: bytes, source: str) -> tuple[Samples, Samples]:
    """Return the training and test samples of a tar archive; `source` is its name in messages."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            *train, test = (_parse_batch(archive, name, source) for name in (*TRAIN_BATCHES, TEST_BATCH))
    except tarfile.TarError as error:
        raise DatasetInvalid(f"{source}: expected a tar archive with {FOLDER}/: {error}") from error
    images = np.concatenate([batch.images for batch in train])
    return Samples(images, np.concatenate([batch.labels for batch in train])), test


def _parse_batch(archive: tarfile.TarFile, name: str, source: str) -> Samples:
    file = archive.extractfile(name) if name in archive.getnames() else None
    if file is None:
        raise DatasetInvalid(f"{source}: expected the file {name}; download it again")
    content = file.read()
    if not content or len(content) % RECORD:
        raise DatasetInvalid(f"{name}: expected records of {RECORD:,} bytes, got {len(content):,} bytes")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    planes = records[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return Samples(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, 0].astype(np.int64))
