"""The page of a run: one self-contained HTML file with the table, the pictures read and what flipped."""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from edgedigits.data.dataset import Samples
from edgedigits.training.run_folder import RunFolder
from edgedigits.verification.statistics import Share
from edgedigits.verification.verify import Verification
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.reader import Reading
from edgedigits_runtime.whole_files import write_whole

THUMBNAIL = 96
SHOWN_FLIPS = 40

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 8rem; font-size: .85rem; overflow-wrap: anywhere; }
figure img { display: block; height: 96px; max-width: 100%; object-fit: contain; background: #8882; }
figure.wrong { color: #d33; }
img.wide { max-width: 100%; background: white; }
"""


@dataclass(frozen=True)
class Row:
    """One line of the table: a model file, what it decides, what it weighs and how long one image takes."""

    name: str
    engine: str
    file: Path
    accuracy: Share
    agreement: float | None
    milliseconds: float


def write_page(
    run: RunFolder, dataset: str, rows: Sequence[Row], readings: Iterable[tuple[Reading, str]], test: Samples,
    verifications: Iterable[Verification | None],
) -> Path:  # fmt: skip
    """Write `report.html` into the run folder and return its path.

    Args:
        run: its curves are shown.
        dataset: its name.
        rows: of the table.
        readings: of the example pictures, each with the label it should have.
        test: the split that was compared, for pictures of flipped decisions.
        verifications: of the exports.
    """
    sections = [
        f"<p>{len(test):,} test images of {html.escape(dataset)}, each through every file.</p>",
        _table(rows),
        "<h2>Training</h2>",
        f'<img class="wide" alt="accuracy and loss by epoch" src="{_data_url(run.curves.read_bytes())}">',
        "<h2>Examples, read by the int8 file</h2>",
        _cards(_reading_card(reading, label) for reading, label in readings),
        *(_flips(verification, test.images) for verification in verifications if verification),
    ]
    title = html.escape(run.path.name)
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )
    return write_whole(run.path / "report.html", page)


def _table(rows: Iterable[Row]) -> str:
    cells = [
        (
            html.escape(row.name),
            f"{row.accuracy.value:.2%}",
            f"{row.accuracy.low:.2%} to {row.accuracy.high:.2%}",
            "-" if row.agreement is None else f"{row.agreement:.2%}",
            f"{row.file.stat().st_size:,}",
            f"{row.milliseconds:.3f}",
            html.escape(f"{row.file.name} ({row.engine})"),
        )
        for row in rows
    ]
    head = ("model", "accuracy", "95% interval", "decides as Keras", "bytes", "ms an image", "file (engine)")
    lines = ["".join(f"<td>{cell}</td>" for cell in line) for line in cells]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{body}</table>"


def _cards(cards: Iterable[str]) -> str:
    return f'<div class="cards">{"".join(cards)}</div>'


def _reading_card(reading: Reading, label: str) -> str:
    name = Path(reading.source).name
    said = f"{reading.text} ({reading.digits[0].confidence:.1%})" if reading.digits else "no digit"
    wrong = "" if reading.text == label else ' class="wrong"'
    # Decoded as the reader does it: browsers show 16-bit and turned pictures each in their own way.
    thumbnail = Image.fromarray(decode(reading.source, channels=3))
    thumbnail.thumbnail((2 * THUMBNAIL, 2 * THUMBNAIL))
    alt = html.escape(f"{name}, read as {said}")
    return (
        f'<figure{wrong}><img alt="{alt}" src="{_data_url(_png(thumbnail))}">'
        f"<figcaption><b>{html.escape(said)}</b><br>{html.escape(name)}</figcaption></figure>"
    )


def _flips(verification: Verification, images: Images) -> str:
    flips = verification.comparison.flips
    title = f"<h2>{html.escape(verification.artifact)}: {len(flips)} flipped of {len(images):,}</h2>"
    cards = []
    for flip in flips[:SHOWN_FLIPS]:
        pixels = images[flip.index]
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        said = html.escape(f"a {flip.label}: Keras says {flip.keras}, the export {flip.artifact}")
        cards.append(
            f'<figure><img alt="test image {flip.index}, {said}" src="{_data_url(_png(picture))}"'
            f' style="image-rendering: pixelated"><figcaption>{said}<br>image {flip.index}</figcaption></figure>'
        )
    return title + _cards(cards)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
