"""A person's own pictures: digits found in photos of any size, one sub-folder for each digit.

A photo may show several digits of its class. The digit reader decides which marks are digits, but not which digits they
are, since a hand that the model misreads is what it shall learn.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Samples
from edgedigits.data.folder import natural_key, picture_lists
from edgedigits.data.label_matching import match_labels
from edgedigits_runtime.drawing.canvas import DOUBTFUL, FAINT, as_image, draw_on, fitted
from edgedigits_runtime.drawing.contact_sheet import Cell, SheetStyle, contact_sheet
from edgedigits_runtime.errors import DatasetInvalid, PictureError
from edgedigits_runtime.preprocessing import Images

if TYPE_CHECKING:
    from PIL.Image import Image

    from edgedigits_runtime.reading.box import Box
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.results import Trace

LEAST = 5
"""Digits of each class."""

HELD_OUT = 0.25
"""Share of each class that is not trained on; at least one digit."""

SMALLEST = 0.4
"""Height of a digit, as a share of the median height in its photo; smaller marks are left out."""

LEAST_SCORE = 0.3
"""The finder's, of a digit."""

MOST_CELLS = 400
CELLS = SheetStyle(cell_width=160, cell_height=160, sheet_width=2080)
TAKEN_COLOUR = "#1a7f37"


@dataclass(frozen=True, eq=False)
class Photo:
    """What was found in a picture.

    Attributes:
        path: of the picture.
        label: number of its class among the model's labels.
        name: of its class.
        images: uint8 [N, H, W, C]: the digits that were taken, framed for the model.
        problem: why nothing was taken, or what was left out; empty if all was taken.
        thumbnail: the picture with the digits in green and what was left out in orange; None if it cannot be opened.
    """

    path: Path
    label: int
    name: str
    images: Images
    problem: str
    thumbnail: "Image | None"


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """The photos of a folder, and their digits in two parts."""

    photos: tuple[Photo, ...]
    train: Samples
    held_out: Samples

    @property
    def summary(self) -> str:
        """One line: what was taken and left out."""
        without = sum(not len(photo.images) for photo in self.photos)
        partly = sum(bool(photo.problem) for photo in self.photos) - without
        return (
            f"{len(self.train) + len(self.held_out)} digits in {len(self.photos)} pictures: {len(self.train)} to learn"
            f" from, {len(self.held_out)} held out; {without} pictures left out, {partly} in part"
        )


def find_own_pictures(
    folder: Path, labels: Sequence[str], reader: "Reader", seed: int, advance: Callable[[int], None] = lambda _: None
) -> OwnPictures:
    """Find the digits of a folder's pictures, and hold out some of each class.

    Args:
        folder: one sub-folder for each digit.
        labels: of the model.
        reader: of the model, without a least confidence.
        seed: of the part that is held out.
        advance: called after each picture with 1.

    Raises:
        DatasetInvalid: no class folders, a class that the model lacks, or one with fewer than LEAST digits.
    """
    listed = picture_lists(folder)
    if not listed:
        raise DatasetInvalid(f"{folder}: expected one sub-folder of pictures for each digit, such as 0, 1 and 2")
    names = sorted(listed, key=natural_key)
    numbers = dict(zip(names, match_labels(names, labels, str(folder), "the model").tolist(), strict=True))
    _check_counts({name: len(paths) for name, paths in listed.items() if not paths}, folder)
    seen: dict[str, Path] = {}
    photos = []
    for name in names:
        for path in listed[name]:
            photos.append(_photo(path, numbers[name], name, reader, seen))
            advance(1)
    counts = dict.fromkeys(names, 0)
    for photo in photos:
        counts[photo.name] += len(photo.images)
    _check_counts({name: count for name, count in counts.items() if count < LEAST}, folder)
    return OwnPictures(tuple(photos), *_divided(photos, reader.classifier.contract.image_shape, seed))


