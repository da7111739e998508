"""A short part of torture/pictures.py: broken files and bombs are refused or read, and nothing ends the process."""

import random
import signal

import pytest
from PIL import Image

from edgedigits import load
from edgedigits_runtime.errors import PictureTooLarge
from edgedigits_runtime.reading.decode import MAX_PIXELS, decode
from edgedigits_runtime.reading.formats import ALLOWED, format_of
from edgedigits_runtime.reading.reader import Reader
from tests.conftest import encoded
from tests.torture.bombs import of_files, of_pictures, png
from tests.torture.children import in_child, processor_time
from tests.torture.picture_corpus import corpus
from tests.torture.picture_mutations import OF_FORMAT, mutated
from tests.torture.pictures import BATCH, MEMORY, files, measured, run_batch

BOMBS = of_files()
LARGE = sorted(name for name in BOMBS if "64 megapixels" in name or "as allowed" in name)

# Of what a bomb may take: as docs/reliability.md promises.
MOST_MB = 24 * MAX_PIXELS / 1e6 + 100


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load("base")


def test_the_corpus_has_every_format_and_all_of_it_is_read(reader: Reader) -> None:
    assert {format_of(content) for content in corpus()} == set(ALLOWED)
    readings = [reader.read(content) for content in corpus()]
    assert sum(bool(reading.text) for reading in readings) > 0.7 * len(readings)


def test_the_same_seed_gives_the_same_files_and_another_one_others() -> None:
    def some(seed: int, batch: int) -> list[bytes]:
        return [content for content, _ in files(seed, batch, 40)]

    assert some(1, 2) == some(1, 2)
    assert len({tuple(some(seed, batch)) for seed, batch in ((1, 2), (1, 3), (2, 2))}) == 3


@pytest.mark.parametrize("kind", sorted(OF_FORMAT))
def test_mutations_keep_some_files_whole_enough_to_be_read(kind: str) -> None:
    chance = random.Random(3)
    own = [content for content in corpus() if format_of(content) == kind]
    kinds = [format_of(mutated(chance.choice(own), list(corpus()), chance)) for _ in range(100)]
    assert kinds.count(kind) > 50


@pytest.mark.parametrize("batch", [0, 1])
def test_broken_files_are_refused_or_read(batch: int) -> None:
    shared, ended = run_batch(1, batch, 250)
    text, empty, errors, _, memory = shared.counts[:5].tolist()
    assert ended == "", shared.content()
    assert text + empty + errors == 250
    assert min(text, errors) > 10
    assert memory * 1024 < MEMORY


def test_what_ends_a_child_is_named() -> None:
    assert in_child(lambda: 3) == (3, "")
    # As a fault in a decoder does; pytest would tell of a fault at length.
    assert in_child(lambda: signal.raise_signal(signal.SIGKILL))[1] == "signal 9"
    assert in_child(_busy)[1] == "more processor time than allowed"
    assert "ZeroDivisionError" in in_child(lambda: 1 // 0)[1]
    assert "MemoryError" in in_child(lambda: bytes(10**11))[1]


def test_a_batch_is_a_few_seconds_of_work() -> None:
    assert BATCH <= 5000


def _busy() -> None:
    with processor_time(0.1):
        while True:
            pass


def check(found: dict[str, object]) -> None:
    assert not str(found["outcome"]).startswith("broken"), found
    assert isinstance(found["memory_mb"], int)
    assert found["memory_mb"] < MOST_MB


@pytest.mark.parametrize("name", sorted(set(BOMBS) - set(LARGE)))
def test_bombs_do_not_go_off(name: str) -> None:
    check(measured(BOMBS[name], MAX_PIXELS))


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_pictures_at_the_limit_stay_within_their_memory(name: str) -> None:
    check(measured(BOMBS[name], MAX_PIXELS))


@pytest.mark.parametrize("name", sorted(of_pictures()))
def test_pictures_that_are_all_work_are_given_up_or_read(name: str) -> None:
    found = measured(lambda: encoded(Image.fromarray(of_pictures()[name]())), MAX_PIXELS)
    check(found)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("png with thousands of profiles", "profiles"),
        ("png with a million chunks", "chunks"),
        ("jpeg with thousands of scans", "scans"),
        ("jpeg with millions of markers", "segments"),
        ("jpeg with EXIF in thousands of pieces", "EXIF"),
        ("tiff with tags that share their bytes", "more than the whole file"),
        ("tiff with millions of strips", "strips"),
        ("tiff with a tile of gigabytes", "65,520 x 65,520"),
        ("gif with millions of comments", "pieces"),
        ("bmp of run lengths, mostly ends of lines", "slowly"),
        ("bmp of run lengths that say nothing", "pieces"),
        ("ppm that is all blanks", "pieces"),
        ("ico with 65,535 entries", "icons"),
        ("ico with a png of thousands of profiles", "profiles"),
        ("jpeg 2000 with tiles of 1 x 1", "tiles"),
        ("jpeg 2000 with 16,000 components", "components"),
        ("webp that claims a large canvas", "16,383 x 16,383"),
    ],
)
def test_what_no_picture_needs_is_refused_before_it_is_done(name: str, said: str) -> None:
    with pytest.raises(PictureTooLarge, match=said):
        decode(BOMBS[name](), channels=1)


def test_measuring_says_what_came_of_it() -> None:
    found = measured(lambda: png(28, 28), MAX_PIXELS)
    assert found["outcome"] == "read 0 digits"
    assert found["bytes"] == len(png(28, 28))
    assert measured(lambda: b"", MAX_PIXELS)["outcome"] == "PictureUnreadable: is empty; expected a picture"
    assert "ZeroDivisionError" in measured(lambda: bytes(1 // 0), MAX_PIXELS)["outcome"]
