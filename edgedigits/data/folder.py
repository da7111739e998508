"""A folder of pictures as a dataset: one sub-folder for each class.

If the folder has exactly the sub-folders `train` and `test`, and each has the classes, they are the official split.
Pictures are decoded as the reader decodes them: upright, transparency over white. Hidden files, and files beside the
class folders, are ignored.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np

from edgedigits.data.dataset import Dataset, Samples
from edgedigits_runtime.errors import DatasetInvalid, PictureError
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.decode import decode

OFFICIAL = {"train", "test"}
# All pictures are in memory at once.
MAX_BYTES = 4 * 1024**3


def load_folder(folder: Path) -> Dataset:
    """Load the pictures below `folder`, in the natural order of their names.

    The images have one channel if all pictures are grey in any mode, else three (RGB).

    Raises:
        DatasetInvalid: fewer than two classes, a class without pictures, a file that is not a picture, pictures
            of several sizes, train and test with different classes, or over 4 GiB of pixels.
    """
    official = _is_official_split(folder)
    train_folder = folder / "train" if official else folder
    labels = _class_names(train_folder)
    files = _files(train_folder, labels)
    count = len(files)
    if official:
        if different := set(labels) ^ set(_class_names(folder / "test")):
            names = ", ".join(sorted(different, key=natural_key))
            raise DatasetInvalid(f"{folder}: expected the same classes in train and test; only in one of them: {names}")
        files += _files(folder / "test", labels)
    images = _read_all([path for path, _ in files])
    samples = Samples(images, np.array([label for _, label in files], np.int64))
    test = samples.take(np.arange(count, len(files))) if official else None
    return Dataset(folder.resolve().name, samples.take(np.arange(count)), test, labels, reader="plain")


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Return a sort key that puts "2" before "10"; names that differ in case or leading zeros stay distinct."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _is_official_split(folder: Path) -> bool:
    # Classes may be called "train" and "test" too; then they contain pictures instead of folders.
    names = {child.name for child in _folders(folder)}
    return names == OFFICIAL and all(_folders(folder / name) for name in OFFICIAL)


def _class_names(folder: Path) -> tuple[str, ...]:
    names = tuple(sorted((child.name for child in _folders(folder)), key=natural_key))
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        raise DatasetInvalid(f"{folder}: expected two or more class folders of pictures, found {found}")
    return names


def _files(folder: Path, labels: tuple[str, ...]) -> list[tuple[Path, int]]:
    """Return each picture file below `folder` with its class number."""
    files: list[tuple[Path, int]] = []
    for number, label in enumerate(labels):
        paths = sorted(_visible(folder / label), key=lambda path: natural_key(path.name))
        if not paths:
            raise DatasetInvalid(f"{folder / label} has no picture; add some or remove the class")
        files += [(path, number) for path in paths]
    return files


def _read_all(paths: list[Path]) -> Images:
    """Decode the pictures to uint8 [N, H, W, 1] or [N, H, W, 3]."""
    images: list[Images] = []
    size = 0
    for path in paths:
        try:
            image = decode(path, channels=3)
        except PictureError as error:
            raise DatasetInvalid(f"expected pictures only in a class folder: {error}; remove or repair it") from error
        grey = bool((image == image[..., :1]).all())
        images.append(image[..., :1].copy() if grey else image)
        size += images[-1].nbytes
        if size > MAX_BYTES:
            raise DatasetInvalid(
                f"the pictures up to {path} have more than {MAX_BYTES // 1024**3} GiB of pixels; make them smaller"
            )
    _check_sizes(paths, images)
    if any(image.shape[2] == 3 for image in images):
        images = [np.broadcast_to(image, (*image.shape[:2], 3)) for image in images]
    return np.stack(images)


def _check_sizes(paths: list[Path], images: list[Images]) -> None:
    sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in images]
    ((usual, count), *_) = Counter(sizes).most_common(1)
    others = [f"{path} is {size}" for path, size in zip(paths, sizes, strict=True) if size != usual]
    if others:
        more = f" and {len(others) - 3} more differ" if len(others) > 3 else ""
        raise DatasetInvalid(f"expected pictures of one size; {count} are {usual}, but {', '.join(others[:3])}{more}")


def _folders(folder: Path) -> list[Path]:
    return [child for child in _visible(folder) if child.is_dir()]


def _visible(folder: Path) -> list[Path]:
    try:
        return [child for child in folder.iterdir() if not child.name.startswith(".")]
    except OSError as error:
        raise DatasetInvalid(f"cannot list {folder}: {error.strerror or error}") from error
