"""The page's reading with a finder equals Python's, stage by stage, in a real browser."""

import base64
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

import edgedigits
from edgedigits_exporters.web.webassembly import finder_parts
from edgedigits_runtime.engines.finder_network import open_finder_network
from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import EXPECT, Criteria
from edgedigits_runtime.reading.crop import crop_found
from edgedigits_runtime.reading.find import Finder
from edgedigits_runtime.reading.found import Found
from edgedigits_runtime.reading.judge import LEAST_SCORE, Candidates, judge_found
from edgedigits_runtime.reading.letterbox import letterbox
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.scenes import draw_scene
from tests.conftest import TIMES
from tests.support.js_reader import BrowserReader, encoded
from tests.support.needs import needs
from tests.support.small_finder import write_small_finder
from tests.web.test_js_reader import digits_on_any_ground, noise

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

Picture = NDArray[np.uint8]

CROP = """([picture, boxes]) => harness.cropFound(harness.pixelsOf(picture), boxes).map(
  ({ index, framed, box, fill }) => [index, harness.text(framed.data), [box.x, box.y, box.width, box.height], fill])"""
LETTERBOX = """([picture, side]) => {
  const { data, ...others } = harness.letterbox(harness.pixelsOf(picture), side);
  return { ...others, data: harness.text(data) };
}"""
JUDGE = """([found, candidates, classified, criteria]) => {
  const all = found.map(([box, score, letterScore]) => ({ box, score, letterScore }));
  const some = candidates.map(([index, box, fill]) => ({ index, box: new harness.Box(...box), fill }));
  return harness.judgeFound(all, some, classified, criteria);
}"""
OPEN = """async ([module, facts]) => {
  window.finder = await harness.wasmFinder(harness.bytes(module), facts);
}"""
RUN = """({ data, width, height }) => window.finder.run(harness.bytes(data), width, height).flatMap(
  ({ heat, box }) => [heat, box].map((values) => harness.text(new Uint8Array(values.buffer))))"""
FIND = """(picture) => harness.find(window.finder, harness.pixelsOf(picture)).map(
  ({ box, score, letterScore }) => [...box, score, letterScore])"""
READ = """async ([contract, options, picture]) => {
  const reader = new harness.Reader(harness.engine, contract, { ...options, finder: window.finder });
  return reader.trace(harness.pixelsOf(picture));
}"""


@pytest.fixture(scope="module")
def both(browser: "Browser") -> Iterator[BrowserReader]:
    with edgedigits.load("pico", finder=None) as reader:
        started = BrowserReader(browser, reader)
        yield started
        started.close()


