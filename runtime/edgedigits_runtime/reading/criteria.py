"""What a picture is expected to hold, and the verdict on its candidates."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Expect = Literal["auto", "one", "number", "page"]
EXPECT: tuple[Expect, ...] = ("auto", "one", "number", "page")

DOUBTED = "confidence"


class Criteria(NamedTuple):
    """Criteria of a digit: the least confidence (0..1), see EXPECT, and the number of digits (None for any)."""

    threshold: float
    expect: Expect = "auto"
    length: int | None = None


@dataclass(frozen=True)
class Verdict:
    """Candidates in reading order, and the reason why each is rejected; empty for a digit.

    Attributes:
        order, why: see above.
        note: a note for the user.
        lines: of the candidates in `order`; empty if they are known already.
        sure: confidence of each candidate, by index, where it is not the classifier's own; else empty.
    """

    order: tuple[int, ...]
    why: tuple[str, ...]
    note: str = ""
    lines: tuple[int, ...] = ()
    sure: tuple[float, ...] = ()


def doubt(confidence: float, threshold: float) -> str:
    """Return the reason for rejecting a confidence; empty if it reaches the threshold."""
    return "" if confidence >= threshold else f"{DOUBTED} {confidence:.2f} < {threshold:.2f}"


def length_note(count: int, length: int | None) -> str:
    """Return the note that not `length` digits were found; empty if any number was expected."""
    return f"found {count} digit{'s' * (count != 1)}, not the {length} that were expected" if length else ""


def surplus_note(found: int, length: int) -> str:
    """Return the note that more digits were found than expected; empty if not."""
    surplus = f"found {found} digits, and left out the least likely: {length} were expected"
    return surplus if found > length else ""
