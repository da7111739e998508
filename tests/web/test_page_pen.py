"""The pen of the page: digits of every size are read, while it moves and after; a person may choose its width."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgedigits_runtime.synthetic.digit_styles import digit_glyphs
from edgedigits_runtime.synthetic.handwriting import Handwriting, Points
from tests.support.page_driving import draw, ink_on_pad, opened, wait_for_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

PIXELS = 26
GAP = 0.3


@pytest.fixture(scope="module")
def page(browser: "Browser", base_site: Path) -> Iterator["Page"]:
    """The exported page, opened from disk."""
    with opened(browser, (base_site / "index.html").as_uri()) as page:
        yield page


@pytest.fixture(autouse=True)
def _clear(page: "Page") -> None:
    page.select_option("#pen", "auto")
    if page.locator("#clear:enabled").count():
        page.click("#clear")


def written(text: str, height: float, seed: int) -> list[Points]:
    """Return the strokes of a number by a random writer, from the left, in shares of the pad's width and height."""
    rng = np.random.default_rng(seed)
    hand, paths, x = Handwriting.random(rng), [], 0.04
    for character in text:
        glyphs = digit_glyphs(int(character), "school")
        traces = [trace * height for trace in hand.trace(glyphs[rng.integers(len(glyphs))], rng)]
        low, high = (bound(np.concatenate(traces), axis=0) for bound in (np.min, np.max))
        # draw takes every second point of these: each is a round trip to the browser.
        paths += [(trace - low + [x, 0.35])[[*range(0, len(trace) - 1, 3), -1]] * [1, 1.25] for trace in traces]
        x += high[0] - low[0] + GAP * height
    assert x < 1, "the number is wider than the pad"
    return paths


def test_ten_digits_in_a_row_are_read(page: "Page") -> None:
    draw(page, written("9074653210", 0.09, seed=10))
    wait_for_text(page, "9074653210")


@pytest.mark.parametrize("text", ["8", "4605"])
def test_digits_of_26_pixels_are_read(page: "Page", text: str) -> None:
    pad = page.locator("#pad").bounding_box()
    assert pad
    draw(page, written(text, PIXELS / pad["width"], seed=1))
    wait_for_text(page, text)
    # The boxes are on the pad, where the digits are.
    first = page.locator("#draw-boxes .box").first.bounding_box()
    assert first
    assert first["height"] == pytest.approx(PIXELS, abs=8)
    assert first["x"] == pytest.approx(pad["x"] + 0.04 * pad["width"], abs=6)
    assert first["y"] == pytest.approx(pad["y"] + 0.35 * pad["width"], abs=6)


def test_a_chosen_pen_is_wider_or_finer_and_reads_the_same(page: "Page") -> None:
    draw(page, written("365", 0.2, seed=2))
    inks = []
    for pen in ("fine", "medium", "broad"):
        page.select_option("#pen", pen)
        wait_for_text(page, "365")
        inks.append(ink_on_pad(page))
    assert inks[0] < 0.7 * inks[1] < 0.5 * inks[2]


def test_it_reads_while_the_pen_moves_and_announces_when_it_is_lifted(page: "Page") -> None:
    pad = page.locator("#pad").bounding_box()
    assert pad
    place = [(pad["x"] + 0.5 * pad["width"], pad["y"] + y * pad["height"]) for y in np.linspace(0.2, 0.8, 12)]
    page.mouse.move(*place[0])
    page.mouse.down()
    for point in place[1:]:
        page.mouse.move(*point)
    wait_for_text(page, "1")
    assert page.locator("#draw-boxes .box").count() == 1
    assert page.locator("#result.unfinished").count() == 1
    assert "Read 1" not in page.inner_text("#announcement")
    page.mouse.up()
    page.locator("#announcement", has_text="Read 1.").wait_for(state="attached")
    assert page.locator("#result.unfinished").count() == 0


def test_a_worker_reads(page: "Page") -> None:
    assert [worker.url[:5] for worker in page.workers] == ["blob:"]
