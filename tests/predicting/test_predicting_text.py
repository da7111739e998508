"""Readings as lines, tables and CSV, and the names of drawings."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.predicting.drawings import DrawingFolders
from edgedigits.predicting.pictures import Outcome
from edgedigits.predicting.text import (
    CSV_COLUMNS,
    MAX_DIGITS,
    PictureTable,
    csv_row,
    digit_table,
    format_csv,
    printable,
    reading_line,
    single_line,
)
from edgedigits_runtime.reading.results import Digit, Reading
from edgedigits_runtime.whole_files import write_whole


def reading_of(
    text: str, *, source: str = "a.png", note: str = "", sure: float = 0.99, second: float = 0.004
) -> Reading:
    digits = tuple(
        Digit(int(label), label, sure, (0, 0, 5, 5), ((label, sure), ("7", second))) for label in text if label != "\n"
    )
    return Reading(source, text, digits, "base", "litert", "cpu", (), {"total": 1.25}, note)


def test_line_of_one_digit() -> None:
    assert reading_line(reading_of("3")) == "a.png: 3  99.0%"
    assert reading_line(reading_of("3", sure=0.9, second=0.09)) == "a.png: 3  90.0%  (7 9.0%)"
    assert reading_line(reading_of("")) == "a.png: no digit"


def test_line_of_a_number_and_of_a_page() -> None:
    assert reading_line(reading_of("612")) == "a.png: 612  99.0%"
    assert reading_line(reading_of("61\n25", sure=0.6, second=0.3)) == (
        "a.png: 61 / 25  60.0%  (6 or 7 30.0%, 1 or 7 30.0%, 2 or 7 30.0%)"
    )
    assert reading_line(reading_of("6", note="only 1 of 4 digits found")).endswith("note: only 1 of 4 digits found")


def test_text_on_a_single_line() -> None:
    assert (single_line("61\n25"), single_line("3"), single_line("")) == ("61 / 25", "3", "no digit")


def test_table_of_many_digits_lists_the_least_confident() -> None:
    assert len(digit_table(reading_of("12"))) == 3
    lines = digit_table(reading_of("1" * (MAX_DIGITS + 5)))
    assert len(lines) == MAX_DIGITS + 2 and "and 5 more" in lines[-1]


def test_a_page_of_several_lines_is_one_row() -> None:
    (line,) = format_csv(Outcome("a", reading_of("19\n42"))).lines
    (row,) = csv.reader(io.StringIO(f"{line}\n"))
    assert row[:3] == ["a.png", "19\n42", "4"] and len(row) == len(CSV_COLUMNS)


def test_csv_rows_have_a_value_for_each_column() -> None:
    for outcome in (Outcome("a", reading_of("1\n2")), Outcome("a", reading_of("")), Outcome("a", error="damaged")):
        assert len(csv_row(outcome)) == len(CSV_COLUMNS)
    assert csv_row(Outcome("a", reading_of("1\n2")))[:4] == ["a.png", "1\n2", "2", "0.9900"]
    assert csv_row(Outcome("a", reading_of("")))[2:4] == ["0", ""]
    assert csv_row(Outcome("a", error="damaged"))[-1] == "damaged"


def test_undecodable_names_can_be_printed() -> None:
    assert printable("a\udcff.png") == "a\\udcff.png"
    assert printable("ä 数.png") == "ä 数.png"
    row = csv_row(Outcome("a\udcff.png", error="a\udcff.png is damaged"))
    assert (row[0], row[-1]) == ("a\\udcff.png", "a\\udcff.png is damaged")


@given(
    st.text(st.characters(exclude_categories=["C", "M", "Z"]), min_size=1, max_size=90),
    st.lists(st.text("0123456789", min_size=1, max_size=60), max_size=4),
    st.integers(40, 200),
)
def test_table_fits_the_terminal_and_keeps_all_digits(name: str, lines: list[str], width: int) -> None:
    from rich.cells import cell_len

    reading = reading_of("\n".join(lines), source=name)
    table = PictureTable.for_names([name], width)
    rows = table.rows(reading)
    assert all(cell_len(row) <= width for row in [table.heading(), *rows])
    digits = "".join(row[table.name_width + 10 :] for row in rows[1:])
    assert digits in "".join(lines)
    assert rows[0].rsplit("%", 1)[-1].strip().startswith(lines[0][:5] if lines else "")


@given(st.lists(st.sampled_from(["a.png", "b/a.png", "A.PNG", "a-2.png", "a.jpg", "-", "c/-", "d.e.png"]), max_size=12))
def test_each_picture_has_its_own_drawing(names: list[str]) -> None:
    folders = DrawingFolders(None, None, Path())
    files = [drawings.explained for name in names if (drawings := folders.drawings_of(name))]
    assert len(files) == len(names)
    assert len({str(file).casefold() for file in files}) == len(names)
    assert DrawingFolders(None, None, None).drawings_of("a.png") is None


@pytest.mark.parametrize("letter", ["a", "ä", "数", "😀", "\udcff"])
def test_drawings_of_long_names_can_be_written(tmp_path: Path, letter: str) -> None:
    longest = 250 // len(os.fsencode(letter))
    folders = DrawingFolders(None, None, tmp_path)
    files = {folders.drawings_of(f"{letter * count}.png").explained for count in range(1, longest)}  # type: ignore[union-attr]
    assert len(files) == longest - 1
    for file in files:
        write_whole(file, "")
