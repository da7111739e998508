"""The page follows each field of a contract as Python does: normalisation, polarity, layout and kind of output."""

import base64
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

import edgedigits_exporters
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.web import WebOptions
from edgedigits_exporters.web.site import site_files
from edgedigits_exporters.web.webassembly import build_wasm
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract, Normalisation, OutputKind, Polarity, Scaling, Tensor
from edgedigits_runtime.embedded_contract import append_zipped, read_contract
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.golden import golden_path, read_golden
from edgedigits_runtime.preprocessing import normalise, probabilities_of, quantize
from edgedigits_runtime.reading.reader import Reader
from tests.support.browser_modules import DECODE, hosted
from tests.support.edited_tflite import changed, graph_of, shipped
from tests.support.needs import needs
from tests.support.page_driving import opened
from tests.support.tiny_models import int8_contract, tflite_bytes

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

SOURCE = Path(edgedigits_exporters.__file__).parent / "web" / "source"
GREY, RGB = (6, 5, 1), (6, 5, 3)


@pytest.fixture(scope="module")
def page(browser: "Browser") -> Iterator["Page"]:
    """A blank page at the address of the modules."""
    with hosted(SOURCE) as address:
        blank = browser.new_page()
        blank.goto(f"{address}style.css")
        yield blank
        blank.close()


def text_of(array: NDArray[Any] | bytes) -> str:
    return base64.b64encode(array if isinstance(array, bytes) else array.tobytes()).decode()


def json_of(contract: Contract) -> Any:
    return json.loads(contract.to_json())


def contract_of(shape: tuple[int, int, int], dtype: str = "float32", **changes: Any) -> Contract:
    scale, zero = {"float32": (None, None), "int8": (0.0173, -3), "uint8": (0.0211, 120)}[dtype]
    taken = Tensor("x", (None, *shape), dtype, scale, zero)
    return dataclasses.replace(Contract("x", taken, Tensor("y", (None, 2), "float32"), ("a", "b")), **changes)