@pytest.fixture(scope="module")
def finder(both: BrowserReader, tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """A small finder with random weights, which is also `window.finder` in the page."""
    model = write_small_finder(tmp_path_factory.mktemp("finder") / "finder.tflite")
    module, facts = finder_parts(model)
    both.page.evaluate(OPEN, [base64.b64encode(module).decode(), facts])
    return Finder(open_finder_network(model), threshold=LEAST_SCORE)


def drawn_page(seed: int) -> tuple[Picture, NDArray[np.float32]]:
    """Draw digits in any scene; return the picture and boxes that are somewhat wrong."""
    random = np.random.default_rng(seed)
    width, height = random.integers(120, 800, 2).tolist()
    options = PageOptions(
        width=width, height=height, lines=(1, 4), digits=(1, 6), digit_height=(8.0, min(width, height) / 2),
        touching=float(random.choice([0, 0.3])), signs=0.2,
    )  # fmt: skip
    page = draw_page(random, options, draw_scene(random))
    boxes = np.array(page.boxes, np.float32).reshape(-1, 4)
    moved = boxes + random.normal(0, 0.08, boxes.shape) * np.tile(boxes[:, 2:], 2)
    return page.picture, np.maximum(moved, [-10, -10, 3, 3]).astype(np.float32)


def test_crops_are_equal(both: BrowserReader) -> None:
    # Sums of float32 differ in their last bits, and with them a pixel now and then.
    crops = equal = 0
    for seed in range(9 * TIMES):
        picture, boxes = drawn_page(seed)
        found = both.page.evaluate(CROP, [encoded(picture), boxes.tolist()])
        expected = crop_found(picture, boxes)
        inked = np.flatnonzero(np.any(expected.framed, axis=(1, 2)))
        assert [index for index, *_ in found] == inked.tolist(), seed
        assert [box for _, _, box, _ in found] == expected.boxes[inked].tolist(), seed
        np.testing.assert_allclose([fill for *_, fill in found], expected.fill[inked], atol=1e-6)
        framed = np.array([list(base64.b64decode(text)) for _, text, _, _ in found]).reshape(-1, 28, 28)
        differences = np.abs(framed - expected.framed[inked].astype(int)).max(axis=(1, 2), initial=0)
        assert (differences <= 2).all(), (seed, differences)
        crops += len(found)
        equal += int(np.count_nonzero(differences == 0))
    assert crops > 30 and equal >= 0.98 * crops


def test_pictures_fit_into_the_finders_input_equally(both: BrowserReader) -> None:
    for seed in range(9 * TIMES):
        channels = (1, 3)[seed % 2]
        picture = noise(seed, channels=channels) if seed % 3 else drawn_page(seed)[0]
        expected = letterbox(np.broadcast_to(picture.reshape(*picture.shape[:2], -1), (*picture.shape[:2], 3)), 96)
        found = both.page.evaluate(LETTERBOX, [encoded(picture), 96])
        assert (found["height"], found["width"]) == expected.pixels.shape[:2], seed
        assert (tuple(found["scale"]), tuple(found["corner"])) == (expected.scale, expected.corner)
        assert base64.b64decode(found["data"]) == expected.pixels.tobytes(), seed


@pytest.mark.parametrize("expect", EXPECT)
def test_verdicts_are_equal(both: BrowserReader, expect: Any) -> None:
    for seed in range(60):
        random = np.random.default_rng(seed)
        count = int(random.integers(0, 12))
        corners = random.integers(0, [300, 60], (count, 2))
        boxes = np.concatenate([corners, random.integers(3, 40, (count, 2))], axis=1).astype(np.float32)
        scores, letters, fill, classified = random.random((4, count)).astype(np.float32)
        index = np.flatnonzero(random.random(count) < 0.8)
        length = None if expect == "one" or random.random() < 0.5 else int(random.integers(1, 6))
        criteria = Criteria(0.4, expect, length)
        inks = boxes[index].astype(int).tolist()
        found = Found(boxes, scores, letters)
        candidates = Candidates(found, index, [Box(*box) for box in inks], fill[index])
        expected = judge_found(candidates, classified[index, np.newaxis], criteria)
        given = [
            list(zip(boxes.tolist(), scores.tolist(), letters.tolist(), strict=True)),
            list(zip(index.tolist(), inks, fill[index].tolist(), strict=True)),
            classified[index].tolist(),
            {"threshold": 0.4, "expect": expect, "length": length},
        ]
        verdict = both.page.evaluate(JUDGE, given)
        assert (verdict["order"], verdict["note"]) == (list(expected.order), expected.note), seed
        assert (verdict["why"], verdict["lines"]) == (list(expected.why), list(expected.lines)), seed
        np.testing.assert_allclose(verdict["sure"], expected.sure, atol=1e-6)


@needs("clang", "wasm-ld")
def test_the_networks_outputs_equal_litert(both: BrowserReader, finder: Finder) -> None:
    for height, width in ((32, 32), (96, 64), (224, 320)):
        pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
        found = both.page.evaluate(RUN, encoded(pixels))
        for text, expected in zip(found, finder.network.outputs(pixels), strict=True):
            assert base64.b64decode(text) == expected.astype(np.float32).tobytes()


@needs("clang", "wasm-ld")
def test_what_is_found_and_read_is_equal(both: BrowserReader, finder: Finder) -> None:
    reader = Reader(both.reader.classifier, finder=finder)
    contract = json.loads(both.reader.classifier.contract.to_json())
    boxes, same = 0, []
    for seed in range(4 * TIMES):
        picture = drawn_page(seed)[0] if seed % 2 else digits_on_any_ground(seed)
        found = finder.find(picture)
        there = np.array(both.page.evaluate(FIND, encoded(picture)), np.float32).reshape(-1, 6)
        expected = np.column_stack([found.boxes, found.scores, found.letter_scores])
        assert there.shape == expected.shape, seed
        np.testing.assert_allclose(there, expected, rtol=1e-4, atol=1e-4)
        read = both.page.evaluate(READ, [contract, {}, encoded(picture)])
        reading = reader.read(picture)
        ours = [(digit.label, list(digit.box)) for digit in reading.digits]
        theirs = [(digit["label"], digit["box"]) for digit in read["digits"]]
        # A pixel that differs may decide about a digit in doubt.
        same.append(ours == theirs and read["text"] == reading.text)
        boxes += len(expected)
    assert boxes > 100 and sum(same) >= len(same) - 1


@needs("clang", "wasm-ld")
def test_a_framed_image_needs_no_finder(both: BrowserReader, finder: Finder) -> None:
    contract = json.loads(both.reader.classifier.contract.to_json())
    picture, boxes = drawn_page(3)
    framed = crop_found(picture, boxes).framed[0]
    reading = Reader(both.reader.classifier, finder=finder).read(framed)
    for shown in (framed, 255 - framed, np.stack([framed] * 3, axis=2)):
        read = both.page.evaluate(READ, [contract, {}, encoded(shown)])
        assert read["text"] == reading.text != ""
        assert "find" not in read["ms"]
