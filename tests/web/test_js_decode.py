"""Picture files decoded in the browser: the same pixels as in Python, and errors of one line for other files."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import edgedigits
from edgedigits_runtime.reading.decode import decode_picture
from tests.conftest import REPOSITORY
from tests.support.js_reader import BrowserReader

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.[pj]*g"))

DECODE = """async ([data, options]) => {
  try {
    const picture = await harness.decodePicture(new Blob([harness.bytes(data)]), options);
    const { pixels: { width, height, channels, data: pixels }, scale } = picture;
    return { width, height, channels, data: harness.text(pixels), scale, size: [picture.width, picture.height] };
  } catch (error) {
    if (!(error instanceof harness.PictureError)) throw error;
    return { error: `${error.name}: ${error.message}` };
  }
}"""
TO_PIXELS = """([data, width, height]) => {
  return harness.text(harness.toPixels(harness.bytes(data), width, height, 3).data);
}"""
READ = """async ([contract, data, name]) => {
  const reader = new harness.Reader(harness.engine, contract);
  return await reader.read(new File([harness.bytes(data)], name));
}"""


@pytest.fixture(scope="module")
def both(browser: "Browser") -> Iterator[BrowserReader]:
    with edgedigits.load("base") as reader:
        started = BrowserReader(browser, reader)
        yield started
        started.close()


def decoded(both: BrowserReader, content: bytes, **options: Any) -> dict[str, Any]:
    """Return the result of decodePicture, or its error."""
    found: dict[str, Any] = both.page.evaluate(DECODE, [base64.b64encode(content).decode(), options])
    if "data" in found:
        pixels = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
        found["pixels"] = pixels.reshape(found["height"], found["width"], found["channels"])
    return found


def saved(picture: NDArray[np.uint8] | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, kind, **options)
    return file.getvalue()


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


# Decoders of JPEG may differ by a level.
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_have_the_same_pixels_as_in_python(both: BrowserReader, path: Path) -> None:
    found, expected = decoded(both, path.read_bytes()), decode_picture(path, channels=None)
    assert found["pixels"].shape == expected.pixels.shape
    away = np.abs(found["pixels"].astype(int) - expected.pixels)
    assert away.max() <= (0 if path.suffix == ".png" else 2)
    assert (found["scale"], tuple(found["size"])) == (expected.scale, expected.size)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_have_the_same_reading_as_in_python(both: BrowserReader, path: Path) -> None:
    contract = json.loads(both.reader.classifier.contract.to_json())
    content = base64.b64encode(path.read_bytes()).decode()
    found = both.page.evaluate(READ, [contract, content, path.name])
    expected = both.reader.read(path)
    assert found["text"] == expected.text
    assert [digit["box"] for digit in found["digits"]] == [list(digit.box) for digit in expected.digits]
    assert found["source"] == path.name
    assert found["ms"]["total"] >= found["ms"]["decode"] > 0


@pytest.mark.parametrize("shape", [(61, 47), (400, 3), (1, 1)])
@pytest.mark.parametrize("working_pixels", [10_000_000, 1000, 100])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_large_pictures_are_reduced_like_in_python(
    both: BrowserReader, mode: str, working_pixels: int, shape: tuple[int, int]
) -> None:
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    content = saved(noise(*shape, *channels))
    found = decoded(both, content, workingPixels=working_pixels, channels=3)
    expected = decode_picture(content, channels=3, working_pixels=working_pixels)
    assert found["scale"] == expected.scale
    assert found["pixels"].shape == expected.pixels.shape
    away = np.abs(found["pixels"].astype(int) - expected.pixels)
    # A canvas stores semi-transparent pixels premultiplied, which loses precision.
    assert away.max() <= (2 if mode == "RGBA" else 0)


def test_transparency_is_laid_over_the_same_ground_as_in_python(both: BrowserReader) -> None:
    for seed in range(40):
        random = np.random.default_rng(seed)
        layers = np.zeros((random.integers(1, 40), random.integers(1, 40), 4), np.uint8)
        layers[..., :3] = random.integers(0, 256, 3)
        top, left = random.integers(0, 20, 2)
        part = layers[top : top + 20, left : left + 20]
        part[..., 3] = 255 if seed % 2 else random.integers(0, 256, part.shape[:2])
        part[3:8, 3:8, :3] = random.integers(0, 256, 3)
        expected = decode_picture(Image.fromarray(layers), channels=3).pixels
        data = base64.b64encode(layers.tobytes()).decode()
        found = both.page.evaluate(TO_PIXELS, [data, layers.shape[1], layers.shape[0]])
        assert np.array_equal(np.frombuffer(base64.b64decode(found), np.uint8), expected.ravel()), seed


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_the_size_is_checked_before_a_pixel_is_decoded(both: BrowserReader, kind: str) -> None:
    content = saved(noise(70, 60, 3), kind)
    # Half of the file is enough.
    head = content[: len(content) // 2]
    error = decoded(both, head, maxPixels=4199, name="a picture")["error"]
    assert re.fullmatch(r"PictureTooLarge: a picture .*60x70.*4,199.*", error)
    assert decoded(both, content, maxPixels=4200)["size"] == [60, 70]


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0"}])
def test_the_size_is_found_in_every_kind_of_webp(both: BrowserReader, options: dict[str, Any]) -> None:
    content = saved(noise(70, 60, 3), "WEBP", **options)
    assert "60x70" in decoded(both, content, maxPixels=1)["error"]


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "empty"),
        (b"hello", "PNG, JPEG, WebP, BMP or GIF"),
        (b"%PDF-1.4 ", "PDF .*: pdftoppm"),
        (saved(noise(90, 90))[:60], "damaged or truncated"),
        (saved(noise(90, 90))[:4000], "damaged or truncated"),
        (saved(noise(90, 90), "JPEG")[:3000], "damaged or truncated"),
        (b"\0\0\0\x18ftypheic", "HEIC .*: heif-convert"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG .*: rsvg-convert"),
        (saved(noise(9, 9), "TIFF"), "TIFF .*: magick"),
    ],
)
def test_non_pictures_are_refused(both: BrowserReader, content: bytes, fact: str) -> None:
    assert re.match(f"PictureUnreadable: x .*{fact}", decoded(both, content, name="x")["error"])


def test_canvas_pixels_are_decoded(both: BrowserReader) -> None:
    script = """async () => {
      const drawn = new ImageData(new Uint8ClampedArray([1, 2, 3, 255, 9, 9, 9, 255]), 2, 1);
      const { pixels, name } = await harness.decodePicture(drawn);
      return [Array.from(pixels.data), pixels.channels, name];
    }"""
    assert both.page.evaluate(script) == [[1, 2, 3, 9, 9, 9], 3, "the picture"]
