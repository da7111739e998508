"""Settled answers: an answer changes only after a new one has held for a while, and is new once."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgedigits_runtime.live.tracking import FORGOTTEN_READINGS, Track, Tracks
from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.order import lines_of
from edgedigits_runtime.reading.results import Digit, number_of

SETTLED_READINGS, SETTLED_SECONDS = 4, 0.5
"""Readings and seconds that an answer must hold. Both exceed the time that a vanished digit is kept (tracking.py), so
that digits of two successive numbers never settle together."""

SURE = 0.7
"""Mean confidence over readings from which a digit settles: what passes in front of a camera is often like a digit for
a moment, and a digit that is held there is sure."""


@dataclass(frozen=True)
class Answer:
    """The settled answer.

    Attributes:
        text: labels in reading order, a line break between lines.
        digits: in the same order.
        visible: whether each digit was seen in the last readings; vanished digits stay until a new answer settles.
        new: whether the text settled just now and differs from the last one; always False for an empty text.
    """

    text: str
    digits: tuple[Digit, ...]
    visible: tuple[bool, ...]
    new: bool


class Settling:
    """The settled answer over the frames of a stream."""

    def __init__(self, top_k: int = 3, least: float = SURE) -> None:
        """Start without a track; `least` is the mean confidence over readings below which a digit does not settle."""
        self._tracks, self._top_k, self._least = Tracks(), top_k, least
        self._settled: list[tuple[Track, str]] = []
        self._text = ""
        self._candidate, self._since, self._held = "", 0.0, 0

    def update(self, digits: Sequence[Digit], time: float) -> Answer:
        """Add the digits of one reading, at the frame's time in seconds, and return the settled answer."""
        # What has settled stays until it is gone or another; else a digit that is just sure enough would flicker.
        settled = {id(track) for track, label in self._settled if track.label == label}
        tracks = [
            track
            for track in self._tracks.update(digits, time)
            if track.certainty >= self._least or id(track) in settled
        ]
        lines = [[tracks[k] for k in line] for line in lines_of([Box(*track.box) for track in tracks])]
        text = "\n".join("".join(track.label for track in line) for line in lines)
        if text != self._candidate:
            self._candidate, self._since, self._held = text, time, 0
        self._held += 1
        new = False
        if self._held >= SETTLED_READINGS and time - self._since >= SETTLED_SECONDS:
            new = bool(text) and text != self._text
            # Also for an unchanged text, because its digits may have new tracks.
            self._text, self._settled = text, [(track, track.label) for line in lines for track in line]
        return Answer(
            self._text,
            tuple(_labelled(track.digit(self._top_k), label) for track, label in self._settled),
            tuple(track.missed < FORGOTTEN_READINGS and label in track.last for track, label in self._settled),
            new,
        )


def _labelled(digit: Digit, label: str) -> Digit:
    """Return the digit with its settled label first, even if a later label has more votes."""
    if digit.label == label:
        return digit
    confidence = dict(digit.top).get(label, 0.0)
    rest = tuple(pair for pair in digit.top if pair[0] != label)
    top = ((label, confidence), *rest[: max(len(digit.top) - 1, 0)])
    return Digit(number_of(label), label, confidence, digit.box, top)
