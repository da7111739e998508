"""A row of the table: what was read, how much of it was right, and what is to be reached."""

from collections.abc import Iterable
from dataclasses import dataclass

from edgedigits_runtime.intervals import wilson


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: what was read.
        value: the figure, in `unit`.
        target: to be reached.
        unit: "%" or another, such as "times decoding".
        least: whether more is better.
        right, of: counts, where the figure is a share.
        wrong: names of some that were not read right.
    """

    name: str
    value: float
    target: float
    unit: str = "%"
    least: bool = True
    right: int | None = None
    of: int | None = None
    wrong: tuple[str, ...] = ()

    @property
    def reached(self) -> bool:
        return self.value >= self.target if self.least else self.value <= self.target

    def cells(self) -> list[str]:
        """Return the row's cells of a Markdown table."""
        value = f"{self.value:.2f}".rstrip("0").rstrip(".") + f" {self.unit}"
        if self.right is not None and self.of:
            share = wilson(self.right, self.of)
            value += f" ({self.right} of {self.of}; {100 * share.low:.1f} to {100 * share.high:.1f})"
        target = f"{'at least' if self.least else 'at most'} {self.target:g}"
        return [self.name, value, target, "yes" if self.reached else "no"]


def share_row(name: str, target: float, answers: Iterable[tuple[str, bool]]) -> Row:
    """Return the row of a share, by the name of each picture and whether it was read right."""
    known = list(answers)
    wrong = [each for each, is_right in known if not is_right]
    right = len(known) - len(wrong)
    value = 100 * right / len(known) if known else float("nan")
    return Row(name, value, target, right=right, of=len(known), wrong=tuple(wrong[:40]))
