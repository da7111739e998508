"""Drive the page like a user, with pen, touch, keyboard and files, and collect console messages and requests."""

import base64
import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgedigits_runtime.synthetic.digit_styles import Glyph
from edgedigits_runtime.synthetic.handwriting import Points, trace_stroke

if TYPE_CHECKING:
    from PIL import Image
    from playwright.sync_api import Browser, Page

READ_SECONDS = 60
"""Timeout of a reading; the machine may be busy."""

WITHOUT_LOAD = ("blob:", "data:")

# Chromium prints advice when a test reads the pad's pixels.
CAUSED_BY_TESTS = "willReadFrequently"


@contextmanager
def page_server() -> Iterator[str]:
    """Run `edgedigits serve` on a free port; yield the address of its page."""
    command = [sys.executable, "-m", "edgedigits", "serve", "--port", "0", "--no-log-requests"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        address = next(filter(None, (re.search(r"http://\S+", line) for line in server.stderr)), None)
        assert address, "the server ended without printing its address"
        yield address[0]
        server.terminate()


@contextmanager
def opened(browser: "Browser", address: str, *, allowed: str = "(?!)", **options: Any) -> Iterator["Page"]:
    """Open the page in a new context; afterwards check that the console is empty and all requests go to the page.

    Args:
        browser: Chromium.
        address: of the page, http: or file:.
        allowed: a regular expression of allowed console messages.
        options: of the browser's context: viewport, color_scheme, has_touch, permissions, ...
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options})
    page = context.new_page()
    page.set_default_timeout(READ_SECONDS * 1e3)
    requested: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(address)
    page.locator("#reader:not(:empty)").wait_for()
    yield page
    context.close()
    assert not [line for line in messages if not re.search(f"{allowed}|{CAUSED_BY_TESTS}", line)]
    assert requested
    assert not [url for url in requested if not url.startswith((address, *WITHOUT_LOAD))]


def wait_for_text(page: "Page", text: str) -> None:
    """Wait until the page shows the reading `text`; "" is a picture without digits."""
    from playwright.sync_api import expect

    expect(page.locator("#text")).to_have_text(text or "No digit here", timeout=READ_SECONDS * 1e3)
    page.locator("#result:not([aria-busy])").wait_for()


def stroke_paths(glyph: Glyph, place: tuple[float, float, float], seed: int = 0) -> list[Points]:
    """Return the strokes of a digit on the pad, [n, 2] each, in shares of its width and height.

    Args:
        glyph: as in edgedigits_runtime.synthetic.digit_styles.
        place: left, top and height of the digit in widths of the pad, which is 1 wide and 0.8 high.
        seed: of the random tremble.
    """
    left, top, height = place
    rng = np.random.default_rng(seed)
    return [(trace_stroke(stroke, 0.004, rng) * height + [left, top]) * [1, 1.25] for stroke in glyph]


Pointer = Callable[["Page", Sequence[tuple[float, float]]], None]


def draw(page: "Page", paths: Sequence[Points], pointer: Pointer | None = None) -> None:
    """Draw strokes, in shares of the pad's width and height, with the mouse or another pointer."""
    page.locator("#pad").scroll_into_view_if_needed()
    pad = page.locator("#pad").bounding_box()
    assert pad is not None
    for path in paths:
        # Every second point is about the rate of real pointers.
        points = [*path[:-1:2].tolist(), path[-1].tolist()]
        on_screen = [(pad["x"] + x * pad["width"], pad["y"] + y * pad["height"]) for x, y in points]
        (pointer or draw_by_mouse)(page, on_screen)


def draw_by_mouse(page: "Page", points: Sequence[tuple[float, float]]) -> None:
    """Draw one stroke through points of the screen."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def draw_by_touch(page: "Page", points: Sequence[tuple[float, float]]) -> None:
    """Draw one stroke with a finger."""
    protocol = page.context.new_cdp_session(page)
    for k, (x, y) in enumerate(points):
        kind = "touchMove" if k else "touchStart"
        protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    protocol.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    protocol.detach()


def pen(pressure: float) -> Pointer:
    """Return a pointer that draws with a pen at a pressure of 0..1."""

    def draw_by_pen(page: "Page", points: Sequence[tuple[float, float]]) -> None:
        protocol = page.context.new_cdp_session(page)
        common = {"pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1, "force": pressure}
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*points, points[-1]], strict=True):
            protocol.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **common})
        protocol.detach()

    return draw_by_pen


def ink_on_pad(page: "Page") -> int:
    """Return the number of pixels with ink on the pad."""
    count: int = page.evaluate(
        """() => {
            const pad = document.getElementById("pad");
            const { data } = pad.getContext("2d").getImageData(0, 0, pad.width, pad.height);
            return data.filter((value, k) => k % 4 === 3 && value > 127).length;
        }"""
    )
    return count


def choose_file(page: "Page", path: Path) -> None:
    """Choose a picture like the browser's file dialog."""
    page.click("#picture-tab")
    page.set_input_files("#choose", path)


def hand_over(page: "Page", event: str, content: bytes, name: str) -> None:
    """Drop or paste a file: `event` is "drop" or "paste"."""
    page.evaluate(
        """([event, content, name]) => {
            const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], name));
            const options = { bubbles: true, cancelable: true };
            if (event === "drop") {
                document.body.dispatchEvent(new DragEvent("dragover", { ...options, dataTransfer: data }));
                document.body.dispatchEvent(new DragEvent("drop", { ...options, dataTransfer: data }));
            } else {
                document.body.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: data }));
            }
        }""",
        [event, base64.b64encode(content).decode(), name],
    )


def write_mjpeg(path: Path, picture: "Image.Image", frames: int = 4) -> Path:
    """Write a sequence of JPEGs, which Chromium's fake camera repeats."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    path.write_bytes(file.getvalue() * frames)
    return path


def violations(page: "Page") -> list[str]:
    """Return the violations that axe-core finds."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]
