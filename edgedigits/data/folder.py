"""A folder of people's own pictures as a dataset: one sub-folder for each class, named like it.

Where the folder holds exactly `train` and `test`, and each of them the classes, these are taken as the
official split. Pictures are decoded as the reader decodes them: upright, transparency over white. Names that
begin with a dot, and files beside the class folders, are passed over.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgedigits.data.dataset import Dataset, Samples
from edgedigits_runtime.errors import DatasetInvalid, PictureError
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.decode import decode

OFFICIAL = {"train", "test"}
# All pictures stand in memory at once.
MOST_BYTES = 4 * 1024**3


def load_folder(folder: Path) -> Dataset:
    """Load the pictures below `folder`, in the natural order of their names.

    They become one channel if all of them are grey, whatever mode they are stored in, else RGB.

    Raises:
        DatasetInvalid: fewer than two classes, a class without pictures, a file that is no picture, pictures
            of several sizes, train and test with other classes, or over 4 GiB of pixels.
    """
    official = _is_official_split(folder)
    train_folder = folder / "train" if official else folder
    labels = _class_names(train_folder)
    train_files = _files(train_folder, labels)
    test_files: list[tuple[Path, int]] = []
    if official:
        _check_same_classes(folder, labels, _class_names(folder / "test"))
        test_files = _files(folder / "test", labels)
    files = train_files + test_files
    images = _read_all([path for path, _ in files])
    samples = Samples(images, np.array([label for _, label in files], np.int64))
    count = len(train_files)
    return Dataset(
        name=folder.resolve().name,
        train=samples.take(np.arange(count)),
        test=samples.take(np.arange(count, len(files))) if official else None,
        labels=labels,
        reader="plain",
    )


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sort key that puts "2" before "10"; names that differ only in case or leading zeros stay apart."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _is_official_split(folder: Path) -> bool:
    # Classes may be called "train" and "test" too; then they hold pictures, not folders.
    names = {child.name for child in _folders(folder)}
    return names == OFFICIAL and all(any(_folders(folder / name)) for name in OFFICIAL)


def _class_names(folder: Path) -> tuple[str, ...]:
    names = tuple(sorted((child.name for child in _folders(folder)), key=natural_key))
    if len(names) < 2:
        raise DatasetInvalid(
            f"{folder}: expected a sub-folder of pictures for each of two or more classes,"
            f" found {f'only {names[0]!r}' if names else 'none'}"
        )
    return names


def _check_same_classes(folder: Path, train: tuple[str, ...], test: tuple[str, ...]) -> None:
    if train != test:
        only = sorted(set(train) ^ set(test), key=natural_key)
        raise DatasetInvalid(
            f"{folder}: train and test must have the same classes; only in one of them: {', '.join(only)}"
        )


def _files(folder: Path, labels: tuple[str, ...]) -> list[tuple[Path, int]]:
    """Return each picture file below `folder` with its class number."""
    files: list[tuple[Path, int]] = []
    for number, label in enumerate(labels):
        paths = sorted(_visible(folder / label), key=lambda path: natural_key(path.name))
        if not paths:
            raise DatasetInvalid(f"{folder / label} holds no picture; add some or remove the class")
        files += [(path, number) for path in paths]
    return files


def _read_all(paths: list[Path]) -> Images:
    """Decode every picture to one array, uint8 [N, H, W, 1] or [N, H, W, 3]."""
    images: list[Images] = []
    grey = True
    size = 0
    for path in paths:
        try:
            image = decode(path, channels=3)
        except PictureError as error:
            raise DatasetInvalid(f"a class folder may hold pictures only: {error}; remove it or mend it") from error
        only_grey = bool((image == image[..., :1]).all())
        grey = grey and only_grey
        images.append(image[..., :1].copy() if only_grey else image)
        size += images[-1].nbytes
        if size > MOST_BYTES:
            raise DatasetInvalid(
                f"the pictures up to {path} take more than {MOST_BYTES // 1024**3} GiB; make them smaller"
            )
    _check_sizes(paths, images)
    if not grey:
        images = [np.broadcast_to(image, (*image.shape[:2], 3)) for image in images]
    return np.stack(images)


def _check_sizes(paths: list[Path], images: list[Images]) -> None:
    sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in images]
    ((usual, count), *_) = Counter(sizes).most_common(1)
    others = [f"{path} is {size}" for path, size in zip(paths, sizes, strict=True) if size != usual]
    if others:
        more = f" and {len(others) - 3} more are not" if len(others) > 3 else ""
        raise DatasetInvalid(
            f"all pictures must be of one size; {count} are {usual}, but {', '.join(others[:3])}{more}"
        )


def _folders(folder: Path) -> Iterator[Path]:
    return (child for child in _visible(folder) if child.is_dir())


def _visible(folder: Path) -> Iterator[Path]:
    try:
        return iter([child for child in folder.iterdir() if not child.name.startswith(".")])
    except OSError as error:
        raise DatasetInvalid(f"{folder} cannot be listed: {error.strerror or error}") from error
