"""A folder of pictures as a dataset: one sub-folder for each class, or `labels.csv`.

If the folder has exactly the sub-folders `train` and `test`, and each has the classes, they are the official split.
Pictures are decoded as the reader decodes them: upright, transparency over white. Hidden files, and files beside the
class folders, are ignored. `labels.csv`, see labelled_pictures, is read where there are no class folders.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.framing import MAX_BYTES, Target, decoded, frame_pictures
from edgedigits.data.label_matching import match_labels
from edgedigits.data.labelled_pictures import LABELS_FILE, NO_DIGIT_FOLDERS, read_labelled
from edgedigits_runtime.errors import DatasetInvalid
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.decode import MAX_PIXELS

OFFICIAL = ("train", "test")
RESIZED = 64
"""Side that pictures are resized to if most of them differ in size, and no model states another."""

Listed = list[tuple[Path, str]]
"""Picture files with their labels."""


def load_folder(folder: Path, target: Target | None = None) -> Dataset:
    """Load the pictures below `folder`, in the natural order of their names.

    Args:
        folder: see above.
        target: the pictures are framed for it. Without one, images have one channel if all pictures are grey in any
            mode, else three (RGB); pictures of several sizes are resized to that of most, or to RESIZED.

    Raises:
        DatasetInvalid: fewer than two classes, one that the target lacks, a class without pictures, a file that is not
            a picture, train and test with different classes, or over 4 GiB of pixels.
        DataNotFound: a picture of labels.csv is missing.
    """
    notes: list[str] = []
    lists = [_listed(part, target.labels if target else None, notes) for part in _parts(folder)]
    labels, official = _classes(lists[0], folder), len(lists) > 1
    if official and (different := set(labels) ^ set(_classes(lists[1], folder))):
        names = ", ".join(sorted(different, key=natural_key))
        raise DatasetInvalid(f"{folder}: expected the same classes in train and test; only in one of them: {names}")
    if target and target.labels:
        # Before pictures are framed, which takes longer.
        match_labels(labels, target.labels, str(folder), "the model")
    paths = [path for part in lists for path, _ in part]
    if target is None:
        images = _read_all(paths, notes)
    else:
        images, more = frame_pictures(paths, target)
        notes += more
    numbers = {label: number for number, label in enumerate(labels)}
    samples = Samples(images, np.array([numbers[label] for part in lists for _, label in part], np.int64))
    count = len(lists[0])
    return Dataset(
        folder.resolve().name,
        samples.take(np.arange(count)),
        samples.take(np.arange(count, len(paths))) if official else None,
        labels,
        reader=target.reader if target else "plain",
        fingerprint=_digest(lists),
        notes=tuple(notes),
    )


def folder_labels(folder: Path) -> tuple[str, ...]:
    """Return the names of a folder's classes in natural order, without reading pictures; for errors see load_folder."""
    return _classes(_listed(_parts(folder)[0], None, []), folder)


