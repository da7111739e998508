"""Readings as text: a line each for pipes, rows of a table for a terminal, a row of CSV for a spreadsheet."""

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgedigits.predicting.pictures import Outcome
    from edgedigits_runtime.reading.results import Digit, Reading

WORTH_SHOWING = 0.01
"""Second choices below this confidence are left out of the text."""

MOST_DOUBTS = 3
"""Digits of a number whose second choices are told in its line."""

MOST_DIGITS = 24
"""Rows of a table of digits; of more, the least sure ones are shown."""

CSV_COLUMNS = ("source", "text", "digits", "confidence", "ms", "note", "error")

SURE = 7
"""Width of a confidence with its blank."""

NO_DIGIT = "no digit"


def shown(name: str) -> str:
    """Return a file's name as any terminal can print it: bytes that are no text are written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def in_words(text: str) -> str:
    """Return a text on one line, its own lines parted by " / "; an empty one is no digit."""
    return " / ".join(text.splitlines()) or NO_DIGIT


def least_sure(reading: "Reading") -> float:
    """Return the confidence, 0..1, of the digit that is least sure; there is at least one."""
    return min(digit.confidence for digit in reading.digits)


def reading_line(reading: "Reading") -> str:
    """Return one line: the name, what was read (lines parted by " / "), the least confidence, second choices."""
    note = f"  note: {reading.note}" if reading.note else ""
    if not reading.digits:
        return f"{shown(reading.source)}: {NO_DIGIT}{note}"
    return f"{shown(reading.source)}: {in_words(reading.text)}  {least_sure(reading):.1%}{doubts(reading)}{note}"


def engine_line(reading: "Reading") -> str:
    """Return what read it: the model, the engine, the device and what is in effect there."""
    return f"{reading.model} on {reading.engine}, {reading.device} ({', '.join(reading.providers)})"


def stages_line(reading: "Reading") -> str:
    """Return how many milliseconds each stage took."""
    stages = ", ".join(f"{stage} {milliseconds:.2f}" for stage, milliseconds in reading.ms.items())
    return f"{shown(reading.source)}: {stages} ms"


def doubts(reading: "Reading") -> str:
    """Return the second choices worth showing, in brackets, or nothing."""
    if len(reading.digits) == 1:
        told = _others(reading.digits[0])
    else:
        ordered = sorted(reading.digits, key=lambda digit: digit.confidence)[:MOST_DOUBTS]
        told = [f"{digit.label} or {', '.join(others)}" for digit in ordered if (others := _others(digit)[:1])]
    return f"  ({', '.join(told)})" if told else ""


def _others(digit: "Digit") -> list[str]:
    return [f"{label} {share:.1%}" for label, share in digit.top[1:] if share >= WORTH_SHOWING]


def digit_table(reading: "Reading") -> list[str]:
    """Return the lines of a table with a row for each digit of one picture."""
    digits, heading = list(reading.digits), "  digit   sure  box: x, y, width, height    or"
    if len(digits) <= MOST_DIGITS:
        return [heading, *map(_digit_row, digits)]
    least = sorted(digits, key=lambda digit: digit.confidence)
    rest = f"  and {len(digits) - MOST_DIGITS} more, each at least {least[MOST_DIGITS].confidence:.1%}"
    return [heading, *map(_digit_row, least[:MOST_DIGITS]), rest]


def _digit_row(digit: "Digit") -> str:
    box = ", ".join(map(str, digit.box))
    return f"  {digit.label:<5} {digit.confidence:>6.1%}  {box:<26}  {', '.join(_others(digit))}".rstrip()


@dataclass(frozen=True)
class PictureTable:
    """A table with a row for each picture that fits a terminal: the name, the least confidence, what was read.

    Attributes:
        name_width: of the first column, in characters.
        width: of the terminal.
    """

    name_width: int
    width: int

    @classmethod
    def for_names(cls, names: list[str], width: int) -> "PictureTable":
        """Return a table for a terminal `width` wide, its first column as wide as the first names need."""
        from rich.cells import cell_len

        longest = max((cell_len(shown(name)) for name in names), default=0)
        return cls(max(7, min(longest, width // 2)), width)

    def heading(self) -> str:
        return f"{'picture':<{self.name_width}} {'sure':>{SURE}}  reads"

    def rows(self, reading: "Reading") -> list[str]:
        """Return the picture's lines; long texts go on below themselves."""
        room = max(8, self.width - self.name_width - SURE - 3)
        sure = f"{least_sure(reading):.1%}" if reading.digits else ""
        lines = [part for line in reading.text.splitlines() for part in textwrap.wrap(line, room)] or [NO_DIGIT]
        for extra in (doubts(reading), f"  note: {reading.note}" if reading.note else ""):
            if len(lines[-1]) + len(extra) <= room:
                lines[-1] += extra
            elif extra and not extra.startswith("  ("):
                lines += textwrap.wrap(extra.strip(), room)
        first = f"{self._name(shown(reading.source))} {sure:>{SURE}}  {lines[0]}"
        return [first, *(" " * (self.name_width + SURE + 3) + line for line in lines[1:])]

    def _name(self, name: str) -> str:
        """Return a name as wide as its column: long ones differ at their end."""
        from rich.cells import cell_len, set_cell_size

        if cell_len(name) <= self.name_width:
            return set_cell_size(name, self.name_width)
        kept = name
        while cell_len(kept) >= self.name_width:
            kept = kept[1:]
        return set_cell_size(f"…{kept}", self.name_width)


@dataclass(frozen=True)
class Printed:
    """What is printed of a picture: lines on standard output, an error on standard error.

    Attributes:
        failed: whether the picture could not be read; its error may be among the lines.
    """

    lines: tuple[str, ...] = ()
    error: str = ""
    failed: bool = False


def printed_json(outcome: "Outcome") -> Printed:
    """Return one JSON object, in a line."""
    import json

    if outcome.reading is None:
        return Printed((json.dumps({"source": outcome.name, "error": outcome.error}),), failed=True)
    return Printed((json.dumps(outcome.reading.to_dict()),))


def printed_csv(outcome: "Outcome") -> Printed:
    """Return one row of CSV."""
    import csv
    import io

    row = io.StringIO()
    # Only what ends its lines by a line break puts a page's own line breaks into quotes.
    csv.writer(row, lineterminator="\n").writerow(csv_row(outcome))
    return Printed((row.getvalue().removesuffix("\n"),), outcome.error, outcome.reading is None)


def csv_row(outcome: "Outcome") -> list[str]:
    """Return the values of CSV_COLUMNS; confidence is that of the least sure digit, ms the whole reading's."""
    reading = outcome.reading
    if reading is None:
        return [shown(outcome.name), "", "", "", "", "", shown(outcome.error)]
    sure = f"{least_sure(reading):.4f}" if reading.digits else ""
    milliseconds = f"{reading.ms['total']:.3f}"
    return [shown(reading.source), reading.text, str(len(reading.digits)), sure, milliseconds, reading.note, ""]
