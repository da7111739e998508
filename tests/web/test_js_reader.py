"""The page's reader in JavaScript and the Python reader are equal, stage by stage, in a real browser."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageFilter

import edgedigits
from edgedigits.data.dataset import Dataset
from edgedigits_runtime import reading
from edgedigits_runtime.golden import golden_path, read_golden
from edgedigits_runtime.reading.decode import decode_picture
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.resampling import resized
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import draw_scene
from tests.conftest import REPOSITORY, TIMES
from tests.support.drawn_pictures import fat_digit
from tests.support.js_reader import SOURCE, BrowserReader, difference, encoded, traced_in_python

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Picture = NDArray[np.uint8]

MODULES = sorted((SOURCE / "reader").glob("*.js"))
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.[pj]*g"))
PYTHON = Path(reading.__file__).parent

# Modules of one side only: JavaScript lacks NumPy and Pillow; Python has its own decoders, and classes of results.
ONLY_JAVASCRIPT = {"blank", "criteria", "errors", "least_squares", "numbers", "planes", "preprocessing"}
ONLY_PYTHON = {"__init__", "candidates", "formats", "framed", "one_digit", "results", "searched"}


@pytest.fixture(scope="module")
def both(browser: "Browser") -> Iterator[BrowserReader]:
    with edgedigits.load("base") as reader:
        started = BrowserReader(browser, reader)
        yield started
        started.close()


def differences(both: BrowserReader, pictures: Sequence[Picture], **options: Any) -> dict[int, str]:
    """Return the positions of pictures in which the readers differ, with the first stage that does."""
    found = {}
    for start in range(0, len(pictures), 50):
        part = pictures[start : start + 50]
        reader = Reader(both.reader.classifier, **options)
        for k, (picture, traced) in enumerate(zip(part, both.trace(part, **options), strict=True)):
            if found_here := difference(traced_in_python(reader, picture), traced):
                found[start + k] = found_here
    return found


def test_modules_correspond_to_python_modules() -> None:
    javascript = {path.stem for path in MODULES} - ONLY_JAVASCRIPT
    assert javascript == {path.stem for path in PYTHON.glob("*.py")} - ONLY_PYTHON


def test_constants_of_one_name_are_equal() -> None:
    compared = 0
    for path in MODULES:
        there = PYTHON / path.with_suffix(".py").name
        known = constants(there) if there.exists() else {}
        for name, value in constants(path).items():
            if name in known:
                assert np.array_equal(value, known[name]), f"{path.stem}: {name} is {known[name]} and {value}"
                compared += 1
    assert compared > 80


def constants(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return the constants of a module that are numbers or rows of numbers."""
    numbers = r"^(?:export )?(?:const )?([A-Z][A-Z_]+) = ([\[(]?[-\d._/ ,]+[\])]?);?(?:  # .*)?$"
    found = re.findall(numbers, path.read_text(), re.MULTILINE)
    return {name: np.ravel(eval(text)) for name, text in found}


@pytest.mark.slow
def test_examples_are_equal(both: BrowserReader) -> None:
    pictures = [decode_picture(path, channels=None).pixels for path in EXAMPLES]
    assert len(pictures) == 16
    assert not differences(both, pictures)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["base", "pico"])
def test_golden_vectors_are_equal(both: BrowserReader, model: str) -> None:
    golden = read_golden(golden_path(Path(edgedigits.__file__).parent / "models" / f"{model}.tflite"))
    pictures = [decode_picture(bytes(picture), channels=None).pixels for picture in golden["pictures"]]
    traced = both.trace(pictures)
    assert np.array_equal(np.concatenate([each.framed for each in traced]), golden["framed"])
    if model == "base":
        assert [each.text for each in traced] == golden["text"].tolist()


@pytest.mark.slow
def test_mnist_images_are_equal(both: BrowserReader, mnist: Dataset) -> None:
    assert not differences(both, list(mnist.test.images[: 300 * TIMES, ..., 0]))


@pytest.mark.slow
def test_drawn_pages_are_equal(both: BrowserReader) -> None:
    assert not differences(both, [drawn_page(seed) for seed in range(20 * TIMES)])


@pytest.mark.slow
def test_broad_digits_are_equal(both: BrowserReader) -> None:
    assert not differences(both, [fat_digit(seed) for seed in range(10)])


