"""Tracking: each digit followed from frame to frame by overlap, and what it is voted on over time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgedigits_runtime.reading.results import Digit, number_of

PixelBox = tuple[int, int, int, int]
"""x, y, width and height."""

LEAST_OVERLAP = 0.15
"""Intersection over union from which on two boxes are of one digit: one that moved by two thirds of its width."""

CONFIRMED = 3
"""Readings in which a digit was seen before it counts: noise is rarely read as a digit at one place as often."""

FORGOTTEN_READINGS, FORGOTTEN_SECONDS = 2, 0.35
"""A digit that was not seen for so many readings and so long is gone; a shorter gap is a slip of the reader."""

FADING = 0.8
"""What a vote is worth one reading later: after ten readings a tenth."""


@dataclass
class Track:
    """One digit on its way.

    Attributes:
        box: where it was seen last, in pixels of the frame.
        time: when that was, in seconds.
        seen: in how many readings.
        missed: how many readings ago that was.
        last: what the last two readings said it is.
        votes: the fading sum of confidences by label.
        weight: the fading number of votes.
    """

    box: PixelBox
    time: float
    seen: int = 0
    missed: int = 0
    last: tuple[str, ...] = ()
    votes: dict[str, float] = field(default_factory=dict)
    weight: float = 0.0

    @property
    def confirmed(self) -> bool:
        return self.seen >= CONFIRMED

    @property
    def label(self) -> str:
        """What most of its readings say it is."""
        return max(self.votes, key=self.votes.__getitem__)

    def vote(self, digit: Digit, time: float) -> None:
        """Count what was read in one more frame."""
        self.box, self.time, self.missed = digit.box, time, 0
        self.seen += 1
        self.last = (*self.last[-1:], digit.label)
        before = self.label if self.votes else digit.label
        self.votes = {label: FADING * share for label, share in self.votes.items()}
        self.weight = FADING * self.weight + 1
        self._count(digit)
        if self.label != before:
            # Something else stands there now: what was read before says nothing about it.
            self.votes, self.weight = {}, 1.0
            self._count(digit)

    def _count(self, digit: Digit) -> None:
        for label, confidence in digit.top:
            self.votes[label] = self.votes.get(label, 0.0) + confidence

    def digit(self, top_k: int) -> Digit:
        """Return what was voted, at its last place, with the mean confidence of its readings."""
        shares = sorted(self.votes.items(), key=lambda vote: -vote[1])
        top = tuple((label, min(share / self.weight, 1.0)) for label, share in shares[:top_k])
        label, confidence = top[0]
        return Digit(number_of(label), label, confidence, self.box, top)


class Tracks:
    """All digits that are followed."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []

    def update(self, digits: Sequence[Digit], time: float) -> list[Track]:
        """Match what was read in a frame to what is followed, and return what counts as there: the confirmed tracks.

        Args:
            digits: of one reading.
            time: of its frame, in seconds.
        """
        pairs = sorted(
            (
                (overlap(track.box, digit.box), t, d)
                for t, track in enumerate(self._tracks)
                for d, digit in enumerate(digits)
            ),
            key=lambda pair: -pair[0],
        )
        for track in self._tracks:
            track.missed += 1
        matched: set[int] = set()
        for share, t, d in pairs:
            if share >= LEAST_OVERLAP and self._tracks[t].missed and d not in matched:
                self._tracks[t].vote(digits[d], time)
                matched.add(d)
        self._tracks = [track for track in self._tracks if not _is_gone(track, time)]
        for d, digit in enumerate(digits):
            if d not in matched:
                self._tracks.append(Track(digit.box, time))
                self._tracks[-1].vote(digit, time)
        return [track for track in self._tracks if track.confirmed]


def _is_gone(track: Track, time: float) -> bool:
    return track.missed >= FORGOTTEN_READINGS and time - track.time >= FORGOTTEN_SECONDS


def overlap(one: PixelBox, other: PixelBox) -> float:
    """Return the intersection of two boxes over their union."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
