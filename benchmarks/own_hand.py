"""Measure what `edgedigits train --from` teaches a model of one person's hand.

    python -m benchmarks.own_hand [NAME ...]

NAME is one of:
    hands       writers 50 to 59 of `hands` (edgedigits/data/hands.py) as one person's folder of photos
    drawn-50    50 drawn pictures of one person who leans digits by 45 degrees, and writes 7 and 9 in unusual ways
    drawn-300   300 digits of the same person in 100 pictures

Without a NAME all are run. A drawn person's fresh pictures, which were in no folder, are read by the whole reader with
the model before and after. The figures go to results/own_hand.json and into a table of benchmarks/results/training.md.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from benchmarks.publishing import (
    RESULTS,
    place_of,
    read_results,
    table,
    with_machine,
    write_results,
    write_section,
)
from edgedigits.data.hands import load_pictures
from edgedigits.loading import load
from edgedigits.training.fine_tune import FineTuneOptions, fine_tune
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.synthetic.digit_styles import Glyph
from edgedigits_runtime.synthetic.handwriting import Handwriting, ink_traces, place_traces

RESULTS_FILE = RESULTS / "own_hand.json"
SOURCE = "base"
NAMES = ("hands", "drawn-50", "drawn-300")
WRITERS = range(50, 60)
FRESH = 50
"""Pictures of each digit that are read with the whole reader."""
SIDE, MARGIN = 96, 16

ODD_SLANT = 1.0
ODD_GLYPHS: tuple[Glyph, ...] = (
    ("50,12 33,3 14,14 4,50 14,90 33,98 52,86 58,50 50,14 30,16",),
    ("2,88 20,40 38,1 | 38,50 37,99",),
    ("6,22 16,5 36,2 49,16 44,38 28,62 10,88 3,96 2,84 12,80 26,88 42,98 62,92",),
    ("6,3 52,3 | 22,40 | 42,44 54,62 48,86 26,98 3,88",),
    ("8,4 10,34 30,46 50,30 56,3 | 50,50 40,100",),
    ("13,12 9,45 | 28,39 48,50 52,72 38,94 16,98 2,88", "32,2 67,0"),
    ("44,2 22,14 5,44 4,76 22,98 46,92 56,72 44,50 22,50 6,66",),
    ("2,18 4,6 | 28,5 56,3 | 38,48 22,100", "8,56 58,42"),
    ("45,10 26,2 10,14 18,34 36,48 48,70 40,94 20,98 6,82 14,62 34,44 47,22 54,5",),
    ("46,15 28,1 8,12 6,34 24,46 44,34 48,9 | 48,60 40,92 20,99 6,86 20,78 60,66",),
)
"""How one made-up person writes each digit; see edgedigits_runtime.synthetic.digit_styles."""


def odd_picture(digit: int, rng: np.random.Generator, count: int = 1) -> NDArray[np.uint8]:
    """Draw a digit of that person `count` times in a row, uint8 [H, W], dark ink on white paper."""
    hand = Handwriting(0.01, ODD_SLANT, 1.0, 0.0)
    tiles = []
    for _ in range(count):
        thickness = rng.uniform(0.06, 0.10) * SIDE
        traces = place_traces(hand.trace(ODD_GLYPHS[digit], rng), SIDE, thickness, rng)
        tiles.append(255 - np.pad(ink_traces(traces, SIDE, thickness, rng), MARGIN))
    return np.hstack(tiles)


def write_pictures(name: str, folder: Path) -> None:
    """Write one person's folder, with one sub-folder for each digit."""
    for digit, number, pixels in _pictures(name):
        (folder / str(digit)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / str(digit) / f"{number}.png")


def _pictures(name: str) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    if name == "hands":
        for file, pixels in load_pictures().items():
            kind, character, writer = file.removesuffix(".png").split("-")
            if kind == "digit" and int(writer) in WRITERS:
                yield int(character), int(writer), pixels.squeeze()
        return
    pictures, each = (5, 1) if name == "drawn-50" else (10, 3)
    for digit in range(10):
        rng = np.random.default_rng([digit, 0])
        for number in range(pictures):
            yield digit, number, odd_picture(digit, rng, each)


def read_fresh(model: str | Path) -> Share:
    """Return the share of the drawn person's fresh pictures that a model reads right with the whole reader."""
    right = 0
    with load(model) as reader:
        for digit in range(10):
            rng = np.random.default_rng([digit, 1])
            readings = reader.read_many([odd_picture(digit, rng) for _ in range(FRESH)])
            right += sum(not isinstance(one, EdgedigitsError) and one.text == str(digit) for one in readings)
    return wilson(right, 10 * FRESH)


def measure(name: str) -> dict[str, Any]:
    """Fine-tune SOURCE to one person, and return the rows of the table, seconds, and what was found."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary) / name, Path(temporary) / "run"
        write_pictures(name, folder)
        start, cpu = time.perf_counter(), time.process_time()
        done = fine_tune(FineTuneOptions(SOURCE, str(folder), out=out), Console())
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        rows = [{"what": row.what, "count": row.count, "before": row.before, "after": row.after} for row in done.rows]
        if name != "hands":
            fresh = {"before": read_fresh(SOURCE), "after": read_fresh(out)}
            rows.append({"what": "fresh pictures, whole reader", "count": 10 * FRESH, **fresh})
        return {"rows": rows, "seconds": seconds, "cpu_seconds": cpu, "found": done.found}


def render(found: Mapping[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    rows = []
    for name, person in found["people"].items():
        for row in person["rows"]:
            shares = [
                f"{row[k]['value']:.1%} ({row[k]['low']:.1%} to {row[k]['high']:.1%})" for k in ("before", "after")
            ]
            rows.append([f"`{name}`", row["what"], f"{row['count']:,}", *shares])
    times = ", ".join(f"`{name}` {person['cpu_seconds']:.0f}" for name, person in found["people"].items())
    head = ("person", "what", "pictures", "before", "after")
    return f"{table(head, rows)}\n\nSeconds of processor time: {times}. Measured on {place_of(found['machine'])}."


def main() -> None:
    """Measure, write the figures and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME")
    people = read_results(RESULTS_FILE).get("people", {})
    for name in parser.parse_args().names or NAMES:
        people[name] = measure(name)
        write_results(RESULTS_FILE, with_machine(people=people))
    write_section(RESULTS / "training.md", "own-hand", render(read_results(RESULTS_FILE)))


if __name__ == "__main__":
    main()
