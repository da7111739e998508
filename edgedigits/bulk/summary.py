"""What came of many pictures, in counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from edgedigits.predicting.pictures import Outcome


@dataclass
class Summary:
    """Counts of outcomes; those of parts are added up.

    Attributes:
        pictures: rows in all.
        blank: read, and no digit found.
        errors: by error class, how many pictures could not be read.
        examples: by error class, the line of one of them.
        broken: a line for each shard that could not be read to its end.
    """

    pictures: int = 0
    blank: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> None:
        """Count one more picture."""
        self.pictures += 1
        if outcome.reading is None:
            self.errors[outcome.kind] += 1
            self.examples.setdefault(outcome.kind, outcome.error)
        elif not outcome.reading.digits:
            self.blank += 1

    def add(self, other: "Summary") -> None:
        """Add the counts of another part."""
        self.pictures += other.pictures
        self.blank += other.blank
        self.errors += other.errors
        self.examples = other.examples | self.examples
        self.broken += other.broken

    @property
    def failed(self) -> int:
        """How many pictures could not be read."""
        return self.errors.total()

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "errors": dict(self.errors)}

    @classmethod
    def of_dict(cls, given: dict[str, Any]) -> "Summary":
        return cls(**{**given, "errors": Counter(given["errors"])})


def in_all(summaries: Iterable[Summary]) -> Summary:
    """Return the sum."""
    total = Summary()
    for summary in summaries:
        total.add(summary)
    return total
