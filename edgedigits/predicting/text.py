"""Readings as text: one line for pipes, rows of a table for a terminal, JSON, CSV."""

import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from edgedigits.predicting.pictures import Outcome
    from edgedigits_runtime.reading.results import Digit, Reading

MIN_ALTERNATIVE = 0.01
"""Alternatives with less confidence are not printed."""

MAX_DOUBTS = 3
"""Digits of a number whose alternatives are printed."""

MAX_DIGITS = 24
"""Rows of a table of digits. Of more digits, the least confident ones are printed."""

CSV_COLUMNS = ("source", "text", "digits", "confidence", "ms", "note", "error")

SURE = 7
"""Width of a confidence and the space before it."""

NO_DIGIT = "no digit"


class Output(NamedTuple):
    """Text printed for a picture.

    Attributes:
        lines: for standard output.
        error: for standard error.
        failed: whether the picture could not be read. The error may also be one of the lines.
    """

    lines: tuple[str, ...] = ()
    error: str = ""
    failed: bool = False


def printable(name: str) -> str:
    """Return a file name that any terminal can print: bytes that are not text become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def single_line(text: str) -> str:
    """Return a text with its lines joined by " / ", or "no digit" if it is empty."""
    return " / ".join(text.splitlines()) or NO_DIGIT


def lowest_confidence(reading: "Reading") -> float:
    """Return the confidence of the least confident digit, 0..1. The reading must have digits."""
    return min(digit.confidence for digit in reading.digits)


def reading_line(reading: "Reading") -> str:
    """Return one line: name, text, lowest confidence, alternatives, note."""
    note = f"  note: {reading.note}" if reading.note else ""
    name, text = printable(reading.source), single_line(reading.text)
    if not reading.digits:
        return f"{name}: {text}{note}"
    return f"{name}: {text}  {lowest_confidence(reading):.1%}{alternatives(reading)}{note}"


def engine_line(reading: "Reading") -> str:
    """Return the model, the engine, the device and the providers, and those of the finder."""
    parts = [part for part in (reading, reading.finder) if part is not None]
    return "; ".join(f"{part.model} on {part.engine}, {part.device} ({', '.join(part.providers)})" for part in parts)


def stages_line(reading: "Reading") -> str:
    """Return the milliseconds of each stage."""
    stages = ", ".join(f"{stage} {milliseconds:.2f}" for stage, milliseconds in reading.ms.items())
    return f"{printable(reading.source)}: {stages} ms"


def alternatives(reading: "Reading") -> str:
    """Return the likely alternatives of the least confident digits in brackets, or an empty string."""
    if len(reading.digits) == 1:
        found = _alternatives(reading.digits[0])
    else:
        ordered = sorted(reading.digits, key=lambda digit: digit.confidence)[:MAX_DOUBTS]
        found = [f"{digit.label} or {others[0]}" for digit in ordered if (others := _alternatives(digit))]
    return f"  ({', '.join(found)})" if found else ""


def _alternatives(digit: "Digit") -> list[str]:
    return [f"{label} {share:.1%}" for label, share in digit.top[1:] if share >= MIN_ALTERNATIVE]


def digit_table(reading: "Reading") -> list[str]:
    """Return the lines of a table with one row for each digit of a picture."""
    digits, heading = list(reading.digits), "  digit   sure  box: x, y, width, height    or"
    if len(digits) <= MAX_DIGITS:
        return [heading, *map(_digit_row, digits)]
    ordered = sorted(digits, key=lambda digit: digit.confidence)
    rest = f"  and {len(digits) - MAX_DIGITS} more, each at least {ordered[MAX_DIGITS].confidence:.1%}"
    return [heading, *map(_digit_row, ordered[:MAX_DIGITS]), rest]


def _digit_row(digit: "Digit") -> str:
    box = ", ".join(map(str, digit.box))
    return f"  {digit.label:<5} {digit.confidence:>6.1%}  {box:<26}  {', '.join(_alternatives(digit))}".rstrip()


class PictureTable(NamedTuple):
    """A table that fits the terminal's width, with one row for each picture: name, lowest confidence, text."""

    name_width: int
    width: int

    @classmethod
    def for_names(cls, names: list[str], width: int) -> "PictureTable":
        """Return a table whose first column fits these names."""
        from rich.cells import cell_len

        longest = max((cell_len(printable(name)) for name in names), default=0)
        return cls(max(7, min(longest, width // 2)), width)

    def heading(self) -> str:
        return f"{'picture':<{self.name_width}} {'sure':>{SURE}}  reads"

    def rows(self, reading: "Reading") -> list[str]:
        """Return the picture's lines; a long text is wrapped inside its column."""
        room = max(8, self.width - self.name_width - SURE - 3)
        sure = f"{lowest_confidence(reading):.1%}" if reading.digits else ""
        lines = [part for line in reading.text.splitlines() for part in textwrap.wrap(line, room)] or [NO_DIGIT]
        for extra in (alternatives(reading), f"  note: {reading.note}" if reading.note else ""):
            if len(lines[-1]) + len(extra) <= room:
                lines[-1] += extra
            elif extra and not extra.startswith("  ("):
                lines += textwrap.wrap(extra.strip(), room)
        first = f"{self._name(printable(reading.source))} {sure:>{SURE}}  {lines[0]}"
        return [first, *(" " * (self.name_width + SURE + 3) + line for line in lines[1:])]

    def _name(self, name: str) -> str:
        """Pad a name, or cut it at its start: long names differ at their end."""
        from rich.cells import cell_len, set_cell_size

        if cell_len(name) <= self.name_width:
            return set_cell_size(name, self.name_width)
        kept = name
        while cell_len(kept) >= self.name_width:
            kept = kept[1:]
        return set_cell_size(f"…{kept}", self.name_width)


def format_json(outcome: "Outcome") -> Output:
    """Return one line with a JSON object."""
    import json

    if outcome.reading is None:
        return Output((json.dumps({"source": outcome.name, "error": outcome.error}),), failed=True)
    return Output((json.dumps(outcome.reading.to_dict()),))


def format_csv(outcome: "Outcome") -> Output:
    """Return one row of CSV."""
    import csv
    import io

    row = io.StringIO()
    # csv quotes line breaks in a value only if its own terminator is a line break.
    csv.writer(row, lineterminator="\n").writerow(csv_row(outcome))
    return Output((row.getvalue().removesuffix("\n"),), outcome.error, outcome.reading is None)


def csv_row(outcome: "Outcome") -> list[str]:
    """Return the values of CSV_COLUMNS: `confidence` is the lowest of all digits, `ms` the total time."""
    reading = outcome.reading
    if reading is None:
        return [printable(outcome.name), "", "", "", "", "", printable(outcome.error)]
    sure = f"{lowest_confidence(reading):.4f}" if reading.digits else ""
    milliseconds = f"{reading.ms['total']:.3f}"
    return [printable(reading.source), reading.text, str(len(reading.digits)), sure, milliseconds, reading.note, ""]
