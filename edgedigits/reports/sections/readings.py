"""Readings of example pictures, and the latency of each file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from edgedigits.reports.html import Section, card, cards, paragraph, photo, table
from edgedigits_runtime.intervals import Share
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.results import Reading

THUMBNAIL = 192


@dataclass(frozen=True)
class Row:
    """A model file with its accuracy and the latency of one image."""

    name: str
    engine: str
    file: Path
    accuracy: Share
    agreement: float | None
    milliseconds: float


def latency(rows: Sequence[Row]) -> Section:
    """Return the section of file sizes and latencies."""
    cells = [
        (
            row.file.name,
            row.engine,
            f"{row.accuracy.value:.2%}",
            "–" if row.agreement is None else f"{row.agreement:.2%}",
            f"{row.file.stat().st_size:,}",
            f"{row.milliseconds:.3f}",
        )
        for row in rows
    ]
    head = ("file", "engine", "test accuracy", "agreement with Keras", "bytes", "ms an image")
    caption = "One image through each file, pixels to probabilities"
    return Section("files", "Files", (table(caption, head, cells, numbers_from=2),))


def examples(readings: Iterable[tuple[Reading, str]]) -> Section:
    """Return the section of example pictures; each with its true text."""
    pairs = tuple(readings)
    right = sum(reading.text == label for reading, label in pairs)
    summary = paragraph(f"{right} of {len(pairs)} pictures are read right.")
    return Section("pictures", "Pictures", (summary, cards((_card(*pair) for pair in pairs), "broad")))


def _card(reading: Reading, label: str) -> str:
    name = Path(reading.source).name
    answer = f"{reading.text} ({reading.digits[0].confidence:.1%})" if reading.digits else "no digit"
    # Decoded by the reader: browsers differ for 16-bit pictures and EXIF rotation.
    thumbnail = Image.fromarray(decode(reading.source, channels=3))
    thumbnail.thumbnail((THUMBNAIL, THUMBNAIL))
    wrong = reading.text != label
    lines = [answer, f"should be {label}", name] if wrong else [answer, name]
    return card(photo(thumbnail, f"{name}, read as {answer}"), lines, marked=wrong)
