"""What the page shows of the network: layers as LiteRT computes them, what speaks for an answer, and other networks."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import edgedigits
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.microcontroller.c import COptions
from edgedigits_exporters.web.webassembly import build_wasm, program_of
from edgedigits_runtime.golden import golden_path, read_golden
from tests.support.browser_modules import DECODE
from tests.support.needs import needs
from tests.support.page_driving import opened, violations, wait_for_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

MAX_NAME = 200
"""Parsed names are cut."""
PANELS = ("explain", "look", "compare")


@pytest.fixture(scope="module")
def page(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator["Page"]:
    """The page of pico with nano beside it, from disk."""
    out = tmp_path_factory.mktemp("inside") / "site"
    made = edgedigits.export("pico", format="web", beside=["nano"], out=out, verify=False)
    with opened(browser, (made.path / "index.html").as_uri()) as page:
        yield page


@needs("clang", "wasm-ld")
def test_each_layer_is_that_of_litert(browser: "Browser", tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    model = Path(shutil.copy(SHIPPED / "pico.tflite", tmp_path))
    options = COptions(kernels="reference")
    framed = read_golden(golden_path(SHIPPED / "pico.tflite"))["framed"][3].reshape(1, 28, 28, 1)
    litert = Interpreter(
        str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF, experimental_preserve_all_tensors=True
    )
    litert.allocate_tensors()
    litert.set_tensor(litert.get_input_details()[0]["index"], (framed.astype(int) - 128).astype(np.int8))
    litert.invoke()
    places = {each["name"][:MAX_NAME]: each["index"] for each in litert.get_tensor_details()}
    outputs = [operator.output for operator in program_of(model, options).operators]
    expected = [litert.get_tensor(places[output.name]).astype(int).ravel() + 128 for output in outputs]

    page = browser.new_page()
    text = page.evaluate(
        f"""async ([module, given]) => {{
            {DECODE}
            const {{ instance }} = await WebAssembly.instantiate(bytesOf(module));
            const {{ memory, digits_pixels, digits_look }} = instance.exports;
            new Uint8Array(memory.buffer, digits_pixels(), 784).set(bytesOf(given));
            const at = digits_look();
            return textOf(new Uint8Array(memory.buffer, at, {sum(map(len, expected))}));
        }}""",
        [base64.b64encode(each).decode() for each in (build_wasm(model, options), framed.tobytes())],
    )
    page.close()
    found = np.frombuffer(base64.b64decode(text), np.uint8)
    np.testing.assert_array_equal(found, np.concatenate(expected))


def test_closed_panels_compute_nothing(page: "Page") -> None:
    page.click("[data-write='7']")
    wait_for_text(page, "7")
    assert [page.locator(f"#{name}").is_visible() for name in PANELS] == [True] * 3
    assert page.locator("#layers li").count() == page.locator("#compared tr").count() == 0


def test_open_panels_explain_the_selected_digit(page: "Page") -> None:
    for name in PANELS:
        page.click(f"#{name} summary")
    page.click("[data-write='42']")
    wait_for_text(page, "42")
    page.locator("#explain-words", has_text="speaks for 4").wait_for()
    page.locator("#compared tr td:has-text('4')").first.wait_for()
    layers = page.locator("#layers li span").all_inner_texts()
    assert layers[0] == "convolution · 28×28×4"
    assert layers[-1] == "probabilities · 1×1×10"
    rows = [row.split("\t") for row in page.locator("#compared").inner_text().splitlines()]
    assert sorted(row[0] for row in rows) == ["nano", "pico"]
    assert {row[1] for row in rows} == {"4"}
    assert all(row[4].endswith("µs") for row in rows)
    page.locator("#digit-list label").nth(1).click()
    page.locator("#explain-words", has_text="speaks for 2").wait_for()
    assert violations(page) == []


def test_the_heat_is_where_the_ink_decides(page: "Page") -> None:
    """Without its upper left stroke, a 4 is no 4; the map glows in orange on ink."""
    page.click("[data-write='42']")
    wait_for_text(page, "42")
    page.locator("#digit-list label").nth(0).click()
    page.locator("#explain-words", has_text="speaks for 4").wait_for()
    colours = page.evaluate(
        "() => [...document.getElementById('heat').getContext('2d').getImageData(0, 0, 336, 336).data]"
    )
    pixels = np.array(colours).reshape(336, 336, 4)
    warm = (pixels[..., 0] > pixels[..., 2] + 60).sum()
    assert warm > 200
