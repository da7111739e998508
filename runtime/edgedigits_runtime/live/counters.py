"""Counters of a live reading: frames captured and read, rates, and the age of answers."""

from collections import deque
from dataclasses import dataclass, field

RECENT = 2.0
"""Window in seconds over which rates are computed."""

AGES_KEPT = 10_000
"""Number of latest ages that the summary covers."""


@dataclass
class Counters:
    """Counters and rates of a live reading; times are seconds on its clock.

    Attributes:
        began: when it started.
        read: number of readings.
        captured: number of captured frames.
        age: milliseconds from the last frame's capture to its answer.
    """

    began: float
    read: int = 0
    captured: int = 0
    age: float = 0.0
    _recent: deque[tuple[float, int, int]] = field(default_factory=deque)
    _ages: deque[float] = field(default_factory=lambda: deque(maxlen=AGES_KEPT))

    def count(self, now: float, captured: int, age: float) -> None:
        """Count a reading answered at `now`, with the frames captured so far and its age in milliseconds."""
        self.read += 1
        self.captured, self.age = captured, age
        self._ages.append(age)
        self._recent.append((now, captured, self.read))
        while now - self._recent[0][0] > RECENT:
            self._recent.popleft()

    @property
    def dropped(self) -> int:
        """Number of captured frames that were not read."""
        return self.captured - self.read

    def rates(self) -> tuple[float, float]:
        """Return recent frames and readings per second; 0 before the second reading."""
        if len(self._recent) < 2 or self._recent[-1][0] <= self._recent[0][0]:
            return 0.0, 0.0
        (start, captured, read), (end, captured_now, read_now) = self._recent[0], self._recent[-1]
        return (captured_now - captured) / (end - start), (read_now - read) / (end - start)

    def ages(self) -> tuple[float, float]:
        """Return the median and the maximum age, in milliseconds."""
        ordered = sorted(self._ages)
        return (ordered[len(ordered) // 2], ordered[-1]) if ordered else (0.0, 0.0)
