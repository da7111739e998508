"""The page in a real browser: drawing, pictures and camera, by mouse, finger, pen and keyboard.

Reading is tested on the served and on the exported page; `address` is that of either. What they have in common, the
drawing pad, the layout, the keyboard and messages, is tested on the served page.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.digit_styles import SCHOOL_STYLES, Glyph
from tests.conftest import REPOSITORY, StartChromium, encoded
from tests.support.browser_modules import hosted
from tests.support.page_driving import (
    choose_file,
    draw,
    draw_by_touch,
    hand_over,
    ink_on_pad,
    opened,
    page_server,
    pen,
    stroke_paths,
    violations,
    wait_for_text,
    write_mjpeg,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

EXAMPLES = REPOSITORY / "examples"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALLEST: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}

# Chromium logs this for each HTTP error.
FAILED = "Failed to load resource"


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The page of `edgedigits serve`."""
    with page_server() as address:
        yield address


@pytest.fixture(scope="module")
def exported(base_site: Path) -> Iterator[str]:
    """The page of `edgedigits export --format web`, on a static host."""
    with hosted(base_site) as address:
        yield address


@pytest.fixture(scope="module", params=["served", "exported"])
def address(request: pytest.FixtureRequest) -> str:
    """The address of the page."""
    found: str = request.getfixturevalue(request.param)
    return found


on_the_served_page = pytest.mark.parametrize("address", ["served"], indirect=True)


@pytest.fixture
def page(browser: "Browser", address: str) -> Iterator["Page"]:
    with opened(browser, address) as page:
        yield page


