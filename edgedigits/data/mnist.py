"""MNIST: 70,000 handwritten digits of 28x28, ink bright on dark. LeCun, Cortes and Burges.

The MD5 sums are of the decompressed files, because mirrors compress them differently.
"""

from pathlib import Path

from edgedigits.data.dataset import Dataset
from edgedigits.data.description import Description
from edgedigits.data.idx import idx_files, load_idx

MIRRORS = ("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/")
MD5_OF_CONTENT = (
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
)

DESCRIPTION = Description(
    name="mnist",
    about="handwritten digits of American pupils and census staff, white ink on black",
    homepage="http://yann.lecun.com/exdb/mnist/",
    train=60_000,
    test=10_000,
    shape=(28, 28, 1),
    labels=tuple("0123456789"),
    reader="digits",
    licence="CC BY-SA 3.0",
    files=idx_files("mnist", MIRRORS, "content", MD5_OF_CONTENT),
)


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load MNIST: uint8 [60000, 28, 28, 1] and [10000, 28, 28, 1]; for errors see load_idx."""
    return load_idx(DESCRIPTION, data_dir, download=download)
