"""Take the screenshots of the docs: `make page-pictures`, or `python -m tests.support.page_pictures docs/pictures`."""

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

import edgedigits
from edgedigits_runtime.synthetic.digit_styles import SCHOOL_STYLES
from edgedigits_runtime.whole_files import write_whole
from tests.support.page_driving import draw, opened, page_server, stroke_paths, wait_for_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COLOURS = 256
"""Size of the palette, which keeps the files small."""

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
DESKTOP = {"viewport": {"width": 1280, "height": 880}}
TALL_HEIGHT = 2260
TALL = {"viewport": {"width": 1280, "height": TALL_HEIGHT}}
SPACE = 40


def page_screenshots(browser: "Browser", address: str) -> dict[str, Image.Image]:
    """Return screenshots of the served page by name."""
    return {
        "page-desktop": _shot(browser, address, _write_number, DESKTOP, "light"),
        "page-desktop-dark": _shot(browser, address, _show_sample, DESKTOP, "dark"),
        "page-phone": _beside(
            _shot(browser, address, _write_number, PHONE, "light"),
            _shot(browser, address, _draw_star, PHONE, "light"),
            _shot(browser, address, _show_sample, PHONE, "dark"),
        ),
    }


def export_screenshots(browser: "Browser", folder: Path) -> dict[str, Image.Image]:
    """Return screenshots of the exported page, opened from disk, by name."""
    made = edgedigits.export("base", format="web", beside=["pico", "nano"], out=folder / "site")
    address = (made.path / "index.html").as_uri()
    return {
        "web-inside": _shot(browser, address, _look_inside, TALL, "light").crop((670, 715, 1250, TALL_HEIGHT)),
        "web-desktop": _shot(browser, address, _show_sample, DESKTOP, "light"),
        "web-phone": _beside(
            _shot(browser, address, _write_number, PHONE, "light"), _shot(browser, address, _show_sample, PHONE, "dark")
        ),
    }


def _shot(browser: "Browser", address: str, act: Any, device: dict[str, Any], scheme: str) -> Image.Image:
    with opened(browser, address, **device, color_scheme=scheme) as page:
        act(page)
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _write_number(page: "Page") -> None:
    """Write 2795 twice: the first reading of a server takes longer."""
    for _ in range(2):
        page.click("#clear") if page.locator("#clear:enabled").count() else None
        for k, digit in enumerate((2, 7, 9, 5)):
            glyph = list(SCHOOL_STYLES[digit].values())[k % 2]
            top = 0.27 + 0.02 * float(np.sin(2 * k))
            draw(page, stroke_paths(glyph, (0.13 + 0.2 * k, top, 0.25), k))
        wait_for_text(page, "2795")
        page.locator("#result:not(.unfinished)").wait_for()
    page.locator("#digit-list label").nth(1).click()


def _look_inside(page: "Page") -> None:
    _write_number(page)
    page.locator("#digit-list label").nth(3).click()
    for panel in ("explain", "look", "compare"):
        page.click(f"#{panel} summary")
    page.locator("#compared tr").nth(2).wait_for()
    page.locator("#layers li").last.wait_for()
    page.locator("#explain-words:not(:empty)").wait_for()


def _draw_star(page: "Page") -> None:
    page.click("[data-write='☆']")
    wait_for_text(page, "")


def _show_sample(page: "Page") -> None:
    page.click("#picture-tab")
    page.click("#sample")
    wait_for_text(page, "1969\n0720\n384")
    page.locator("#digit-list label").nth(5).click()


def _beside(*pictures: Image.Image) -> Image.Image:
    width = sum(picture.width for picture in pictures) + SPACE * (len(pictures) - 1)
    together = Image.new("RGB", (width, pictures[0].height), "#808080")
    x = 0
    for picture in pictures:
        together.paste(picture, (x, 0))
        x += picture.width + SPACE
    return together.resize((width // 2, together.height // 2), Image.Resampling.LANCZOS)


def main(folder: Path) -> None:
    """Write the pictures into a folder."""
    from playwright.sync_api import sync_playwright

    with page_server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with tempfile.TemporaryDirectory() as beside:
            pictures = page_screenshots(browser, address) | export_screenshots(browser, Path(beside))
        for name, picture in pictures.items():
            file = io.BytesIO()
            few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1)
            # Without dithering, gradients would have visible steps.
            picture.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG).save(file, "PNG", optimize=True)
            write_whole(folder / f"{name}.png", file.getvalue())
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
