"""The page's settling of a camera's readings equals Python's."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgedigits_runtime.live.settling import Settling
from edgedigits_runtime.reading.results import Digit
from tests.support.browser_modules import hosted
from tests.web.test_page_files import SOURCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

FILMS = 40
FRAMES = 60


@pytest.fixture(scope="module")
def page(browser: "Browser") -> Iterator["Page"]:
    with hosted(SOURCE) as address:
        page = browser.new_page()
        page.goto(f"{address}settling.js")
        yield page
        page.close()


def film(seed: int) -> list[tuple[float, list[Digit]]]:
    """Return times and digits of frames: a number that moves, is misread, comes and goes."""
    rng = np.random.default_rng(seed)
    found, text, time = [], rng.integers(0, 10, 3), 0.0
    for frame in range(FRAMES):
        if rng.random() < 0.04:
            text = rng.integers(0, 10, rng.integers(0, 4))
        digits = []
        for k, value in enumerate(text):
            if rng.random() < 0.1:
                continue
            label, share = str(rng.integers(0, 10) if rng.random() < 0.1 else value), float(rng.uniform(0.5, 1))
            other = str((int(label) + 1) % 10)
            box = (20 + 50 * k + frame % 5, 30 + int(rng.integers(0, 4)), 30, 40)
            digits.append(Digit(int(label), label, share, box, ((label, share), (other, 1 - share))))
        time += float(rng.uniform(0.07, 0.3))
        found.append((time, digits))
    return found


def test_settled_texts_equal_pythons(page: "Page") -> None:
    films = [film(seed) for seed in range(FILMS)]
    given: Any = [
        [
            [time, [{"label": each.label, "box": each.box, "top": each.top} for each in digits]]
            for time, digits in frames
        ]
        for frames in films
    ]
    answers = page.evaluate(
        """async (films) => {
            const { Settling } = await import("/settling.js");
            return films.map((frames) => {
                const settling = new Settling();
                return frames.map(([time, digits]) => {
                    const { text, isNew } = settling.update(digits, time);
                    return [text, isNew];
                });
            });
        }""",
        given,
    )
    news = 0
    for frames, found in zip(films, answers, strict=True):
        settling = Settling()
        expected = [settling.update(digits, time) for time, digits in frames]
        assert found == [[answer.text, answer.new] for answer in expected]
        news += sum(answer.new for answer in expected)
    assert news > FILMS
