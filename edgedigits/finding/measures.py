"""How well boxes are found: recall by size, precision, letters taken for digits."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes import IGNORED, LETTER, Scene
from edgedigits_runtime.reading.found import Floats, Found, decode

SIZES = (0, 14, 26, 54, 112)
"""Least longest side, in pixels, of each class of size."""
MATCH = 0.5
"""Least intersection over union of a box that was found."""
ON_IGNORED = 0.5
"""Share of a box on an ignored mark from which it counts neither as right nor as wrong."""

Bools = NDArray[np.bool_]


def intersections(boxes: Floats, others: Floats) -> Floats:
    """Return the area that each two boxes share, [len(boxes), len(others)]."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], (others[:, :2] + others[:, 2:])[None])
    shared: Floats = np.maximum(high - low, 0).prod(axis=-1)
    return shared


def matches(boxes: Floats, truths: Floats) -> tuple[Bools, Bools]:
    """Return which boxes found a truth, and which truths were found: the closest pairs first, each once."""
    taken, hit = np.zeros(len(boxes), bool), np.zeros(len(truths), bool)
    shared = intersections(boxes, truths)
    union = boxes[:, 2:].prod(axis=-1)[:, None] + truths[:, 2:].prod(axis=-1) - shared
    pairs = np.argwhere(shared >= MATCH * union)
    for box, truth in pairs[np.argsort(-(shared / np.maximum(union, 1e-6))[tuple(pairs.T)], kind="stable")]:
        if not taken[box] and not hit[truth]:
            taken[box] = hit[truth] = True
    return taken, hit


class Tally:
    """Counts over scenes.

    Attributes:
        digits, hits: digits and those found, by SIZES.
        right, wrong: boxes taken for digits on a digit, and elsewhere; those on ignored marks do not count.
        letters, letters_taken: letters, and those taken for digits.
        scenes, exact: scenes, and those in which all digits and nothing else was found.
    """

    def __init__(self) -> None:
        self.digits, self.hits = np.zeros(len(SIZES), int), np.zeros(len(SIZES), int)
        self.right = self.wrong = self.letters = self.letters_taken = self.scenes = self.exact = 0

    def add(self, scene: Scene, found: Found) -> None:
        """Count one scene; what is surer to be a digit than a letter counts as a digit."""
        boxes = found.boxes[found.scores > found.letter_scores]
        truths = scene.boxes[(scene.classes >= 0) & (scene.classes < LETTER)]
        letters, ignored = scene.boxes[scene.classes == LETTER], scene.boxes[scene.classes == IGNORED]
        taken, hit = matches(boxes, truths)
        sizes = np.searchsorted(SIZES, truths[:, 2:].max(axis=1, initial=0), side="right") - 1
        np.add.at(self.digits, sizes, 1)
        np.add.at(self.hits, sizes[hit], 1)
        rest = boxes[~taken]
        on_ignored = intersections(rest, ignored).max(axis=1, initial=0) >= ON_IGNORED * rest[:, 2:].prod(axis=1)
        rest = rest[~on_ignored]
        self.right += int(taken.sum())
        self.wrong += len(rest)
        self.letters += len(letters)
        self.letters_taken += int(matches(rest, letters)[1].sum())
        self.scenes += 1
        self.exact += bool(hit.all()) and not len(rest)

    def shares(self) -> dict[str, float]:
        """Return recall, in all and by size, precision and others, 0..1; NaN where there was nothing to count."""
        by_size = {f"recall_{low}": _share(*counts) for low, *counts in zip(SIZES, self.hits, self.digits, strict=True)}
        return {
            "recall": _share(self.hits.sum(), self.digits.sum()),
            **by_size,
            "precision": _share(self.right, self.right + self.wrong),
            "letters_taken": _share(self.letters_taken, self.letters),
            "exact": _share(self.exact, self.scenes),
        }


def evaluate(
    outputs_of: Callable[[NDArray[np.uint8]], Sequence[Floats]], scenes: Iterable[Scene], thresholds: Sequence[float]
) -> dict[float, Tally]:
    """Count what a network finds in scenes, by threshold.

    Args:
        outputs_of: returns heat and box of each stride for uint8 [H, W, 3].
        scenes: with sides that the network takes.
        thresholds: least scores.
    """
    tallies = {threshold: Tally() for threshold in thresholds}
    for scene in scenes:
        outputs = outputs_of(scene.pixels)
        for threshold, tally in tallies.items():
            tally.add(scene, decode(outputs, threshold))
    return tallies


def _share(part: int, whole: int) -> float:
    return float(part) / float(whole) if whole else float("nan")