@pytest.mark.slow
def test_digits_on_any_ground_are_equal(both: BrowserReader) -> None:
    assert not differences(both, [digits_on_any_ground(seed) for seed in range(60 * TIMES)])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"expect": "one"}, {"expect": "number"}, {"expect": "page"}, {"length": 3}, {"length": 2, "top_k": 5}]
)
def test_options_have_equal_results(both: BrowserReader, options: dict[str, Any]) -> None:
    pictures = [digits_on_any_ground(seed) for seed in range(200, 230)] + [drawn_page(seed) for seed in range(60, 65)]
    there = {"topK" if name == "top_k" else name: value for name, value in options.items()}
    reader = Reader(both.reader.classifier, **options)
    for picture, traced in zip(pictures, both.trace(pictures, **there), strict=True):
        expected = reader.trace(picture)
        assert traced.text == expected.reading.text
        assert traced.why == list(expected.why)


@pytest.mark.slow
@settings(max_examples=60 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_any_pixels_are_equal(both: BrowserReader, data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 90), "height"), data.draw(st.integers(1, 90), "width")
    shape = (height, width, data.draw(st.sampled_from([1, 3]), "channels"))
    levels = st.sampled_from(data.draw(st.sampled_from([(0, 255), (3, 4), (90, 100, 101, 160), tuple(range(256))])))
    picture = data.draw(arrays(np.uint8, shape, elements=levels), "picture")
    assert not differences(both, [picture])


RESIZE = "([p, w, h, f]) => harness.text(harness.resized(harness.pixelsOf(p), w, h, harness[f]).data)"
REDUCE = """([p, factor]) => {
  const { data, width, height, channels } = harness.pixelsOf(p);
  return harness.text(harness.blockMeans(data, width, height, channels, factor).data);
}"""
REDUCE_FOUR = """([{ width, height, data }, factor]) => {
  return harness.text(harness.fourChannelMeans(harness.bytes(data), width, height, factor).data);
}"""
BLUR = "([p, radius]) => harness.text(harness.boxBlurred(harness.pixelsOf(p), radius).data)"


def noise(seed: int, *, channels: int | None = None) -> Picture:
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 120, 2)
    shape = (height, width) if channels is None else (height, width, channels)
    return random.integers(0, 256, shape, np.uint8)


def from_page(both: BrowserReader, script: str, *arguments: object) -> Picture:
    found: str = both.page.evaluate(script, list(arguments))
    return np.frombuffer(base64.b64decode(found), np.uint8)


@pytest.mark.slow
def test_resampling_equals_pillows(both: BrowserReader) -> None:
    for seed in range(120):
        picture = noise(seed)
        width, height = np.random.default_rng([seed]).integers(1, 150, 2).tolist()
        for name, kind in (("BILINEAR", Image.Resampling.BILINEAR), ("BOX_FILTER", Image.Resampling.BOX)):
            expected = resized(picture, width, height, kind)
            found = from_page(both, RESIZE, encoded(picture), width, height, name)
            assert np.array_equal(found, expected.ravel()), (seed, name)


@pytest.mark.slow
def test_reduction_equals_pillows(both: BrowserReader) -> None:
    for seed in range(60):
        factor = 2 + seed % 11
        picture = noise(seed)
        expected = np.asarray(Image.fromarray(picture).reduce(factor))
        assert np.array_equal(from_page(both, REDUCE, encoded(picture), factor), expected.ravel()), seed
        picture = noise(seed, channels=3)
        expected = np.asarray(Image.fromarray(picture).reduce(factor))
        assert np.array_equal(from_page(both, REDUCE, encoded(picture), factor), expected.ravel()), seed
        # Canvas pixels have four channels; the fourth is opaque here.
        opaque = np.concatenate([picture, np.full_like(picture[..., :1], 255)], axis=2)
        four = from_page(both, REDUCE_FOUR, encoded(opaque), factor).reshape(*expected.shape[:2], 4)
        assert np.array_equal(four[..., :3], expected), seed
        assert (four[..., 3] == 255).all()


@pytest.mark.slow
@pytest.mark.parametrize("radius", [1, 2, 5])
def test_blur_equals_pillows(both: BrowserReader, radius: int) -> None:
    for seed in range(30):
        picture = noise(seed)
        expected = np.asarray(Image.fromarray(picture).filter(ImageFilter.BoxBlur(radius)))
        assert np.array_equal(from_page(both, BLUR, encoded(picture), radius), expected.ravel()), seed