def own_pictures_sheet(own: OwnPictures, title: str) -> "Image":
    """Return the sheet, RGB, of at most MOST_CELLS pictures: by class, those with something left out first."""
    order = sorted(own.photos, key=lambda photo: (photo.label, not photo.problem))
    if len(order) > MOST_CELLS:
        order = sorted(order, key=lambda photo: not photo.problem)
    cells = []
    for photo in order[:MOST_CELLS]:
        lines = [(f"{len(photo.images)} taken, {photo.path.name}", FAINT)]
        lines += [(photo.problem, DOUBTFUL)] if photo.problem else []
        cells.append(Cell(photo.thumbnail or as_image(np.zeros((8, 8, 1), np.uint8)), photo.name, tuple(lines)))
    more = len(order) - len(cells)
    return contact_sheet(cells, title, [own.summary, *([f"and {more} more pictures"] if more else [])], CELLS)


def _check_counts(few: dict[str, int], folder: Path) -> None:
    if few:
        counts = ", ".join(f"{name!r} has {count}" for name, count in few.items())
        raise DatasetInvalid(
            f"{folder}: expected at least {LEAST} digits of each class that has a folder, but {counts}; add pictures,"
            " or remove the folder"
        )


def _photo(path: Path, label: int, name: str, reader: "Reader", seen: dict[str, Path]) -> Photo:
    none = np.zeros((0, *reader.classifier.contract.image_shape), np.uint8)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        trace = reader.trace(path)
    except (OSError, PictureError) as error:
        return Photo(path, label, name, none, f"cannot be read: {error}", None)
    first = seen.setdefault(digest, path)
    if first != path:
        # It would be in both parts.
        thumbnail = _outlined(trace.picture, [], [])
        return Photo(path, label, name, none, f"the same as {first.parent.name}/{first.name}", thumbnail)
    taken, problem = _taken(trace)
    places = list(zip(trace.candidates, taken, strict=True))
    boxes = [[box for box, chosen in places if chosen == wanted] for wanted in (True, False)]
    return Photo(path, label, name, trace.framed[taken], problem, _outlined(trace.picture, *boxes))


def _taken(trace: "Trace") -> tuple[NDArray[np.bool_], str]:
    """Return which candidates are taken as digits, bool [N], and the reason against the first of the others."""
    why, kept = list(trace.why), trace.kept.copy()
    if trace.scores is not None:
        kept &= trace.scores[:, 0] >= np.maximum(trace.scores[:, 1], LEAST_SCORE)
    heights = np.array([box.height for box in trace.candidates], float)
    taken = kept & (heights >= SMALLEST * np.median(heights[kept])) if kept.any() else kept
    others = [reason or ("too small" if small else "hardly a digit") for reason, small in zip(why, kept, strict=True)]
    first = next((reason for reason, chosen in zip(others, taken, strict=True) if not chosen), "")
    if not taken.any():
        return taken, f"no digit found{first and ': '}{first}"
    return taken, f"{(~taken).sum()} left out: {first}" if first else ""


def _outlined(picture: NDArray[np.uint8], taken: "Iterable[Box]", left_out: "Iterable[Box]") -> "Image":
    image = fitted(as_image(picture), CELLS.cell_width, CELLS.cell_height)
    draw = draw_on(image)
    scale = image.width / picture.shape[1]
    for boxes, colour in ((taken, TAKEN_COLOUR), (left_out, DOUBTFUL)):
        for box in boxes:
            sides = [round(scale * side) for side in (box.x, box.y, box.right, box.bottom)]
            draw.rectangle(sides, outline=colour)
    return image


def _divided(photos: Sequence[Photo], shape: tuple[int, int, int], seed: int) -> tuple[Samples, Samples]:
    """Return digits to learn from and those held out, of other photos where a class has LEAST photos or more."""
    rng = np.random.default_rng(seed)
    parts: tuple[list[Images], list[Images]] = ([], [])
    labels: tuple[list[int], list[int]] = ([], [])
    for label in sorted({photo.label for photo in photos}):
        groups = [photo.images for photo in photos if photo.label == label and len(photo.images)]
        if len(groups) < LEAST:
            groups = [image[np.newaxis] for group in groups for image in group]
        wanted, held = max(1, round(HELD_OUT * sum(map(len, groups)))), 0
        for number in rng.permutation(len(groups)).tolist():
            part = int(held < wanted)
            held += len(groups[number]) * part
            parts[part].append(groups[number])
            labels[part].extend([label] * len(groups[number]))
    empty = np.zeros((0, *shape), np.uint8)
    learned, kept = (
        Samples(np.concatenate([empty, *images]), np.array(numbers, np.int64))
        for images, numbers in zip(parts, labels, strict=True)
    )
    return learned, kept
