"""People's own pictures of digits, for evaluation only: `wild-dev` and `wild-dev-2`.

They were collected from public projects without a licence for redistribution, so they have no public address: they are
found where datasets are looked for, never downloaded, and never trained on.
"""

import hashlib
from pathlib import Path

from edgedigits.data.description import compare
from edgedigits.data.labelled_pictures import LabelledPicture, read_labelled
from edgedigits.data.storage import search_roots
from edgedigits_runtime.errors import ChecksumMismatch, DataNotFound, UnknownName

# SHA-256 of the SHA-256 digests of labels.csv and of the pictures in its order.
COLLECTIONS = {
    "wild-dev": "f48d98008cc832b7c487bb4d079b321f1ad91e9c0227b3c9adc4367013368843",
    "wild-dev-2": "1eadc60e4bb8e07268736337ee0d77c43ea92a789984426f208de2282daaf51b",
}


def load_wild(name: str, data_dir: Path | None = None) -> list[LabelledPicture]:
    """Return the labelled pictures of one of COLLECTIONS, verified.

    Raises:
        UnknownName: no such collection.
        DataNotFound: it is not on disk.
        ChecksumMismatch: other pictures or labels.
    """
    if name not in COLLECTIONS:
        raise UnknownName("collection", name, COLLECTIONS)
    for folder in (root / name for root in search_roots(data_dir)):
        if folder.is_dir():
            pictures = read_labelled(folder)
            files = [folder / "labels.csv", *(picture.path for picture in pictures)]
            digests = b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)
            try:
                compare(digests, (COLLECTIONS[name],), "content")
            except ChecksumMismatch as error:
                raise ChecksumMismatch(f"{folder} holds other pictures or labels: {error}") from error
            return pictures
    searched = ", ".join(str(root / name) for root in search_roots(data_dir))
    raise DataNotFound(f"{name} is not in {searched}; it cannot be downloaded: its authors gave no licence")
