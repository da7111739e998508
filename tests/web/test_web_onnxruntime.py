"""The page with ONNX Runtime: from disk and from a host, for any ONNX model."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import edgedigits
from edgedigits import load
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.web.onnxruntime_engine import FILES, package_files
from tests.conftest import NPM_PACKAGE, REPOSITORY, encoded
from tests.support.browser_modules import hosted
from tests.support.needs import needs
from tests.support.page_driving import choose_file, opened, wait_for_text
from tests.support.tiny_models import write_onnx

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, needs(NPM_PACKAGE)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "onnx"
    made = edgedigits.export("max", format="web", engine="onnxruntime-web", npm_package=NPM_PACKAGE, out=out)
    assert made.contract is not None
    # The shipped file of max.
    assert (made.contract.format, made.contract.kernels, made.contract.precision) == ("web", None, "float16")
    return made.path


def test_an_unpacked_package_is_accepted(tmp_path: Path) -> None:
    for name, content in zip(FILES, package_files(NPM_PACKAGE), strict=True):
        (tmp_path / name).write_bytes(content)
    assert package_files(tmp_path) == package_files(NPM_PACKAGE)


@pytest.mark.parametrize("where", ["disk", "host"])
def test_a_shipped_model_reads_digits(browser: "Browser", site: Path, where: str) -> None:
    with (
        hosted(site) as address,
        opened(browser, address if where == "host" else (site / "index.html").as_uri()) as page,
    ):
        assert page.inner_text("#reader") == "max · onnxruntime-web · cpu"
        choose_file(page, REPOSITORY / "examples" / "4-phone-photo.jpg")
        wait_for_text(page, "4")
        page.click("#draw-tab")
        page.click("[data-write='31415']")
        wait_for_text(page, "31415")
        if where == "host":
            page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
            page.context.set_offline(True)
            page.reload()
            page.locator("#reader:not(:empty)").wait_for()
            page.click("[data-write='7']")
            wait_for_text(page, "7")


def test_confidences_equal_pythons(browser: "Browser", site: Path, tmp_path: Path) -> None:
    drawn = next((REPOSITORY / "examples").glob("5*.jpg"))
    expected = load(SHIPPED / "max.onnx").read(drawn).digits[0]
    with Image.open(drawn) as image:
        (tmp_path / "same.png").write_bytes(encoded(image))
    with opened(browser, (site / "index.html").as_uri()) as page:
        choose_file(page, tmp_path / "same.png")
        wait_for_text(page, expected.label)
        displayed = page.locator("#bars .likeliest .share").inner_text()
    assert float(displayed.rstrip("%")) == pytest.approx(100 * expected.confidence, abs=0.15)


def test_a_users_model_opens(browser: "Browser", tmp_path: Path) -> None:
    model = write_onnx(tmp_path)
    made = edgedigits.export(model, format="web", engine="onnxruntime-web", npm_package=NPM_PACKAGE)
    assert made.path == tmp_path / "tiny-web"
    with opened(browser, (made.path / "index.html").as_uri()) as page:
        # Python recorded the golden vectors and the page replayed them.
        assert page.inner_text("#reader") == "tiny · onnxruntime-web · cpu"
        assert page.inner_text("#error") == ""
