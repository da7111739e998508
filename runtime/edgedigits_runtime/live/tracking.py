"""Tracking: follow each digit from frame to frame by overlap, and vote on its label over time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgedigits_runtime.reading.results import Digit, number_of

PixelBox = tuple[int, int, int, int]
"""x, y, width and height."""

LEAST_OVERLAP = 0.15
"""Minimum intersection over union of one digit's boxes; a digit may move by two thirds of its width."""

CONFIRMED = 3
"""Readings that must contain a digit before it counts; noise is rarely read as a digit in one place as often."""

FORGOTTEN_READINGS, FORGOTTEN_SECONDS = 2, 0.35
"""A digit is gone after missing in both so many readings and so many seconds; shorter gaps are misreadings."""

FADING = 0.8
"""Weight of a vote one reading later; after ten readings a tenth is left."""


@dataclass
class Track:
    """One tracked digit.

    Attributes:
        box: its last box, in pixels of the frame.
        time: when it was last seen, in seconds.
        seen: number of readings that contain it.
        missed: number of readings since it was last seen.
        last: labels in its last two readings.
        votes: fading sum of confidences by label.
        weight: fading number of votes.
        confidence, readings: fading sum of confidences in the label, and number of readings, since it was first seen;
            a reading that missed the digit counts as 0.
    """

    box: PixelBox
    time: float
    seen: int = 0
    missed: int = 0
    last: tuple[str, ...] = ()
    votes: dict[str, float] = field(default_factory=dict)
    weight: float = 0.0
    confidence: float = 0.0
    readings: float = 0.0

    @property
    def certainty(self) -> float:
        """The mean confidence in the label over readings, 0..1."""
        return min(self.confidence / self.readings, 1.0)

    @property
    def label(self) -> str:
        """The label with the most votes."""
        return max(self.votes, key=self.votes.__getitem__)

    def vote(self, digit: Digit, time: float) -> None:
        """Add the votes of one more reading."""
        self.box, self.time, self.missed = digit.box, time, 0
        self.seen += 1
        self.last = (*self.last[-1:], digit.label)
        before = self.label if self.votes else digit.label
        self.votes = {label: FADING * share for label, share in self.votes.items()}
        self.weight = FADING * self.weight + 1
        self._count(digit)
        if self.label != before:
            # Another digit is there now, so earlier votes no longer apply.
            self.votes, self.weight = {}, 1.0
            self.confidence, self.readings = 0.0, 0.0
            self._count(digit)
        self._measure(dict(digit.top).get(self.label, 0.0))

    def miss(self) -> None:
        """Count a reading that does not contain the digit."""
        self.missed += 1
        self._measure(0.0)

    def _measure(self, confidence: float) -> None:
        self.confidence = FADING * self.confidence + confidence
        self.readings = FADING * self.readings + 1

    def _count(self, digit: Digit) -> None:
        for label, confidence in digit.top:
            self.votes[label] = self.votes.get(label, 0.0) + confidence

    def digit(self, top_k: int) -> Digit:
        """Return the elected digit at its last box, with the mean confidence of its readings."""
        shares = sorted(self.votes.items(), key=lambda vote: -vote[1])
        top = tuple((label, min(share / self.weight, 1.0)) for label, share in shares[:top_k])
        label, confidence = top[0]
        return Digit(number_of(label), label, confidence, self.box, top)


class Tracks:
    """All tracked digits."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []

    def update(self, digits: Sequence[Digit], time: float) -> list[Track]:
        """Match the digits of one reading, at the frame's time in seconds, to tracks; return the confirmed tracks."""
        pairs = [
            (overlap(track.box, digit.box), t, d)
            for t, track in enumerate(self._tracks)
            for d, digit in enumerate(digits)
        ]
        pairs.sort(key=lambda pair: -pair[0])
        matched: set[int] = set()
        voted: set[int] = set()
        for share, t, d in pairs:
            if share >= LEAST_OVERLAP and t not in voted and d not in matched:
                self._tracks[t].vote(digits[d], time)
                voted.add(t)
                matched.add(d)
        for t, track in enumerate(self._tracks):
            if t not in voted:
                track.miss()
        self._tracks = [
            track
            for track in self._tracks
            if track.missed < FORGOTTEN_READINGS or time - track.time < FORGOTTEN_SECONDS
        ]
        for d, digit in enumerate(digits):
            if d not in matched:
                self._tracks.append(Track(digit.box, time))
                self._tracks[-1].vote(digit, time)
        return [track for track in self._tracks if track.seen >= CONFIRMED]


def overlap(one: PixelBox, other: PixelBox) -> float:
    """Return the intersection over union of two boxes."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
