"""Settling: the answer that is given changes only when a new one has held for a while, and is new once."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgedigits_runtime.live.tracking import FORGOTTEN_READINGS, Track, Tracks
from edgedigits_runtime.reading.marks import Box
from edgedigits_runtime.reading.order import lines_of
from edgedigits_runtime.reading.results import Digit, number_of

SETTLED_READINGS, SETTLED_SECONDS = 4, 0.5
"""An answer has settled when it was the same for so many readings and so long. Both are longer than a digit that is
gone is kept (tracking.py): what is left of one number never settles together with the next."""


@dataclass(frozen=True)
class Answer:
    """What stands before the camera.

    Attributes:
        text: labels in reading order, lines parted by a line break.
        digits: in the same order.
        there: of each digit, whether it was seen just now; what went is kept until its being gone has settled.
        new: whether this is the first time since another answer, nothing included; never of an empty one.
    """

    text: str
    digits: tuple[Digit, ...]
    visible: tuple[bool, ...]
    new: bool


class Settling:
    """The settled answer over the frames of a stream."""

    def __init__(self, top_k: int = 3) -> None:
        self._tracks, self._top_k = Tracks(), top_k
        self._shown: list[Track] = []
        self._labels: list[str] = []
        self._text = ""
        self._candidate, self._since, self._held = "", 0.0, 0

    def update(self, digits: Sequence[Digit], time: float) -> Answer:
        """Take what was read in a frame and return the answer that holds.

        Args:
            digits: of one reading, boxes in pixels of the frame.
            time: of its frame, in seconds.
        """
        lines = _in_lines(self._tracks.update(digits, time))
        text = "\n".join("".join(track.label for track in line) for line in lines)
        if text != self._candidate:
            self._candidate, self._since, self._held = text, time, 0
        self._held += 1
        new = False
        if self._held >= SETTLED_READINGS and time - self._since >= SETTLED_SECONDS:
            new = bool(text) and text != self._text
            # Also where the text is the same: its digits may be followed as others by now.
            self._text, self._shown = text, [track for line in lines for track in line]
            self._labels = [track.label for track in self._shown]
        # What has been voted since, but has not settled, is not told.
        shown = list(zip(self._shown, self._labels, strict=True))
        return Answer(
            self._text,
            tuple(_labelled(track.digit(self._top_k), label) for track, label in shown),
            tuple(track.missed < FORGOTTEN_READINGS and label in track.last for track, label in shown),
            new,
        )


def _labelled(digit: Digit, label: str) -> Digit:
    """Return the digit with its settled label in first place."""
    if digit.label == label:
        return digit
    confidence = dict(digit.top).get(label, 0.0)
    rest = tuple(pair for pair in digit.top if pair[0] != label)
    return Digit(
        number_of(label), label, confidence, digit.box, ((label, confidence), *rest[: max(len(digit.top) - 1, 0)])
    )


def _in_lines(tracks: list[Track]) -> list[list[Track]]:
    return [[tracks[k] for k in line] for line in lines_of([Box(*track.box) for track in tracks])]
