"""The exported page and the Python reader agree, stage by stage and decision by decision."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import edgedigits_exporters
from edgedigits import load
from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED, shipped_names
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.golden import golden_path, read_golden
from edgedigits_runtime.preprocessing import dequantize, normalise, quantize
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import SCENES, scene_named
from tests.conftest import encoded
from tests.support.browser_modules import DECODE, hosted

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

SOURCE = Path(edgedigits_exporters.__file__).parent / "web" / "source"
TOGETHER = 100
"""Pictures in one call."""


@pytest.fixture(scope="module")
def page(browser: "Browser") -> Iterator["Page"]:
    """A blank page at the address of the modules."""
    with hosted(SOURCE) as address:
        opened = browser.new_page()
        opened.goto(f"{address}style.css")
        yield opened
        opened.close()


def in_browser(page: "Page", name: str, body: str, *given: Any) -> Any:
    """Run `body` with an engine of a shipped network, its contract, the page's modules and `given`."""
    contract = json.loads(load(name).classifier.contract.to_json())
    module = base64.b64encode((SHIPPED / f"{name}.wasm").read_bytes()).decode()
    return page.evaluate(
        f"""async ([module, contract, given]) => {{
            {DECODE}
            const places = ["engines/wasm", "reader/reader", "reader/decode", "reader/ink", "reader/locate",
                "reader/frame"];
            const loaded = await Promise.all(places.map((place) => import(`/${{place}}.js`)));
            const page = Object.assign({{}}, ...loaded);
            const engine = await page.wasmEngine(bytesOf(module), contract);
            {body}
        }}""",
        [module, contract, list(given)],
    )


def read(page: "Page", name: str, pictures: Sequence[bytes]) -> list[dict[str, Any]]:
    """Read encoded pictures with the page's own backend."""
    found: list[dict[str, Any]] = []
    for first in range(0, len(pictures), TOGETHER):
        some = [base64.b64encode(picture).decode() for picture in pictures[first : first + TOGETHER]]
        found += in_browser(
            page,
            name,
            """const reader = new page.Reader(engine, contract);
            const readings = [];
            for (const picture of given[0]) readings.push(await reader.read(new Blob([bytesOf(picture)])));
            return readings;""",
            some,
        )
    return found


def assert_same(found: dict[str, Any], reader: Reader, picture: bytes) -> None:
    """Compare a reading of the page with Python's."""
    trace = reader.trace(picture)
    expected = trace.to_dict()
    assert found["text"] == expected["text"]
    assert [each["box"] for each in found["digits"]] == [each["box"] for each in expected["digits"]]
    assert [each["why"] for each in found["candidates"]] == list(trace.why)
    framed = [base64.b64decode(each["framed"]) for each in found["candidates"]]
    assert framed == [image.tobytes() for image in trace.framed]
    confidences = np.array([each["probabilities"] for each in found["candidates"]]).reshape(-1, 10)
    np.testing.assert_allclose(confidences, trace.confidences, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", shipped_names())
def test_golden_vectors_agree_stage_by_stage(page: "Page", name: str) -> None:
    golden = read_golden(golden_path(SHIPPED / f"{name}.tflite"))
    pictures = [base64.b64encode(picture).decode() for picture in golden["pictures"]]
    framed, output, expected_output = in_browser(
        page,
        name,
        """const framed = [];
        for (const picture of given[0]) {
            const { pixels } = await page.decodePicture(new Blob([bytesOf(picture)]));
            const ink = page.findInk(pixels);
            const found = page.framedBox(ink)
                ? [ink] : page.locate(ink, true).candidates.map((candidate) => page.frameDigit(candidate.ink));
            framed.push(...found.map(({ data }) => textOf(data)));
        }
        const replayed = await engine.invoke(bytesOf(given[1]), given[2]);
        return [framed, textOf(replayed), replayed.constructor.name];""",
        pictures,
        base64.b64encode(golden["framed"].tobytes()).decode(),
        len(golden["framed"]),
    )
    assert [base64.b64decode(each) for each in framed] == [image.tobytes() for image in golden["framed"]]
    assert expected_output == "Int8Array"
    assert base64.b64decode(output) == golden["output"].tobytes()
    readings = read(page, name, [bytes(picture) for picture in golden["pictures"]])
    assert [reading["text"] for reading in readings] == golden["text"].tolist()


def test_mnist_test_images_agree_with_python(page: "Page", reader: Reader, mnist: Dataset) -> None:
    pictures = [encoded(Image.fromarray(image.reshape(28, 28))) for image in mnist.test.images[:1000]]
    for found, picture in zip(read(page, "base", pictures), pictures, strict=True):
        assert_same(found, reader, picture)


PAGES = PageOptions(lines=(1, 5), digits=(1, 6), touching=0.15, signs=0.1, digit_height=(40, 120))


@pytest.mark.parametrize("scene", SCENES)
def test_drawn_pages_agree_with_python(page: "Page", reader: Reader, scene: str) -> None:
    pictures = []
    for seed in range(2):
        drawn = draw_page(np.random.default_rng([seed, len(scene)]), PAGES, scene_named(scene))
        # Decoders of JPEG differ in the last bit, so only PNG can be compared.
        pictures.append(encoded(Image.fromarray(drawn.picture)))
    for found, picture in zip(read(page, "base", pictures), pictures, strict=True):
        assert found["text"]
        assert_same(found, reader, picture)


def test_quantized_tensors_agree_with_python(page: "Page") -> None:
    random = np.random.default_rng(0)
    for dtype in ("float32", "int8", "uint8"):
        for normalisation in ("unit", "column-l2"):
            tensor = tensor_of(dtype, random)
            taken = Contract("x", tensor, tensor_of(dtype, random), ("a", "b"), normalisation=normalisation)
            images = random.integers(0, 256, (3, 28, 28, 1), np.uint8)
            images[0, :, :9] = 0
            stored = quantize(normalise(images, normalisation), tensor)
            given = quantize(random.random(6, np.float32), taken.output)
            fed, real = page.evaluate(
                f"""async ([contract, images, stored]) => {{
                    {DECODE}
                    const {{ fedTensor, dequantized, TENSOR_ARRAYS }} = await import("/engines/tensors.js");
                    const fed = fedTensor(bytesOf(images), 3, contract);
                    const tensor = new TENSOR_ARRAYS[contract.output.dtype](bytesOf(stored).buffer);
                    return [textOf(fed), textOf(dequantized(tensor, contract.output))];
                }}""",
                [json.loads(taken.to_json()), text_of(images), text_of(given)],
            )
            np.testing.assert_array_equal(np.frombuffer(base64.b64decode(fed), dtype), stored.ravel())
            np.testing.assert_array_equal(
                np.frombuffer(base64.b64decode(real), np.float32), dequantize(given, taken.output)
            )


def tensor_of(dtype: str, random: np.random.Generator) -> Tensor:
    """Return an input or output tensor with random quantization."""
    if dtype == "float32":
        return Tensor("x", (None, 28, 28, 1), dtype)
    zero = int(random.integers(-128, 128)) + (128 if dtype == "uint8" else 0)
    return Tensor("x", (None, 28, 28, 1), dtype, float(random.uniform(0.002, 0.02)), zero)


def text_of(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()
