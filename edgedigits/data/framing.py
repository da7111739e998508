"""Frame a dataset's pictures as the reader frames them for a model."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgedigits.data.dataset import Dataset, Samples
from edgedigits_runtime.contract import Contract, ReaderKind
from edgedigits_runtime.errors import DatasetInvalid, PictureError
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.decode import WORKING_PIXELS, PictureSource, decode_picture
from edgedigits_runtime.reading.framed import fitted, frame_plain
from edgedigits_runtime.reading.one_digit import frame_one_digit

# All images are in memory at once.
MAX_BYTES = 4 * 1024**3
# A foreign model needs training images only to choose its normalisation, its temperature and int8 ranges.
MOST_TRAIN = 6_000
# Pictures whose ink is found together, which is faster for small ones, and the most bytes of them.
TOGETHER = 64
TOGETHER_BYTES = 32_000_000
NOTES = {
    "several": "the likeliest of several marks was taken",
    "none": "no digit was found, and all the ink was framed",
}


@dataclass(frozen=True)
class Target:
    """The images that a model takes.

    Args:
        shape: height, width and channels.
        reader: "digits": the one digit of each picture is found and framed, as MNIST's are, and resized to
            the shape. "plain": the whole picture is resized.
        labels: the model's classes, to leave out pictures of several digits or of none; None if they are not known.
    """

    shape: tuple[int, int, int]
    reader: ReaderKind
    labels: tuple[str, ...] | None = None

    @classmethod
    def of(cls, contract: Contract) -> "Target":
        return cls(contract.image_shape, contract.reader, contract.labels)


def frame_pictures(pictures: Sequence[PictureSource] | Images, target: Target) -> tuple[Images, tuple[str, ...]]:
    """Return pictures framed for a model, uint8 [N, H, W, C], and notes about those that are doubtful.

    Raises:
        DatasetInvalid: a picture that cannot be read, or over 4 GiB of pixels.
    """
    count, channels = len(pictures), target.shape[2]
    if count * math.prod(target.shape) > MAX_BYTES:
        raise DatasetInvalid(
            f"{count:,} images of {_size(target.shape)} have more than {MAX_BYTES // 1024**3} GiB of pixels;"
            " use fewer pictures"
        )
    images = np.empty((count, *target.shape), np.uint8)
    if target.reader == "plain":
        ready = isinstance(pictures, np.ndarray) and pictures.shape[3] == channels
        for number, picture in enumerate(pictures if ready else decoded(pictures, channels)):
            images[number] = frame_plain(picture, target.shape)
        return images, ()
    found: Counter[str] = Counter()
    number = 0
    # Coloured ink counts, also for a model that takes grey.
    for batch in _together(decoded(pictures, None)):
        for image, clear in frame_one_digit(batch):
            images[number] = fitted(image[np.newaxis], target.shape)[0]
            found[clear] += 1
            number += 1
    notes = (f"in {found[kind]} of {number} pictures {text}" for kind, text in NOTES.items() if found[kind])
    return images, tuple(notes)


def framed_dataset(dataset: Dataset, target: Target) -> Dataset:
    """Return a dataset with its images framed for a model, unless they have the model's shape; see frame_pictures.

    Of many training images, MOST_TRAIN are framed, evenly spread.
    """
    if dataset.image_shape == target.shape:
        return dataset
    how = "framed" if target.reader == "digits" else "resized"
    notes = [f"images of {dataset.name}, {_size(dataset.image_shape)}, were {how} to {_size(target.shape)}"]

    def framed(samples: Samples) -> Samples:
        images, more = frame_pictures(samples.images, target)
        notes.extend(more)
        return Samples(images, samples.labels)

    count = len(dataset.train)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_TRAIN)).astype(np.int64))
    train = framed(dataset.train.take(chosen))
    test = None if dataset.test is None else framed(dataset.test)
    return replace(dataset, train=train, test=test, fingerprint=dataset.digest(), notes=tuple(notes))


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def decoded(
    pictures: Iterable[PictureSource], channels: int | None, working_pixels: int = WORKING_PIXELS
) -> Iterator[Images]:
    """Yield the pixels of each picture, see decode_picture; raise DatasetInvalid for one that cannot be read."""
    for picture in pictures:
        try:
            yield decode_picture(picture, channels=channels, working_pixels=working_pixels).pixels
        except PictureError as error:
            raise DatasetInvalid(f"expected only pictures in a class: {error}; remove or repair it") from error


def _together(pictures: Iterable[Images]) -> Iterator[list[Images]]:
    batch: list[Images] = []
    size = 0
    for picture in pictures:
        batch.append(picture)
        size += picture.nbytes
        if len(batch) == TOGETHER or size > TOGETHER_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
