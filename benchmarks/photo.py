"""A phone's photo of 12 megapixels, drawn, and how long each stage of reading it takes."""

import io
import statistics

import numpy as np
from PIL import Image

from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import scene_named

WIDTH, HEIGHT = 4000, 3000
ROUNDS = 15


def draw_photo() -> tuple[bytes, str]:
    """Return a JPEG of two lines of digits on paper, in lamplight and perspective, and what stands there."""
    options = PageOptions(width=WIDTH, height=HEIGHT, lines=(2, 2), digits=(4, 4), digit_height=(500, 700))
    page = draw_page(np.random.default_rng(12), options, scene_named("phone"))
    file = io.BytesIO()
    Image.fromarray(page.picture).save(file, "JPEG", quality=90)
    return file.getvalue(), page.text


def stage_milliseconds(reader: Reader, photo: bytes) -> dict[str, float]:
    """Return the median milliseconds of each stage of reading a picture, and of all."""
    reader.read(photo)
    rounds = [reader.read(photo).ms for _ in range(ROUNDS)]
    return {stage: statistics.median(ms[stage] for ms in rounds) for stage in rounds[0]}