@pytest.mark.parametrize("polarity", ["bright-on-dark", "dark-on-bright"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8"])
def test_fed_tensors_equal_pythons(page: "Page", dtype: str, polarity: Polarity) -> None:
    cases: list[tuple[Normalisation, tuple[int, int, int]]] = [
        ("unit", GREY),
        ("column-l2", RGB),
        (Scaling((1.0,), (0.0,)), GREY),
        (Scaling((2 / 255,), (-1.0,)), RGB),
        (Scaling((1 / 58, 1 / 57, 1 / 56), (-2.1, -2.0, -1.8)), RGB),
        (Scaling((1 / 255,), (-0.4, -0.5, -0.6)), RGB),
    ]
    given, wanted = [], []
    for normalisation, shape in cases:
        own = contract_of(shape, dtype, normalisation=normalisation, polarity=polarity)
        images = np.random.default_rng(1).integers(0, 256, (4, *shape), np.uint8)
        images[0, :, :2], images[1, :, :2] = 0, 255
        given.append([json_of(own), text_of(images)])
        wanted.append(quantize(normalise(images, normalisation, polarity), own.input))
    found = page.evaluate(
        f"""async (given) => {{
            {DECODE}
            const {{ fedTensor }} = await import("/engines/tensors.js");
            return given.map(([contract, images]) => textOf(fedTensor(bytesOf(images), 4, contract)));
        }}""",
        given,
    )
    for answer, values in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(np.frombuffer(base64.b64decode(answer), dtype), values.ravel())


def test_sizes_of_every_layout(page: "Page") -> None:
    sizes = {"N": None, "H": 6, "W": 5, "C": 3, "F": 90}
    contracts = []
    for layout in ("NHWC", "NCHW", "NHW", "NF", "HWC", "CHW", "HW", "F"):
        taken = Tensor("x", tuple(sizes[axis] for axis in layout), "float32")
        contracts.append(contract_of(RGB, input=taken, layout=layout, image=RGB if "F" in layout else None))
    found = page.evaluate(
        """async (contracts) => {
            const { imageShape } = await import("/engines/tensors.js");
            return contracts.map((contract) => imageShape(contract));
        }""",
        [json_of(each) for each in contracts],
    )
    assert [tuple(each) for each in found] == [each.image_shape for each in contracts]


def test_probabilities_equal_pythons(page: "Page") -> None:
    rng = np.random.default_rng(2)
    step = 1 / 256
    given: list[list[Any]] = []
    wanted = []
    kinds: tuple[OutputKind, ...] = ("probabilities", "logits", "log-probabilities", "sigmoid", "sigmoids")
    for kind in kinds:
        for scale in (None, step):
            values = rng.normal(0, 6, (7, 10)) if kind.startswith("log") else rng.random((7, 10))
            values = values[:, :1] if kind == "sigmoid" else values
            if kind == "sigmoids":
                values[0], values[1, 3:] = 0, 0
            real = (values if scale is None else np.rint(values / scale) * scale).astype(np.float32)
            given.append([text_of(real), kind, scale])
            wanted.append(probabilities_of(real, kind, scale))
    found = page.evaluate(
        f"""async (given) => {{
            {DECODE}
            const {{ probabilitiesOf }} = await import("/engines/tensors.js");
            return given.map(([values, output_kind, scale]) => {{
                const real = new Float32Array(bytesOf(values).buffer);
                return textOf(probabilitiesOf(real, 7, {{ output_kind, output: {{ scale }} }}));
            }});
        }}""",
        given,
    )
    for answer, values in zip(found, wanted, strict=True):
        here = np.frombuffer(base64.b64decode(answer), np.float32).reshape(values.shape)
        np.testing.assert_allclose(here, values, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("layout", "shape", "runs"),
    [
        ("NHW", (4, 6, 5), [[4, 6, 5], [4, 6, 5]]),
        ("NHW", (None, 6, 5), [[7, 6, 5]]),
        ("NF", (1, 30), [[1, 30]] * 7),
        ("HWC", (6, 5, 1), [[6, 5, 1]] * 7),
    ],
)
def test_onnxruntime_gets_batches_of_the_models_size(
    page: "Page", layout: str, shape: tuple[int | None, ...], runs: list[list[int]]
) -> None:
    own = contract_of(GREY, input=Tensor("x", shape, "float32"), layout=layout, image=GREY if layout == "NF" else None)
    own = dataclasses.replace(own, output_kind="sigmoid", output=Tensor("y", (None, 1), "float32"))
    images = np.random.default_rng(3).integers(0, 256, (7, *GREY), np.uint8)
    # A stand-in for ONNX Runtime, whose network is the mean of an image.
    answer, shapes = page.evaluate(
        f"""async ([contract, images]) => {{
            {DECODE}
            const shapes = [];
            class Tensor {{ constructor(dtype, data, dims) {{ Object.assign(this, {{ dtype, data, dims }}); }} }}
            const run = async ({{ x }}) => {{
                shapes.push(x.dims);
                const means = Array.from({{ length: x.data.length / 30 }}, (_, k) =>
                    x.data.slice(k * 30, (k + 1) * 30).reduce((sum, value) => sum + value, 0) / 30);
                return {{ y: {{ data: Float32Array.from(means) }} }};
            }};
            const InferenceSession = {{ create: async () => ({{ run }}) }};
            globalThis.ort = {{ InferenceSession, Tensor, env: {{ wasm: {{}} }} }};
            const {{ onnxruntimeEngine }} = await import("/engines/onnxruntime.js");
            const engine = await onnxruntimeEngine(null, null, contract);
            return [textOf(await engine.run(bytesOf(images), 7)), shapes];
        }}""",
        [json_of(own), text_of(images)],
    )
    means = images.reshape(7, -1).mean(axis=1, dtype=np.float64) / 255
    found = np.frombuffer(base64.b64decode(answer), np.float32).reshape(7, 2)
    np.testing.assert_allclose(found, np.stack([1 - means, means], axis=1), atol=1e-6)
    assert shapes == runs


@pytest.fixture(scope="module", params=[False, True], ids=["ten labels", "nine and a non-digit"])
def logits(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pico without its softmax, for dark ink on bright ground; with a non-digit, the output of 9 is taken for it."""

    def without_softmax(model: Any) -> None:
        graph = graph_of(model)
        last = graph.operators.pop()
        graph.outputs = last.inputs

    content = changed(shipped("pico"), without_softmax)
    own = read_contract(SHIPPED / "pico.tflite")
    path = tmp_path_factory.mktemp("logits") / "logits.tflite"
    scale, zero = quantization_of(content)
    made = Tensor("logits", own.output.shape, "int8", scale, zero)
    # 1 - pixel / 255 of an inverted pixel is what pico takes.
    scaling = Scaling((-1 / 255,), (1.0,))
    changes: dict[str, Any] = {"polarity": "dark-on-bright", "normalisation": scaling, "output_kind": "logits"}
    if request.param:
        changes |= {"labels": own.labels[:9], "non_digit": True}
    path.write_bytes(append_zipped(content, dataclasses.replace(own, output=made, temperature=1.3, **changes)))
    return path


def quantization_of(content: bytes) -> tuple[float, int]:
    """Return scale and zero point of a file's output."""
    from ai_edge_litert.interpreter import Interpreter

    scale, zero = Interpreter(model_content=content).get_output_details()[0]["quantization"]
    return float(scale), int(zero)


@needs("clang", "wasm-ld")
def test_a_model_with_logits_reads_as_in_python(page: "Page", logits: Path) -> None:
    own, options = read_contract(logits), WebOptions()
    pictures = [bytes(picture) for picture in read_golden(golden_path(SHIPPED / "pico.tflite"))["pictures"]]
    found = page.evaluate(
        f"""async ([module, contract, pictures]) => {{
            {DECODE}
            const [{{ wasmEngine }}, {{ Reader }}] = await Promise.all(
                ["/engines/wasm.js", "/reader/reader.js"].map((place) => import(place)));
            const reader = new Reader(await wasmEngine(bytesOf(module), contract), contract);
            const readings = [];
            for (const picture of pictures) readings.push(await reader.read(new Blob([bytesOf(picture)])));
            return readings;
        }}""",
        [text_of(build_wasm(logits, options.code)), json_of(own), [text_of(each) for each in pictures]],
    )
    with open_engine(logits) as engine:
        reader = Reader(Classifier(engine))
        for reading, picture in zip(found, pictures, strict=True):
            trace = reader.trace(picture)
            assert reading["text"] == trace.reading.text
            confidences = np.array([each["probabilities"] for each in reading["candidates"]])
            np.testing.assert_allclose(confidences, trace.confidences, rtol=0, atol=1e-6)
    assert any(reading["text"] for reading in found)


@needs("clang", "wasm-ld")
def test_the_exported_page_of_such_a_model_starts(browser: "Browser", logits: Path, tmp_path: Path) -> None:
    for name, content in site_files(logits, WebOptions()).items():
        (tmp_path / name).write_bytes(content)
    # It replays its golden vectors when it starts.
    with opened(browser, (tmp_path / "index.html").as_uri()) as shown:
        assert shown.inner_text("#reader") == "pico · wasm · cpu"


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    own = int8_contract(input=Tensor("image", (1, 32, 32, 1), "int8", 1 / 255, -128))
    (tmp_path / "own.tflite").write_bytes(tflite_bytes(own, "int8"))
    with pytest.raises(ArtifactUnsupported, match=r"\[28, 28, 1\].*\[32, 32, 1\]"):
        site_files(tmp_path / "own.tflite", WebOptions())
