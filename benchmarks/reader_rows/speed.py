"""Rows of speed: reading a picture in times of decoding it with Pillow."""

import io
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from PIL import Image

from benchmarks.publishing import mnist_test, png
from benchmarks.reader_rows.row import Row
from edgedigits.benchmarking.measuring.workload import PICTURES
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import scene_named

ROUNDS = 15
LARGE = (4000, 3000)
PAGE = PageOptions(width=1280, height=960, lines=(8, 8), digits=(8, 8), grid=True, digit_height=(50, 70))


def speed_rows(reader: Reader) -> Iterator[Row]:
    """Yield the rows of speed."""
    photo = (PICTURES / "photo" / "4.jpg").read_bytes()
    with Image.open(io.BytesIO(photo)) as image:
        large = _jpeg(image.resize(LARGE, Image.Resampling.BICUBIC))
    page = _jpeg(Image.fromarray(draw_page(np.random.default_rng(22), PAGE, scene_named("scan")).picture))
    for name, picture, target in (
        ("photo of 640x480", photo, 4.0),
        ("photo of 12 megapixels", large, 1.6),
        ("page of 64 digits", page, 5.0),
    ):
        yield Row(f"{name}, times decoding it", _ratio(reader, picture), target, "times", least=False)
    images = [png(image[..., 0]) for image in mnist_test().images[:20]]
    taken = statistics.median(_seconds(partial(reader.read, image)) for image in images for _ in range(5))
    yield Row("an image of 28x28", 1e3 * taken, 1.0, "ms", least=False)


def _ratio(reader: Reader, picture: bytes) -> float:
    """Return the time of reading a picture divided by that of decoding it, medians of turns."""
    reader.read(picture)
    times = [(_seconds(lambda: reader.read(picture)), _seconds(lambda: _decode(picture))) for _ in range(ROUNDS)]
    return statistics.median(read for read, _ in times) / statistics.median(decode for _, decode in times)


def _decode(picture: bytes) -> None:
    with Image.open(io.BytesIO(picture)) as image:
        np.asarray(image.convert("RGB"))


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=88)
    return file.getvalue()