def picture_lists(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each class folder in natural order, without opening them; empty if there are none.

    Raises:
        DatasetInvalid: a folder cannot be listed.
    """
    folders = sorted(_folders(folder), key=lambda child: natural_key(child.name))
    return {child.name: sorted(_visible(child), key=lambda path: natural_key(path.name)) for child in folders}


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Return a sort key that puts "2" before "10"; names that differ in case or leading zeros stay distinct."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _parts(folder: Path) -> list[Path]:
    """Return the folders of the official split, else the folder alone."""
    # Classes may be called "train" and "test" too; then they contain pictures instead of folders.
    names = {child.name for child in _folders(folder)}
    official = names == set(OFFICIAL) and all(_folders(folder / name) for name in OFFICIAL)
    return [folder / name for name in OFFICIAL] if official else [folder]


def _class_folders(folder: Path) -> list[Path]:
    """Return the class folders in natural order; none if `labels.csv` has the labels instead."""
    folders = sorted(_folders(folder), key=lambda child: natural_key(child.name))
    return [] if len(folders) < 2 and (folder / LABELS_FILE).is_file() else folders


def _listed(folder: Path, labels: tuple[str, ...] | None, notes: list[str]) -> Listed:
    """Return the pictures of one digit, where `labels` or `labels.csv` distinguish one from several."""
    folders = _class_folders(folder)
    if not folders and (folder / LABELS_FILE).is_file():
        listed = [(picture.path, picture.label) for picture in read_labelled(folder)]
        return _of_one_digit(listed, labels or [label for _, label in listed if len(label) == 1], notes)
    listed = []
    for child in folders:
        paths = sorted(_visible(child), key=lambda path: natural_key(path.name))
        if not paths:
            raise DatasetInvalid(f"{child} has no picture; add some or remove the class")
        listed += [(path, child.name) for path in paths]
    return _of_one_digit(listed, labels, notes) if labels else listed


def _of_one_digit(listed: Listed, labels: Sequence[str], notes: list[str]) -> Listed:
    """Leave out pictures of several digits and of none, and note their number; one digit is one of `labels`."""
    known, folded = set(labels), {label.casefold() for label in labels}

    def is_one(label: str) -> bool:
        if label.casefold() in folded:
            return True
        return bool(label) and label.casefold() not in NO_DIGIT_FOLDERS and not known.issuperset("".join(label.split()))

    kept = [(path, label) for path, label in listed if is_one(label)]
    if len(kept) < len(listed):
        notes.append(f"{len(listed) - len(kept)} pictures of several digits or of none were left out")
    return kept


def _classes(listed: Listed, folder: Path) -> tuple[str, ...]:
    names = tuple(sorted({label for _, label in listed}, key=natural_key))
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        kinds = f"class folders of pictures, or classes in {LABELS_FILE}"
        raise DatasetInvalid(f"{folder}: expected two or more {kinds}; found {found}")
    return names


def _digest(lists: list[Listed]) -> str:
    """Return "sha256:" and the hash of the labels and the picture files, in their order, part by part."""
    digest = hashlib.sha256()
    for number, part in enumerate(lists):
        for path, label in part:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{number} {content} {label}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{digest.hexdigest()}"


def _read_all(paths: list[Path], notes: list[str]) -> Images:
    """Decode the pictures to uint8 [N, H, W, 1] or [N, H, W, 3], resized if their sizes differ."""
    images: list[Images] = []
    sizes: Counter[tuple[int, int]] = Counter()
    channels = size = 0
    for path, image in zip(paths, decoded(paths, 3, MAX_PIXELS), strict=True):
        grey = bool((image == image[..., :1]).all())
        channels = max(channels, 1 if grey else 3)
        sizes[image.shape[:2]] += 1
        if len(sizes) > 1:
            images.clear()
            continue
        images.append(image[..., :1].copy() if grey else image)
        size += images[-1].nbytes
        if size > MAX_BYTES:
            raise DatasetInvalid(
                f"the pictures up to {path} have more than {MAX_BYTES // 1024**3} GiB of pixels; make them smaller"
            )
    if len(sizes) > 1:
        ((usual, count), *_) = sizes.most_common(1)
        height, width = usual if 2 * count > len(paths) else (RESIZED, RESIZED)
        notes.append(f"pictures of {len(sizes)} sizes were resized to {width}x{height}")
        return frame_pictures(paths, Target((height, width, channels), "plain"))[0]
    return np.stack([np.broadcast_to(image, (*image.shape[:2], channels)) for image in images])


def _folders(folder: Path) -> list[Path]:
    return [child for child in _visible(folder) if child.is_dir()]


def _visible(folder: Path) -> list[Path]:
    try:
        return [child for child in folder.iterdir() if not child.name.startswith(".")]
    except OSError as error:
        raise DatasetInvalid(f"cannot list {folder}: {error.strerror or error}") from error
