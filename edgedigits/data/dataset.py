"""A loaded dataset: images, class numbers and names of the classes."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import ReaderKind
from edgedigits_runtime.errors import ArrayError, DatasetInvalid
from edgedigits_runtime.preprocessing import Images

Labels = NDArray[np.int64]


# eq=False, because comparing arrays raises; compare digests instead.
@dataclass(frozen=True, eq=False)
class Samples:
    """Images with their classes.

    Args:
        images: uint8 [N, H, W, C].
        labels: int64 [N], indices into the dataset's `labels`.

    Raises:
        ArrayError: another dtype, shape or number of labels.
    """

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise ArrayError(f"expected images as uint8 [N, H, W, C]; got {_kind(self.images)}")
        if self.labels.dtype != np.int64 or self.labels.shape != self.images.shape[:1]:
            raise ArrayError(f"expected labels as int64 [{len(self.images)}]; got {_kind(self.labels)}")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "Samples":
        """Return a copy of the samples at `indices`, int64 [n], in that order."""
        return Samples(self.images[indices], self.labels[indices])

    def renumbered(self, numbers: NDArray[np.int64]) -> "Samples":
        """Return these samples with class `numbers[n]` in place of n."""
        return Samples(self.images, numbers[self.labels])

    def joined(self, other: "Samples") -> "Samples":
        """Return these samples followed by the others."""
        return Samples(np.concatenate([self.images, other.images]), np.concatenate([self.labels, other.labels]))

    def digest(self) -> str:
        """Return "sha256:" and the hash of the shape, the image bytes and the labels."""
        digest = hashlib.sha256(str(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return f"sha256:{digest.hexdigest()}"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset as published.

    Args:
        name: key in DATASETS, or the name of the folder.
        train: all samples outside the test set; `splits.split` takes the validation samples from them.
        test: the authors' test set; None if there is none.
        labels: names of the classes, in the order of their numbers.
        reader: see Contract.
        fingerprint: "sha256:" and the hash of what was loaded, before pictures were framed; None for `digest()`.
        notes: for the user, about pictures that were left out or are doubtful.

    Raises:
        DatasetInvalid: a label without a name, or test images of another shape.
    """

    name: str
    train: Samples
    test: Samples | None
    labels: tuple[str, ...]
    reader: ReaderKind
    fingerprint: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for samples in (self.train, self.test):
            if samples is None or len(samples) == 0:
                continue
            lowest, highest, last = int(samples.labels.min()), int(samples.labels.max()), len(self.labels) - 1
            if lowest < 0 or highest > last:
                raise DatasetInvalid(f"{self.name}: expected labels from 0 to {last}, got {lowest} to {highest}")
        if self.test is not None and self.test.images.shape[1:] != self.train.images.shape[1:]:
            shapes = [list(samples.images.shape[1:]) for samples in (self.train, self.test)]
            raise DatasetInvalid(
                f"{self.name}: expected one shape, got {shapes[0]} for training and {shapes[1]} for testing"
            )

    @property
    def count(self) -> int:
        """Number of all samples."""
        return len(self.train) + (0 if self.test is None else len(self.test))

    def digest(self) -> str:
        """Return the fingerprint, or one of all samples."""
        parts = (self.train,) if self.test is None else (self.train, self.test)
        together = " ".join(part.digest() for part in parts)
        return self.fingerprint or f"sha256:{hashlib.sha256(together.encode()).hexdigest()}"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        _, height, width, channels = self.train.images.shape
        return height, width, channels


def _kind(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"