@pytest.mark.slow
def test_reading_objects_have_equal_fields(both: BrowserReader) -> None:
    picture = drawn_page(3)
    contract = json.loads(both.reader.classifier.contract.to_json())
    script = "async ([contract, picture]) => (await harness.traceAll(contract, {}, [picture]))[0].reading"
    found = both.page.evaluate(script, [contract, encoded(picture)])
    trace = both.reader.trace(picture)
    expected = trace.reading.to_dict()
    assert {*expected} <= {*found}
    assert {"width", "height", "candidates"} <= {*found}
    assert (found["width"], found["height"]) == (picture.shape[1], picture.shape[0])
    assert set(found["ms"]) == set(expected["ms"])
    for digit, wanted in zip(found["digits"], expected["digits"], strict=True):
        assert digit["confidence"] == pytest.approx(wanted["confidence"], abs=1e-4)
        assert [label for label, _ in digit["top"]] == [label for label, _ in wanted["top"]]
        assert {key: digit[key] for key in ("digit", "label", "box")} == {
            key: wanted[key] for key in ("digit", "label", "box")
        }
    assert [base64.b64decode(each["framed"]) for each in found["candidates"]] == [one.tobytes() for one in trace.framed]
    assert [each["kept"] for each in found["candidates"]] == trace.kept.tolist()


def drawn_page(seed: int) -> Picture:
    """Draw a page of up to five lines of digits, with words and signs, in any of the scenes."""
    random = np.random.default_rng(seed)
    width, height = int(random.integers(100, 700)), int(random.integers(100, 600))
    options = PageOptions(
        width=width,
        height=height,
        lines=(0, 5),
        digits=(1, 6),
        digit_height=(12.0, min(width, height) / 2),
        touching=float(random.choice([0, 0.3])),
        signs=0.2,
        words=int(random.integers(0, 2)),
        scrawls=int(random.integers(0, 2)),
    )
    return draw_page(random, options, draw_scene(random)).picture


def digits_on_any_ground(seed: int) -> Picture:
    """Draw up to a dozen digits on a picture of any size: coloured, shaded, ruled, framed, noisy, posterised."""
    random = np.random.default_rng(seed)
    height, width = np.exp(random.uniform(0, np.log(500), 2)).astype(int).tolist()
    channels = int(random.choice([1, 3]))
    y, x = np.mgrid[:height, :width] / max(height, width)
    slope, bend = random.uniform(-100, 100, 2) * random.integers(0, 2)
    picture = random.integers(0, 256, channels) + (slope * x + bend * y * y)[..., np.newaxis]
    ink = random.integers(0, 256, channels)
    for _ in range(random.integers(0, 12)):
        _draw_somewhere(picture, ink, random)
    if random.random() < 0.3:
        for row in random.integers(0, height, random.integers(1, 6)):
            picture[row : row + random.integers(1, 4)] = (picture[row] + ink) / 2
    if random.random() < 0.3:
        top, bottom = sorted(random.integers(0, height, 2))
        left, right = sorted(random.integers(0, width, 2))
        picture[top:bottom, left:right] = 255 - picture[top:bottom, left:right]
    if random.random() < 0.4:
        picture += random.normal(0, random.uniform(0, 30), (height, width, 1))
    if random.random() < 0.2:
        edge = int(random.integers(1, 10))
        for side in (picture[:edge], picture[-edge:], picture[:, :edge], picture[:, -edge:]):
            side[:] = picture[0, 0]
    if random.random() < 0.2:
        picture = np.round(picture / 64) * 64
    return np.clip(picture, 0, 255).astype(np.uint8)


def _draw_somewhere(picture: NDArray[np.float64], ink: NDArray[np.int64], random: np.random.Generator) -> None:
    """Draw a digit of any size into a picture, float64 [H, W, C], possibly cut by its edge."""
    height, width = picture.shape[:2]
    size = max(16, int(random.integers(4, max(5, min(height, width, 160) + 2))))
    digit = draw_digit(int(random.integers(10)), random, size=size, thickness=max(1, random.uniform(0.05, 0.24) * size))
    top, left = int(random.integers(height)), int(random.integers(width))
    part = picture[top : top + size, left : left + size]
    share = digit[: part.shape[0], : part.shape[1], np.newaxis] / 255
    part[:] = part * (1 - share) + ink * share
