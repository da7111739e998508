"""The page's reader in a real browser, on pixels and a network from Python."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import edgedigits_exporters
from edgedigits_runtime.reading.reader import Reader

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

SOURCE = Path(edgedigits_exporters.__file__).parent / "web" / "source"
ORIGIN = "http://localhost"

HARNESS = """
async (modules) => {
  const loaded = await Promise.all(modules.map((name) => import(`/${name}.js`)));
  const reader = Object.assign({}, ...loaded);
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const text = (data) => {
    let written = "";
    for (let k = 0; k < data.length; k += 32768) written += String.fromCharCode(...data.subarray(k, k + 32768));
    return btoa(written);
  };
  const engine = {
    name: "python",
    async run(framed, count) {
      return new Float32Array(bytes(await window.pythonInvoke(text(framed), count)).buffer);
    },
  };
  const pixelsOf = ({ width, height, channels, data }) => new reader.Pixels(width, height, channels, bytes(data));
  const stages = (pixels) => {
    const ink = reader.findInk(pixels);
    const box = reader.framedBox(ink);
    const layout = box ? { candidates: [{ box, ink }] } : reader.locate(ink);
    const framed = box ? [ink] : layout.candidates.map((candidate) => reader.frameDigit(candidate.ink));
    const boxes = layout.candidates.map(({ box: { x, y, width, height } }) => [x, y, width, height]);
    return { ink: text(ink.data), boxes, framed: framed.map(({ data }) => text(data)) };
  };
  const traceAll = async (contract, options, pictures) => {
    const pageReader = new reader.Reader(engine, contract, options);
    const traced = [];
    for (const picture of pictures) {
      const pixels = pixelsOf(picture);
      traced.push({ stages: stages(pixels), reading: await pageReader.trace(pixels) });
    }
    return traced;
  };
  window.harness = { ...reader, bytes, text, engine, pixelsOf, traceAll };
}
"""


@dataclass(frozen=True, eq=False)
class Traced:
    """A reading: `boxes` and `framed` of all candidates, the other fields of the reported candidates."""

    ink: NDArray[np.uint8]
    boxes: list[list[int]]
    framed: NDArray[np.uint8]
    text: str
    reported: list[list[int]]
    why: list[str]
    confidences: NDArray[np.float32]


class BrowserReader:
    """The page's reader, which runs the network of a Python reader.

    Attributes:
        page: a page with the modules of the reader as `window.harness`.
    """

    def __init__(self, browser: "Browser", reader: Reader) -> None:
        self.reader = reader
        self.page = browser.new_page()
        self.page.route(f"{ORIGIN}/**", _serve)
        self.page.expose_function("pythonInvoke", self._invoke)
        self.page.goto(f"{ORIGIN}/")
        modules = [f"reader/{path.stem}" for path in sorted((SOURCE / "reader").glob("*.js"))]
        self.page.evaluate(HARNESS, [*modules, "engines/finder"])

    def close(self) -> None:
        self.page.close()

    def trace(self, pictures: Sequence[NDArray[np.uint8]], **options: Any) -> list[Traced]:
        """Read pictures, uint8 [H, W], [H, W, 1] or [H, W, 3], in the browser."""
        import json

        contract = json.loads(self.reader.classifier.contract.to_json())
        found = self.page.evaluate(
            "([contract, options, pictures]) => harness.traceAll(contract, options, pictures)",
            [contract, options, [encoded(picture) for picture in pictures]],
        )
        return [_traced(each, picture) for each, picture in zip(found, pictures, strict=True)]

    def _invoke(self, framed: str, count: int) -> str:
        images = np.frombuffer(base64.b64decode(framed), np.uint8).reshape(count, 28, 28, 1)
        return base64.b64encode(self.reader.classifier.engine.run_all(images).tobytes()).decode()


def traced_in_python(reader: Reader, picture: NDArray[np.uint8]) -> Traced:
    """Read a picture with the Python reader."""
    trace = reader.trace(picture)
    boxes, framed = reader.framed(picture)
    return Traced(
        ink=trace.ink,
        boxes=[list(box) for box in boxes],
        framed=framed.reshape(-1, 28, 28),
        text=trace.reading.text,
        reported=[list(box) for box in trace.candidates],
        why=list(trace.why),
        confidences=trace.confidences,
    )


def difference(python: Traced, browser: Traced) -> str:
    """Describe the first stage in which the readers differ; empty if they agree."""
    if not np.array_equal(python.ink, browser.ink):
        return f"ink: {np.count_nonzero(python.ink != browser.ink)} pixels"
    if python.boxes != browser.boxes:
        return f"boxes: {python.boxes} and {browser.boxes}"
    if not np.array_equal(python.framed, browser.framed):
        return f"framed: {np.count_nonzero(python.framed != browser.framed)} pixels"
    if (python.text, python.reported, python.why) != (browser.text, browser.reported, browser.why):
        return f"verdict: {python.text!r} {python.why} and {browser.text!r} {browser.why}"
    if not np.allclose(python.confidences, browser.confidences, rtol=0, atol=1e-6):
        return f"confidences: {np.abs(python.confidences - browser.confidences).max()}"
    return ""


def encoded(picture: NDArray[np.uint8]) -> dict[str, Any]:
    """Encode a picture for the harness."""
    return {
        "width": picture.shape[1],
        "height": picture.shape[0],
        "channels": 1 if picture.ndim == 2 else picture.shape[2],
        "data": base64.b64encode(np.ascontiguousarray(picture).tobytes()).decode(),
    }


def _traced(found: dict[str, Any], picture: NDArray[np.uint8]) -> Traced:
    stages, reading = found["stages"], found["reading"]
    candidates = reading["candidates"]
    return Traced(
        ink=_bytes(stages["ink"]).reshape(picture.shape[:2]),
        boxes=stages["boxes"],
        framed=np.array([_bytes(each) for each in stages["framed"]], np.uint8).reshape(-1, 28, 28),
        text=reading["text"],
        reported=[each["box"] for each in candidates],
        why=[each["why"] for each in candidates],
        confidences=np.array([each["probabilities"] for each in candidates], np.float32).reshape(-1, 10),
    )


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(text), np.uint8)


def _serve(route: "Route") -> None:
    place = route.request.url.removeprefix(ORIGIN + "/")
    if place:
        route.fulfill(path=SOURCE / place, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")
