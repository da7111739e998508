"""Measure common ways from a picture to 28x28 on people's own pictures: `python -m benchmarks.common_ways`.

Each way prepares the single digits of wild-dev (drawings and photos of other people, in EDGEDIGITS_DATA) for the same
network, the shipped `base`. The counts go to benchmarks/results/common_ways.json, the chart to docs/pictures/, and the
sentence with it to the README.
"""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.publishing import REPOSITORY, RESULTS, read_results, write_results, write_section
from benchmarks.reader_rows.collected import pictures_of
from edgedigits.data.labelled_pictures import LabelledPicture
from edgedigits.loading import load
from edgedigits_runtime.whole_files import write_whole

Way = Callable[[Path], NDArray[np.uint8]]
"""Returns the network's input, uint8 [28, 28], of a picture."""

RESULTS_FILE = RESULTS / "common_ways.json"
CHART = REPOSITORY / "docs" / "pictures" / "common-ways.svg"
SIDE, DIGIT = 28, 20
SCAN = "scan"
ROW, LEFT, WIDTH, BAR = 34, 330, 720, 320


def resized(path: Path) -> NDArray[np.uint8]:
    """Convert to grey and resize."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L").resize((SIDE, SIDE)))


def inverted(path: Path) -> NDArray[np.uint8]:
    """Resize, and invert a picture that is bright on the whole."""
    pixels = resized(path)
    return 255 - pixels if pixels.mean() > 127 else pixels


def framed(path: Path) -> NDArray[np.uint8]:
    """Frame as MNIST does: Otsu's threshold, the box of the ink in 20x20, its centre of mass in the middle."""
    with Image.open(path) as image:
        grey = np.asarray(image.convert("L"))
    if grey.mean() > 127:
        grey = 255 - grey
    ink = np.where(grey > otsu(grey), grey, 0).astype(np.uint8)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    digit = Image.fromarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]) if rows.size else None
    frame = np.zeros((SIDE, SIDE), np.uint8)
    if digit is None:
        return frame
    scale = DIGIT / max(digit.size)
    small = np.asarray(digit.resize([max(1, round(side * scale)) for side in digit.size]))
    total = max(1, int(small.sum()))
    corner = [
        round(SIDE / 2 - float((small.sum(axis=1 - axis) * np.arange(small.shape[axis])).sum()) / total - 0.5)
        for axis in (0, 1)
    ]
    top, left = (min(max(0, at), SIDE - side) for at, side in zip(corner, small.shape, strict=True))
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def otsu(grey: NDArray[np.uint8]) -> int:
    """Return the threshold of the largest variance between classes (Otsu 1979, doi 10.1109/TSMC.1979.4310076)."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    weight, moment = counts.cumsum(), (counts * np.arange(256)).cumsum()
    rest = weight[-1] - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        between = weight * rest * (moment / weight - (moment[-1] - moment) / rest) ** 2
    return int(np.nanargmax(np.where(np.isfinite(between), between, -1.0)))


WAYS: dict[str, Way] = {
    "grey, resized to 28x28": resized,
    "the same, inverted if bright": inverted,
    "threshold, bounding box, centred": framed,
}


def measure() -> dict[str, Any]:
    """Return how many pictures each way reads right."""
    pictures = [each for each in pictures_of("wild-dev") if len(each.label) == 1 and each.kind != SCAN]
    with load() as reader:
        labels = np.array([int(each.label) for each in pictures])
        rows = []
        for name, way in WAYS.items():
            inputs = np.stack([way(each.path) for each in pictures])[..., None]
            rows.append({"way": name, "right": int((reader.classifier.predict(inputs).argmax(axis=1) == labels).sum())})
        rows.append({"way": "edgedigits", "right": sum(_reads(reader.read(each.path).text, each) for each in pictures)})
    return {"pictures": len(pictures), "model": "base", "rows": rows}


def _reads(text: str, picture: LabelledPicture) -> bool:
    return text == picture.label


def chart(found: dict[str, Any]) -> str:
    """Return the bars as SVG, readable on a bright and on a dark page."""
    lines = []
    for number, row in enumerate(found["rows"]):
        share, middle = row["right"] / found["pictures"], ROW * number + 22
        colour = "#2da44e" if row["way"] == "edgedigits" else "#8c959f"
        lines.append(
            f'<text x="{LEFT - 12}" y="{middle + 6}" text-anchor="end">{escape(row["way"])}</text>'
            f'<rect x="{LEFT}" y="{middle - 11}" width="{BAR * share:.1f}" height="22" rx="3" fill="{colour}"/>'
            f'<text x="{LEFT + BAR * share + 10:.1f}" y="{middle + 6}">{share:.0%}</text>'
        )
    height = ROW * len(lines) + 10
    style = "text{font:17px system-ui,sans-serif;fill:#57606a}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f"<style>{style}</style>\n" + "\n".join(lines) + "\n</svg>\n"
    )


def sentence(found: dict[str, Any]) -> str:
    """Return the chart with its figures as text, for the README."""
    shares = [f"{row['way']}: {row['right'] / found['pictures']:.0%}" for row in found["rows"]]
    return (
        f"![Pictures read right. {'; '.join(shares)}](docs/pictures/{CHART.name})\n\n"
        f"*{found['pictures']} drawings and photos of one digit, made by other people; the same network each time."
        " The reader was developed on these pictures: expect a little less on yours.*"
    )


def main() -> None:
    """Measure, and write the figures, the chart and the README's section."""
    write_results(RESULTS_FILE, measure())
    found = read_results(RESULTS_FILE)
    write_whole(CHART, chart(found))
    write_section(REPOSITORY / "README.md", "ways", sentence(found))


if __name__ == "__main__":
    main()
