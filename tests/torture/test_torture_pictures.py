"""A short, seeded part of `python -m tests.torture.pictures`: damaged files and bombs are read or refused."""

import random
import signal
from pathlib import Path

import pytest
from PIL import Image

from edgedigits import load
from edgedigits_runtime.errors import PictureTooLarge
from edgedigits_runtime.reading.decode import MAX_PIXELS, decode
from edgedigits_runtime.reading.formats import ALLOWED, format_of
from edgedigits_runtime.reading.reader import Reader
from tests.support.picture_corpus import corpus
from tests.support.picture_files import encoded, png
from tests.torture.bombs import file_bombs, picture_bombs
from tests.torture.picture_mutations import OF_FORMAT, mutated
from tests.torture.pictures import BATCH, MEMORY, files, measure, run_batch
from tests.torture.runner import in_child, processor_time

BOMBS = file_bombs()
LARGE = sorted(name for name in BOMBS if "64 megapixels" in name or "as allowed" in name)

# The memory limit in tests/torture/README.md.
MAX_MB = 24 * MAX_PIXELS / 1e6 + 100


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load("base")


def test_the_corpus_has_every_format_and_is_read(reader: Reader) -> None:
    # The decoder of HEIF is an extra.
    assert {format_of(content) for content in corpus()} == set(ALLOWED) - {"HEIF"}
    readings = [reader.read(content) for content in corpus()]
    assert sum(bool(reading.text) for reading in readings) > 0.7 * len(readings)


def test_files_depend_on_seed_and_batch() -> None:
    def some(seed: int, batch: int) -> list[bytes]:
        return [content for content, _ in files(seed, batch, 40)]

    assert some(1, 2) == some(1, 2)
    assert len({tuple(some(seed, batch)) for seed, batch in ((1, 2), (1, 3), (2, 2))}) == 3


@pytest.mark.parametrize("kind", sorted(OF_FORMAT))
def test_most_mutations_keep_the_format(kind: str) -> None:
    chance = random.Random(3)
    own = [content for content in corpus() if format_of(content) == kind]
    kinds = [format_of(mutated(chance.choice(own), list(corpus()), chance)) for _ in range(100)]
    assert kinds.count(kind) > 50


@pytest.mark.parametrize("batch", [0, 1])
def test_damaged_files_are_read_or_refused(batch: int, tmp_path: Path) -> None:
    counts, ended = run_batch(1, batch, tmp_path, 250)
    assert ended == "", (tmp_path / "file").read_bytes()
    text, empty, errors = counts["readings_with_text"], counts["empty_readings"], sum(counts["errors"].values())
    assert counts["executions"] == text + empty + errors == 250
    assert min(text, errors) > 10
    assert counts["most_memory_mb"] * 1e6 < MEMORY


def test_the_end_of_a_child_is_named() -> None:
    assert in_child(lambda: 3) == (3, "")
    # SIGKILL, because pytest prints a long report of SIGSEGV.
    assert in_child(lambda: signal.raise_signal(signal.SIGKILL))[1] == "signal 9"
    assert in_child(_busy)[1] == "exceeded its processor time"
    assert "ZeroDivisionError" in in_child(lambda: 1 // 0)[1]
    assert "MemoryError" in in_child(lambda: bytes(10**11))[1]


def test_a_batch_takes_seconds() -> None:
    assert BATCH <= 5000


def _busy() -> None:
    with processor_time(0.1):
        while True:
            pass


def check(found: dict[str, object]) -> None:
    assert not str(found["outcome"]).startswith("broken"), found
    assert isinstance(found["memory_mb"], int)
    assert found["memory_mb"] < MAX_MB


@pytest.mark.parametrize("name", sorted(set(BOMBS) - set(LARGE)))
def test_bombs_stay_within_limits(name: str) -> None:
    check(measure(BOMBS[name], MAX_PIXELS))


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_pictures_at_the_size_limit_stay_within_limits(name: str) -> None:
    check(measure(BOMBS[name], MAX_PIXELS))


@pytest.mark.parametrize("name", sorted(picture_bombs()))
def test_costly_pictures_stay_within_limits(name: str) -> None:
    check(measure(lambda: encoded(Image.fromarray(picture_bombs()[name]()), "PNG"), MAX_PIXELS))


@pytest.mark.parametrize(
    "name",
    [
        "png with thousands of profiles",
        "png with a million chunks",
        "jpeg with thousands of scans",
        "jpeg with millions of markers",
        "jpeg with EXIF in thousands of pieces",
        "tiff with tags that share their bytes",
        "tiff with millions of strips",
        "tiff with a tile of gigabytes",
        "gif with millions of comments",
        "bmp of run lengths, mostly ends of lines",
        "bmp of empty run lengths",
        "ppm that is all blanks",
        "ico with 65,535 entries",
        "ico with a png of thousands of profiles",
        "jpeg 2000 with tiles of 1 x 1",
        "jpeg 2000 with 16,000 components",
        "webp that claims a large canvas",
    ],
)
def test_bombs_are_refused_before_decoding(name: str) -> None:
    with pytest.raises(PictureTooLarge):
        decode(BOMBS[name](), channels=1)


@pytest.mark.parametrize(
    ("name", "size"),
    [("tiff with a tile of gigabytes", "65,520 x 65,520"), ("webp that claims a large canvas", "16,383 x 16,383")],
)
def test_the_error_has_the_claimed_size(name: str, size: str) -> None:
    with pytest.raises(PictureTooLarge, match=size):
        decode(BOMBS[name](), channels=1)


def test_measure_reports_the_outcome() -> None:
    found = measure(lambda: png(28, 28), MAX_PIXELS)
    assert found["outcome"] == "read 0 digits"
    assert found["bytes"] == len(png(28, 28))
    assert measure(lambda: b"", MAX_PIXELS)["outcome"].startswith("PictureUnreadable: ")
    assert "ZeroDivisionError" in measure(lambda: bytes(1 // 0), MAX_PIXELS)["outcome"]
