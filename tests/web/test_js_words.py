"""What the page says of a reading: the true reason of what was left out, and nothing that needs a shell."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser_modules import hosted
from tests.web.test_page_files import SOURCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

LETTER, DOUBT, SMALL = "letter among letters", "confidence 0.21 < 0.42", "too small"


def test_reasons_are_those_of_most_marks(browser: "Browser") -> None:
    cases: list[tuple[list[str], str]] = [
        ([LETTER] * 4, "letters"),
        ([LETTER, LETTER, LETTER, SMALL], "letters"),
        ([DOUBT, DOUBT], "not sure"),
        ([SMALL, SMALL, LETTER], "small"),
        ([SMALL, LETTER], "own reason"),
        ([LETTER], "letter in a word"),
        ([], "No writing"),
    ]
    given: Any = [[{"kept": False, "why": why} for why in reasons] for reasons, _ in cases]
    error = "a.pdf is a PDF file, which is not supported; convert it to PNG with: pdftoppm -png FILE page"
    with hosted(SOURCE) as address:
        page = browser.new_page()
        page.goto(f"{address}words.js")
        found, plain, moving = page.evaluate(
            """async ([given, error]) => {
                const { summary, plainError } = await import("/words.js");
                const said = given.map((candidates) => summary({ text: "", digits: [], candidates }));
                return [said, plainError(error), summary({ text: "", digits: [], candidates: given[0] }, true)];
            }""",
            [given, error],
        )
        page.close()
    assert [fact in line for (_, fact), line in zip(cases, found, strict=True)] == [True] * len(cases), found
    assert "PDF" in plain
    assert "pdftoppm" not in plain
    assert "letters" not in moving