def number(text: str, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Return a picture of a printed number."""
    image = Image.new("RGB", size, "white")
    font = ImageFont.load_default(min(size) // 2)
    ImageDraw.Draw(image).text((size[0] / 2, size[1] / 2), text, "black", font, anchor="mm")
    return image


def draw_digit(page: "Page", digit: int, glyph: Glyph, seed: int) -> None:
    draw(page, stroke_paths(glyph, (0.35, 0.15, 0.5), seed))
    wait_for_text(page, str(digit))
    assert page.locator("#digit-list label").count() == 1
    assert page.locator("#bars .likeliest .label").inner_text() == str(digit)
    page.click("#clear")


@on_the_served_page
def test_each_style_of_a_drawn_digit_is_read(page: "Page") -> None:
    for digit, styles in enumerate(SCHOOL_STYLES):
        for seed, glyph in enumerate(styles.values()):
            draw_digit(page, digit, glyph, seed)


def test_each_drawn_digit_is_read_without_a_server(browser: "Browser", exported: str) -> None:
    with opened(browser, exported) as page:
        for digit, styles in enumerate(SCHOOL_STYLES):
            draw_digit(page, digit, next(iter(styles.values())), 0)


def test_a_number_has_a_box_and_a_network_input_for_each_digit(page: "Page") -> None:
    glyphs = [next(iter(SCHOOL_STYLES[digit].values())) for digit in (2, 7, 1, 9)]
    for k, glyph in enumerate(glyphs):
        draw(page, stroke_paths(glyph, (0.1 + 0.21 * k, 0.28, 0.24), k))
    wait_for_text(page, "2719")
    assert "4 digits" in page.inner_text("#summary")
    assert page.locator("#draw-boxes .box span").all_inner_texts() == list("2719")
    for k, digit in enumerate("2719"):
        page.locator("#digit-list label").nth(k).click()
        assert page.locator("#bars .likeliest .label").inner_text() == digit
        assert page.locator("#draw-boxes .box.chosen span").inner_text() == digit
        inputs = page.evaluate(
            """(k) => [document.getElementById("framed"), document.querySelectorAll("#digit-list canvas")[k]]
                .map((canvas) => [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data])""",
            k,
        )
        assert inputs[0] == inputs[1]
        assert max(inputs[0][::4]) > 200


@on_the_served_page
def test_a_number_drawn_by_finger_is_read(browser: "Browser", address: str) -> None:
    with opened(browser, address, **PHONE) as page:
        for k, digit in enumerate((4, 0)):
            draw(
                page,
                stroke_paths(SCHOOL_STYLES[digit][next(iter(SCHOOL_STYLES[digit]))], (0.2 + 0.35 * k, 0.2, 0.4)),
                draw_by_touch,
            )
        wait_for_text(page, "40")
        assert page.evaluate("scrollY") == 0


@on_the_served_page
def test_pen_pressure_widens_the_line(page: "Page") -> None:
    line = np.linspace([0.5, 0.2], [0.48, 0.8], 20)
    inks = []
    for pressure in (0.1, 1.0):
        draw(page, [line], pen(pressure))
        wait_for_text(page, "1")
        inks.append(ink_on_pad(page))
        page.click("#clear")
    assert inks[1] > 1.6 * inks[0]


def test_a_drawn_non_digit_is_rejected_with_the_reason(page: "Page") -> None:
    page.click("[data-write='☆']")
    wait_for_text(page, "")
    assert "sure" in page.inner_text("#summary")
    assert page.locator("#draw-boxes .box.refused").count() == 1
    page.click("#clear")
    draw(page, [np.linspace([0.2, 0.5], [0.8, 0.5], 20)])
    wait_for_text(page, "")
    assert "minus" in page.inner_text("#summary")


@on_the_served_page
def test_undo_reverts_strokes_and_clearing(page: "Page") -> None:
    assert page.locator("#undo").is_disabled()
    for x in (0.3, 0.6):
        draw(page, [np.linspace([x, 0.2], [x, 0.8], 20)])
    wait_for_text(page, "11")
    page.click("#undo")
    wait_for_text(page, "1")
    page.click("#clear")
    assert ink_on_pad(page) == 0
    assert page.locator("#clear").is_disabled()
    page.keyboard.press("Control+z")
    wait_for_text(page, "1")


def test_the_last_of_several_drawings_is_displayed(page: "Page") -> None:
    for example in ("7", "42", "31415", "7", "42"):
        page.click(f"[data-write='{example}']")
        page.wait_for_timeout(230)
    wait_for_text(page, "42")
    page.wait_for_timeout(500)
    wait_for_text(page, "42")


def test_pictures_are_read_like_predict_reads_them(page: "Page", reader: Reader) -> None:
    with (EXAMPLES / "labels.csv").open() as file:
        labels = {row[0]: row[1] for row in csv.reader(file) if (EXAMPLES / row[0]).is_file()}
    assert len(labels) == 16
    for name, label in labels.items():
        page.click("#draw-tab")
        choose_file(page, EXAMPLES / name)
        wait_for_text(page, label)
        digit = reader.read(EXAMPLES / name).digits[0]
        assert page.locator("#bars .likeliest .label").inner_text() == digit.label


@pytest.mark.parametrize("name", ["4-phone-photo.jpg", "7-turned-by-exif.jpg"])
def test_boxes_are_where_the_digits_are(page: "Page", reader: Reader, name: str) -> None:
    choose_file(page, EXAMPLES / name)
    wait_for_text(page, name[0])
    displayed = page.locator("#picture").bounding_box()
    box = page.locator("#picture-boxes .box").bounding_box()
    assert displayed
    assert box
    trace = reader.trace(EXAMPLES / name)
    x, y, width, height = trace.reading.digits[0].box
    scale = displayed["width"] / trace.to_dict()["width"]
    assert displayed["height"] == pytest.approx(trace.to_dict()["height"] * scale, abs=1)
    expected = [displayed["x"] + x * scale, displayed["y"] + y * scale, width * scale, height * scale]
    assert [box["x"], box["y"], box["width"], box["height"]] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(page: "Page", event: str) -> None:
    hand_over(page, event, encoded(number("38")), "38.png")
    wait_for_text(page, "38")
    assert page.locator("#picture").is_visible()
    assert page.get_attribute("#picture-tab", "aria-selected") == "true"


def test_the_sample_is_read(page: "Page") -> None:
    page.click("#picture-tab")
    page.click("#sample")
    wait_for_text(page, "1969\n0720\n384")
    assert "one mark left out" in page.inner_text("#summary")
    page.locator("#picture-boxes .box").nth(11).click()
    assert page.inner_text("#why").startswith("Not read: the network is only")


def test_a_server_reads_a_picture_that_the_browser_cannot_display(
    browser: "Browser", served: str, tmp_path: Path
) -> None:
    number("56").save(tmp_path / "56.tif")
    with opened(browser, served) as page:
        choose_file(page, tmp_path / "56.tif")
        wait_for_text(page, "56")
        assert page.locator(".no-preview").is_visible()
        assert page.locator("#picture-boxes .box").count() == 2


def test_a_non_picture_is_reported_in_one_line(browser: "Browser", address: str) -> None:
    with opened(browser, address, allowed=FAILED) as page:
        for content in (b"no picture", encoded(number("1"))[:500], b""):
            hand_over(page, "drop", content, "a.png")
            page.locator("#error:not(:empty)").wait_for()
            line = page.inner_text("#error")
            assert line
            assert "\n" not in line
            # The note about displaying is for pictures only.
            page.locator(".no-preview").wait_for(state="hidden")
            # The next picture is read as usual.
            hand_over(page, "drop", encoded(number("27")), "a.png")
            wait_for_text(page, "27")
            assert not page.inner_text("#error")


def test_a_missing_server_is_reported(browser: "Browser", served: str) -> None:
    with opened(browser, served, allowed=FAILED) as page:
        page.route("**/v1/read*", lambda route: route.abort())
        page.click("[data-write='7']")
        page.locator("#error:not(:empty)").wait_for()
        assert "edgedigits serve" in page.inner_text("#error")


@pytest.fixture(scope="module")
def camera_browser(start_chromium: StartChromium, tmp_path_factory: pytest.TempPathFactory) -> "Browser":
    """A browser with a fake camera that shows 58, which is always allowed."""
    film = write_mjpeg(tmp_path_factory.mktemp("camera") / "58.mjpeg", number("58"))
    return start_chromium(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


def test_the_camera_is_read_until_it_stops(camera_browser: "Browser", address: str) -> None:
    with opened(camera_browser, address) as page:
        page.click("#camera-tab")
        page.click("#camera-switch")
        wait_for_text(page, "58")
        page.locator("#announcement", has_text="Read 58.").wait_for(state="attached")
        assert page.locator("#camera-boxes .box").count() == 2
        page.click("#camera-switch")
        assert page.locator("#still").is_visible()
        assert page.evaluate("document.getElementById('video').srcObject") is None
        wait_for_text(page, "58")
        page.click("#camera-switch")
        wait_for_text(page, "58")
        # Another tab stops the camera.
        page.click("#draw-tab")
        assert page.evaluate("document.getElementById('video').srcObject") is None


def test_a_slow_server_gets_one_frame_at_a_time(camera_browser: "Browser", served: str) -> None:
    with opened(camera_browser, served) as page:
        page.evaluate(
            """() => {
                const ask = window.fetch;
                window.most = window.requests = window.waiting = 0;
                window.fetch = async (...request) => {
                    window.requests += 1;
                    window.most = Math.max(window.most, window.waiting += 1);
                    await new Promise((resolve) => setTimeout(resolve, 300));
                    const answer = await ask(...request);
                    window.waiting -= 1;
                    return answer;
                };
            }"""
        )
        page.click("#camera-tab")
        page.click("#camera-switch")
        while page.evaluate("window.requests") < 4:
            page.wait_for_timeout(100)
        assert page.evaluate("window.most") == 1


def test_a_camera_allowed_after_leaving_its_tab_stays_off(camera_browser: "Browser", address: str) -> None:
    with opened(camera_browser, address) as page:
        page.evaluate(
            """() => {
                const devices = navigator.mediaDevices;
                const ask = devices.getUserMedia.bind(devices);
                devices.getUserMedia = async (wanted) => {
                    await new Promise((resolve) => { window.allow = resolve; });
                    return window.stream = await ask(wanted);
                };
            }"""
        )
        page.click("#camera-tab")
        page.click("#camera-switch")
        page.click("#draw-tab")
        page.evaluate("window.allow()")
        page.locator("#camera-switch:enabled").wait_for(state="attached")
        assert page.evaluate("window.stream.getTracks().map((track) => track.readyState)") == ["ended"]
        assert page.evaluate("document.getElementById('video').srcObject") is None
        assert not page.inner_text("#error")
        # It can be started again.
        page.click("#camera-tab")
        page.click("#camera-switch")
        page.wait_for_timeout(100)
        page.evaluate("window.allow()")
        wait_for_text(page, "58")


def test_a_disconnected_camera_is_reported_until_it_starts_again(camera_browser: "Browser", served: str) -> None:
    with opened(camera_browser, served) as page:
        page.evaluate(
            """() => {
                const ask = window.fetch;
                window.requests = window.responses = 0;
                window.fetch = async (...request) => {
                    window.requests += 1;
                    const answer = await ask(...request);
                    await new Promise((resolve) => setTimeout(resolve, 300));
                    window.responses += 1;
                    return answer;
                };
            }"""
        )
        page.click("#camera-tab")
        page.click("#camera-switch")
        wait_for_text(page, "58")
        # The camera is disconnected while a frame is read.
        while not page.evaluate("window.requests > window.responses"):
            page.wait_for_timeout(10)
        page.evaluate("document.getElementById('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
        page.wait_for_timeout(1000)
        assert "disconnected" in page.inner_text("#error")


def test_a_phone_fills_its_screen_with_the_camera(camera_browser: "Browser", served: str) -> None:
    with opened(camera_browser, served, **PHONE) as page:
        page.click("#camera-tab")
        page.click("#camera-switch")
        page.click("#fill")
        page.locator("#camera-answer", has_text="58").wait_for()
        frame, size = page.locator("#camera-frame").bounding_box(), PHONE["viewport"]
        assert frame
        assert frame["width"] == size["width"]
        panel = page.locator("#camera-panel").bounding_box()
        assert panel == {"x": 0, "y": 0, **size}
        assert violations(page) == []
        page.keyboard.press("Escape")
        assert page.locator("#camera-answer").is_hidden()


def test_a_large_picture_is_reduced_before_it_is_sent(browser: "Browser", served: str, tmp_path: Path) -> None:
    number("38", (4000, 3000)).save(tmp_path / "38.png")
    with opened(browser, served) as page:
        page.evaluate(
            """() => {
                const ask = window.fetch;
                window.fetch = (address, options) => {
                    window.sent = options?.body ?? window.sent;
                    return ask(address, options);
                };
            }"""
        )
        choose_file(page, tmp_path / "38.png")
        wait_for_text(page, "38")
        assert page.evaluate("createImageBitmap(sent).then(({ width, height }) => [width, height])") == [2000, 1500]


@pytest.mark.parametrize(
    ("status", "kind"), [(413, "PictureTooLarge"), (413, "BodyTooLarge"), (415, "UnsupportedMediaType"), (503, "Busy")]
)
def test_errors_of_the_server_are_told_to_people(browser: "Browser", served: str, status: int, kind: str) -> None:
    answer = {"error": {"type": kind, "message": "send with curl or raise max_pixels"}}
    with opened(browser, served, allowed=FAILED) as page:
        page.route("**/v1/read*", lambda route: route.fulfill(status=status, json=answer))
        page.click("[data-write='7']")
        page.locator("#error:not(:empty)").wait_for()
        assert not re.search("curl|max_pixels", page.inner_text("#error"))


@on_the_served_page
def test_a_missing_camera_is_reported(browser: "Browser", address: str) -> None:
    with opened(browser, address, permissions=["camera"]) as page:
        page.click("#camera-tab")
        page.click("#camera-switch")
        page.locator("#error:not(:empty)").wait_for()
        assert "No camera" in page.inner_text("#error")


@on_the_served_page
def test_a_denied_camera_is_reported(start_chromium: StartChromium, address: str) -> None:
    browser = start_chromium("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    with opened(browser, address) as page:
        page.click("#camera-tab")
        page.click("#camera-switch")
        page.locator("#error:not(:empty)").wait_for()
        assert "denied" in page.inner_text("#error")
        page.click("#draw-tab")
        page.click("[data-write='7']")
        wait_for_text(page, "7")
        assert not page.inner_text("#error")


@on_the_served_page
def test_the_page_works_by_keyboard_alone(page: "Page") -> None:
    press = page.keyboard.press
    # Without a listener the browser may open its own file dialog.
    page.on("filechooser", lambda _: None)

    def focused() -> str:
        found: str = page.evaluate("document.activeElement.id || document.activeElement.dataset.write || ''")
        assert page.evaluate("document.activeElement.matches(':focus-visible')"), found
        return found

    press("Tab")
    assert focused() == "draw-tab"
    press("Tab")
    assert focused() == "pad"
    page.keyboard.type("304")
    wait_for_text(page, "304")
    press("Backspace")
    wait_for_text(page, "30")
    press("Escape")
    assert ink_on_pad(page) == 0
    for expected in ("undo", "pen", "7", "42"):
        press("Tab")
        assert focused() == expected
    press("Enter")
    wait_for_text(page, "42")

    for _ in range(4):
        press("Tab")
    while page.evaluate("document.activeElement.id") in ("copy", "card"):
        press("Tab")
    page.locator("#digit-list input").first.wait_for()
    press("ArrowRight")
    assert page.locator("#bars .likeliest .label").inner_text() == "2"
    assert page.evaluate("getComputedStyle(document.activeElement.parentElement).outlineStyle") == "solid"

    page.focus("#draw-tab")
    press("ArrowRight")
    assert focused() == "picture-tab"
    press("Tab")
    assert focused() == "choose"
    with page.expect_file_chooser() as dialog:
        press("Enter")
    dialog.value.set_files(EXAMPLES / "3-blue-pen.jpg")
    wait_for_text(page, "3")
    page.focus("#picture-tab")
    press("ArrowRight")
    press("Tab")
    assert focused() == "camera-switch"
    press("Tab")
    press("Shift+Tab")
    press("Shift+Tab")
    press("ArrowRight")
    assert focused() == "draw-tab"
    wait_for_text(page, "42")


@on_the_served_page
def test_a_reading_is_announced(page: "Page") -> None:
    assert page.get_attribute("#announcement", "role") == "status"
    page.click("[data-write='42']")
    wait_for_text(page, "42")
    assert re.fullmatch(r"Read 42\. 2 digits, each at least [\d.]+% sure\.", page.inner_text("#announcement"))
    page.click("[data-write='☆']")
    wait_for_text(page, "")
    assert page.inner_text("#announcement").startswith("No digit here. The network is only")


@on_the_served_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_violations(browser: "Browser", address: str, scheme: str, device: dict[str, Any]) -> None:
    with opened(browser, address, color_scheme=scheme, **device) as page:
        assert violations(page) == []
        for example in ("31415", "☆"):
            page.click(f"[data-write='{example}']")
            wait_for_text(page, example.replace("☆", ""))
            assert violations(page) == []
        page.click("#picture-tab")
        assert violations(page) == []
        page.click("#sample")
        wait_for_text(page, "1969\n0720\n384")
        page.locator("#picture-boxes .box").nth(11).click()
        assert violations(page) == []
        page.click("#camera-tab")
        page.click("#camera-switch")
        page.locator("#error:not(:empty)").wait_for()
        assert violations(page) == []


@on_the_served_page
@pytest.mark.parametrize("device", [SMALLEST, PHONE, {}], ids=["320", "390", "1280"])
def test_the_page_fits_the_screen_and_buttons_fit_fingers(
    browser: "Browser", address: str, device: dict[str, Any]
) -> None:
    with opened(browser, address, **device) as page:
        width = page.evaluate("innerWidth")
        views = [
            ("draw", "[data-write='31415']", "31415"),
            ("draw", "[data-write='☆']", ""),
            ("picture", "#sample", "1969\n0720\n384"),
        ]
        for tab, button, text in views:
            page.click(f"#{tab}-tab")
            page.click(button)
            wait_for_text(page, text)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for control in page.locator("button:visible, .file label:visible, #digit-list label:visible").all():
                box = control.bounding_box()
                assert box
                least = 24 if control.get_attribute("id") in ("copy", "card") else 40
                assert min(box["width"], box["height"]) >= least, control.inner_text()


@on_the_served_page
def test_ink_is_bright_in_dark_mode(browser: "Browser", address: str) -> None:
    with opened(browser, address, color_scheme="dark") as page:
        page.click("[data-write='7']")
        wait_for_text(page, "7")
        page.emulate_media(color_scheme="light")
        light = page.locator("#pad").screenshot()
        page.emulate_media(color_scheme="dark")
        dark = page.locator("#pad").screenshot()
        wait_for_text(page, "7")
    means = [np.asarray(Image.open(io.BytesIO(shot)).convert("L")).mean() for shot in (light, dark)]
    assert means[0] > 200
    assert means[1] < 80


def test_the_page_names_model_engine_and_times(page: "Page") -> None:
    assert page.inner_text("#reader").startswith("base · ")
    page.click("[data-write='7']")
    wait_for_text(page, "7")
    assert re.search(r"^base with .+ on cpu: read in [\d.]+ ms, response after [\d.]+ ms", page.inner_text("#facts"))
    stages = page.locator("#stages dt").all_inner_texts()
    assert stages == ["decode", "ink", "locate", "frame", "invoke", "reject"]
