"""The exported folder in a real browser: from disk, from a host, offline, as an app, and after an update."""

import base64
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import edgedigits
from tests.conftest import REPOSITORY
from tests.support.browser_modules import hosted
from tests.support.needs import needs
from tests.support.page_driving import choose_file, opened, wait_for_text
from tests.support.small_finder import write_small_finder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture
def served(base_site: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A copy of the folder on a host, and its address."""
    shutil.copytree(base_site, tmp_path / "host" / "site")
    with hosted(tmp_path / "host") as address:
        yield tmp_path / "host" / "site", f"{address}site/"


def read_example(page: "Page") -> None:
    choose_file(page, REPOSITORY / "examples" / "3-blue-pen.jpg")
    wait_for_text(page, "3")


def wait_until_cached(page: "Page") -> None:
    """Wait until the service worker has cached the page."""
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")


def test_the_page_opens_from_disk(browser: "Browser", base_site: Path) -> None:
    address = (base_site / "index.html").as_uri()
    requested: list[str] = []
    browser_context = browser.new_context()
    browser_context.on("request", lambda request: requested.append(request.url))
    page = browser_context.new_page()
    page.goto(address)
    read_example(page)
    page.click("#draw-tab")
    page.click("[data-write='42']")
    wait_for_text(page, "42")
    assert page.inner_text("#reader") == "base · wasm · cpu"
    # The page requests no other file, not even of its folder.
    assert [url for url in requested if not url.startswith(("data:", "blob:"))] == [address]
    browser_context.close()


@needs("clang", "wasm-ld")
def test_a_page_with_a_finder_reads(browser: "Browser", tmp_path: Path) -> None:
    finder = write_small_finder(tmp_path / "finder.tflite")
    made = edgedigits.export("pico", format="web", finder=finder, out=tmp_path / "site", verify=False)
    with opened(browser, (made.path / "index.html").as_uri()) as page:
        choose_file(page, REPOSITORY / "examples" / "3-blue-pen.jpg")
        page.locator("#stages:has-text('judge')").wait_for(state="attached")


def test_the_console_is_empty_from_disk(browser: "Browser", base_site: Path) -> None:
    with opened(browser, (base_site / "index.html").as_uri()) as page:
        read_example(page)


def test_an_unsupported_file_type_is_named(browser: "Browser", base_site: Path, tmp_path: Path) -> None:
    Image.new("L", (40, 40)).save(tmp_path / "56.tif")
    with opened(browser, (base_site / "index.html").as_uri()) as page:
        choose_file(page, tmp_path / "56.tif")
        page.locator("#error:not(:empty)").wait_for()
        assert "TIFF" in page.inner_text("#error")


def test_the_page_works_offline_after_the_first_visit(browser: "Browser", served: tuple[Path, str]) -> None:
    with opened(browser, served[1], allowed="ERR_INTERNET_DISCONNECTED") as page:
        wait_until_cached(page)
        page.context.set_offline(True)
        for address in ("", "index.html", "?from=somewhere"):
            page.goto(served[1] + address)
            page.locator("#reader:not(:empty)").wait_for()
            page.click("[data-write='7']")
            wait_for_text(page, "7")


def test_an_update_appears_at_the_visit_after_the_next(browser: "Browser", served: tuple[Path, str]) -> None:
    folder, address = served
    with opened(browser, address) as page:
        wait_until_cached(page)
        shutil.rmtree(folder)
        edgedigits.export("nano", format="web", out=folder)
        page.reload()
        page.locator("#reader", has_text="base").wait_for()
        page.evaluate(
            """async () => {
                const workers = navigator.serviceWorker;
                const changed = new Promise((done) => workers.addEventListener("controllerchange", done));
                await (await workers.ready).update();
                await changed;
            }"""
        )
        page.reload()
        page.locator("#reader", has_text="nano").wait_for()
        assert len(page.evaluate("caches.keys()")) == 1


def test_two_pages_of_one_host_have_separate_caches(browser: "Browser", served: tuple[Path, str]) -> None:
    folder, address = served
    other = edgedigits.export("pico", format="web", out=folder.parent / "other").path
    with opened(browser, address.removesuffix("site/") + "other/") as page:
        wait_until_cached(page)
        second = page.context.new_page()
        second.goto(address)
        wait_until_cached(second)
        assert len(page.evaluate("caches.keys()")) == 2
        page.context.set_offline(True)
        page.reload()
        page.locator("#reader", has_text="pico").wait_for()
        second.reload()
        second.locator("#reader", has_text="base").wait_for()
    assert other.is_dir()


def test_the_page_can_be_installed(browser: "Browser", served: tuple[Path, str], tmp_path: Path) -> None:
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "profile", executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
    )
    page = context.new_page()
    page.goto(served[1])
    page.locator("#reader:not(:empty)").wait_for()
    wait_until_cached(page)
    protocol = context.new_cdp_session(page)
    manifest = protocol.send("Page.getAppManifest")
    assert manifest["errors"] == []
    app = json.loads(manifest["data"])
    assert app["display"] == "standalone"
    for icon in app["icons"]:
        assert (served[0] / icon["src"]).is_file()
        if icon["sizes"] != "any":
            with Image.open(served[0] / icon["src"]) as image:
                assert icon["sizes"] == f"{image.width}x{image.height}"
    assert protocol.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    context.close()


def changed_settings(page: str, change: Any) -> str:
    """Return the page with changed settings."""
    found = re.search(r'(?<=id="settings">).*?(?=</script>)', page)
    assert found
    settings = json.loads(found[0])
    change(settings)
    return page.replace(found[0], json.dumps(settings))


def test_a_page_with_wrong_outputs_reads_nothing(browser: "Browser", base_site: Path, tmp_path: Path) -> None:
    def change(settings: Any) -> None:
        output = bytearray(gzip.decompress(base64.b64decode(settings["golden"]["output"])))
        output[3] ^= 1
        settings["golden"]["output"] = base64.b64encode(gzip.compress(bytes(output))).decode()

    damaged = tmp_path / "index.html"
    damaged.write_text(changed_settings((base_site / "index.html").read_text(), change))
    page = browser.new_page()
    page.goto(damaged.as_uri())
    page.locator("#error", has_text="1 values differ").wait_for()
    page.click("[data-write='7']")
    page.wait_for_timeout(500)
    assert "1 values differ" in page.inner_text("#error")
    page.close()


def test_a_changed_script_does_not_run(browser: "Browser", base_site: Path, tmp_path: Path) -> None:
    before, own, script = (base_site / "index.html").read_text().rpartition('<script type="module">')
    (tmp_path / "index.html").write_text(before + own + script.replace("function ", "function  ", 1))
    page = browser.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto((tmp_path / "index.html").as_uri())
    assert [line for line in messages if "Content Security Policy" in line]
    assert page.inner_text("#reader") == ""
    page.close()


def test_the_policy_blocks_requests(browser: "Browser", served: tuple[Path, str]) -> None:
    page = browser.new_page()
    page.goto(served[1])
    page.evaluate(
        """() => {
            window.refused = [];
            addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
        }"""
    )
    for attempt in (
        "fetch('README.md')",
        "fetch('https://example.com/')",
        "new WebSocket('wss://example.com/')",
        "navigator.sendBeacon('https://example.com/', 'x')",
        "new Image().src = 'https://example.com/a.png'",
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))",
        "document.body.append(Object.assign(document.createElement('iframe'), { src: 'https://example.com/' }))",
    ):
        page.evaluate(f"() => {{ try {{ Promise.resolve({attempt}).catch(() => 0); }} catch {{ }} }}")
    page.wait_for_timeout(300)
    refused = page.evaluate("refused")
    assert sorted(refused) == sorted([*["connect-src"] * 4, "img-src", "script-src-elem", "frame-src"])
    assert page.evaluate("window.ran") is None
    page.close()
