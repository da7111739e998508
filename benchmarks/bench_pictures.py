"""Draw the pictures that `edgedigits bench` reads: `python -m benchmarks.bench_pictures`.

They are stored in edgedigits/benchmarking/measuring/pictures/, because another JPEG encoder would write other bytes.
Results of two boards can be compared only if both read the same bytes.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from edgedigits.benchmarking.measuring.workload import PICTURES
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.samples import mnist_like
from edgedigits_runtime.synthetic.scenes import scene_named
from edgedigits_runtime.whole_files import whole_file, write_whole

SEED = 28
ONE = PageOptions(width=640, height=480, lines=(1, 1), digits=(1, 1), digit_height=(150, 260))


def photo(digit: int) -> bytes:
    """Return a 640x480 JPEG of one digit on paper, as a phone or a webcam takes it."""
    for attempt in range(1000):
        page = draw_page(np.random.default_rng([SEED, digit, attempt]), ONE, scene_named("phone"))
        if page.text == str(digit):
            file = io.BytesIO()
            Image.fromarray(page.picture).save(file, "JPEG", quality=85, optimize=True)
            return file.getvalue()
    raise SystemExit(f"no page with a {digit} was drawn")


def main() -> None:
    """Draw ten pictures of each kind."""
    framed, labels = mnist_like(10, SEED)
    for image, label in zip(framed, labels.tolist(), strict=True):
        with whole_file(PICTURES / "small" / f"{label}.png") as temporary:
            Image.fromarray(image).save(temporary, "PNG", optimize=True)
    for digit in range(10):
        write_whole(PICTURES / "photo" / f"{digit}.jpg", photo(digit))
    print(sum(path.stat().st_size for path in Path(PICTURES).rglob("*.*")), "bytes")


if __name__ == "__main__":
    main()
