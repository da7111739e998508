"""The page opens by writing a number, has hard pictures to try, makes a card, and is an element for other pages."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import edgedigits
from edgedigits_runtime.errors import UnknownName
from tests.support.browser_modules import hosted
from tests.support.page_driving import opened, violations, wait_for_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

NOTES = ["2718\n2818", "3141\n5926", "4096\n65536"]


@pytest.fixture(scope="module")
def address(base_site: Path) -> str:
    return (base_site / "index.html").as_uri()


@pytest.fixture
def page(browser: "Browser", address: str) -> Iterator["Page"]:
    with opened(browser, address) as page:
        yield page


def test_the_page_writes_a_number_and_reads_it(browser: "Browser", address: str) -> None:
    with opened(browser, address, reduced_motion="no-preference") as page:
        assert "KB" in page.inner_text("#lead")
        wait_for_text(page, "2795")
        assert page.locator("#undo").is_disabled()
        # The first stroke takes its place.
        pad = page.locator("#pad").bounding_box()
        assert pad
        page.mouse.move(pad["x"] + 200, pad["y"] + 100)
        page.mouse.down()
        page.mouse.move(pad["x"] + 200, pad["y"] + 250, steps=5)
        page.mouse.up()
        wait_for_text(page, "1")


def test_hard_pictures_are_read(page: "Page") -> None:
    page.click("#picture-tab")
    for note, text in zip(page.locator("#gallery button").all(), NOTES, strict=True):
        note.click()
        wait_for_text(page, text)
    assert violations(page) == []


def test_a_card_shows_drawing_answer_and_pixels(page: "Page") -> None:
    assert page.locator("#card").is_hidden()
    page.click("[data-write='42']")
    wait_for_text(page, "42")
    with page.expect_download() as download:
        page.click("#card")
    assert download.value.suggested_filename == "digits-42.png"
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as image:
        assert image.size == (1200, 630)
        pixels = np.asarray(image.convert("L"))
    drawing, rest = pixels[48:544, 48:668], pixels[48:544, 716:1152]
    assert 0.02 < (drawing < 100).mean() < 0.3
    # The tiles of the network's input are black with ink of many levels.
    assert (rest < 5).sum() > 5000
    assert len(np.unique(rest)) > 20


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("npm") / "element"
    return edgedigits.export("nano", format="web", project="npm", out=out, verify=False).path


def test_an_element_reads_in_another_page(browser: "Browser", package: Path) -> None:
    described = json.loads((package / "package.json").read_text())
    assert described["name"] == "edge-digits-nano"
    assert all((package / name).is_file() for name in described["files"])
    script = described["exports"].removeprefix("./")
    (package / "host.html").write_text(
        f'<!doctype html><title>Host</title><script type="module" src="{script}"></script><edge-digits></edge-digits>'
    )
    page = browser.new_page()
    with hosted(package) as address:
        page.goto(f"{address}host.html")
        page.evaluate(
            """() => {
                window.readings = [];
                addEventListener("reading", ({ detail }) => readings.push(detail));
            }"""
        )
        page.locator("edge-digits canvas").focus()
        page.keyboard.type("42")
        page.wait_for_function("readings.at(-1)?.text === '42'")
        last = page.evaluate("readings.at(-1)")
        assert [digit["label"] for digit in last["digits"]] == ["4", "2"]
        assert last["finished"]
        assert page.evaluate("document.querySelector('edge-digits').value") == "42"
        page.locator("edge-digits button").click()
        page.wait_for_function("readings.at(-1).text === ''")
    page.close()


def test_an_unknown_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="page, npm"):
        edgedigits.export("nano", format="web", project="cmake", out=tmp_path / "a")
