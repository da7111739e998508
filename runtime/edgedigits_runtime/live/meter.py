"""Meter: how many frames came, how many were read, how old they were when they were answered."""

from collections import deque
from dataclasses import dataclass, field

RECENT = 2.0
"""Seconds that rates are taken over."""

AGES_KEPT = 10_000
"""Ages, of the last so many readings, that the summary is made of."""


@dataclass
class Meter:
    """Counts and rates of a live reading; times are seconds on its clock.

    Attributes:
        began: when it started.
        read: readings so far.
        captured: frames that came so far.
        age: milliseconds from the last frame's coming to its answer.
    """

    began: float
    read: int = 0
    captured: int = 0
    age: float = 0.0
    _recent: deque[tuple[float, int, int]] = field(default_factory=deque)
    _ages: deque[float] = field(default_factory=lambda: deque(maxlen=AGES_KEPT))

    def count(self, now: float, captured: int, age: float) -> None:
        """Count one reading.

        Args:
            now: when it was answered.
            captured: frames that came so far.
            age: of its frame then, in milliseconds.
        """
        self.read += 1
        self.captured, self.age = captured, age
        self._ages.append(age)
        self._recent.append((now, captured, self.read))
        while now - self._recent[0][0] > RECENT:
            self._recent.popleft()

    @property
    def dropped(self) -> int:
        """Frames that came and that nobody read."""
        return self.captured - self.read

    def rates(self) -> tuple[float, float]:
        """Return frames and readings a second, lately; 0 before there are two readings."""
        if len(self._recent) < 2 or self._recent[-1][0] <= self._recent[0][0]:
            return 0.0, 0.0
        seconds = self._recent[-1][0] - self._recent[0][0]
        return tuple((self._recent[-1][k] - self._recent[0][k]) / seconds for k in (1, 2))  # type: ignore[return-value]

    def ages(self) -> tuple[float, float]:
        """Return the median age and the highest, in milliseconds."""
        ordered = sorted(self._ages)
        return (ordered[len(ordered) // 2], ordered[-1]) if ordered else (0.0, 0.0)
