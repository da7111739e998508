"""Scripts in fewer bytes do the same: what is left out, what is not, and every script of the page in a real browser."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_exporters.web.joining import join_modules
from edgedigits_exporters.web.minifying import minified, minified_style, without_comments
from edgedigits_exporters.web.site import ENTRY, PAGE, read_modules

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize(
    ("script", "less"),
    [
        ("/** One. */\nfunction f(a, b) {\n  // Why.\n  return a - b; // Here.\n}\n", "function f(a,b){return a-b;}\n"),
        ("let a = 1\nlet b = a\n++a\n", "let a=1\nlet b=a\n++a\n"),
        ("const a = b + +c - -d - e;", "const a=b+ +c- -d-e;\n"),
        ("return a\n  / 2;", "return a\n/2;\n"),
        ("const a = 'it''s  //  kept' + \"/*  kept  */\";", "const a='it''s  //  kept'+\"/*  kept  */\";\n"),
        (r"const a = 'don\'t  //' ;", "const a='don\\'t  //';\n"),
        ("const a = /[/'\"]\\/  */g.test(b) / c;", "const a=/[/'\"]\\/  */g.test(b)/c;\n"),
        ("a = b / c / d; // e / f", "a=b/c/d;\n"),
        ("a = (b) / 2 + \"/\";", "a=(b)/2+\"/\";\n"),
        ("f(/ /, x => / {2}/)", "f(/ /,x=>/ {2}/)\n"),
        ("a = `//  ${ b + `}  ${ { c: '}' }.c }` }  /* */`;", "a=`//  ${ b + `}  ${ { c: '}' }.c }` }  /* */`;\n"),
        ("a = [`${ b / 2 }` , c / 2 ];", "a=[`${ b / 2 }`,c/2];\n"),
        ("class A {\n  #b = 1;\n  c() { return this.#b in {}; }\n}", "class A{#b=1;c(){return this.#b in{};}\n}\n"),
        ("for (const [a, b] of c) await d;", "for(const[a,b]of c)await d;\n"),
        ("a = b ? .5 : 1 ;", "a=b?.5:1;\n"),
        ("const é = ü + ☆1;", "const é=ü+☆1;\n"),
    ],
)  # fmt: skip
def test_what_is_left_out(script: str, less: str) -> None:
    assert minified(script) == less
    assert minified(less) == less


def test_styles() -> None:
    style = """/* Top
 */
:root { --a: 1px; --b: calc(1px + 2px) }
a > b:hover ,
c::after { content: " /;  x" ; margin: 0 -1px }  /* end */
@media (width < 10px) and (hover) { .a .b { color: red; } }
"""
    assert minified_style(style) == (
        ':root{--a:1px;--b:calc(1px + 2px)}a > b:hover,c::after{content:" /;  x";margin:0 -1px}'
        "@media (width < 10px) and (hover){.a .b{color:red;}}"
    )


def test_comments_leave_their_lines() -> None:
    assert without_comments("a /* b\n c */ d // e\n/* f */g") == "a \n d  \n g"


NAMES = st.sampled_from(["a", "b1", "$c", "1", ".5"])
TEXTS = st.text("ab/*'\"`$}{\\ ", max_size=8).map(lambda text: "".join(f"\\{c}" if c in "\\\"'`$" else c for c in text))
VALUES = st.recursive(
    NAMES | TEXTS.map('"{}"'.format) | TEXTS.map("'{}'".format) | TEXTS.map("`{}`".format) | st.just("/[/]x/.source"),
    lambda inner: (
        st.builds("({}  {} {})".format, inner, st.sampled_from("+-*/%<>"), inner)
        | st.builds("[{} , {}]".format, inner, inner)
        | st.builds("/* {{ */ - {} // '".format, inner).map(lambda text: f"({text}\n)")
        | st.builds("`a ${{ {} }}`".format, inner)
    ),
    max_leaves=8,
)


@pytest.mark.slow
def test_values_are_the_same_in_a_browser(browser: "Browser") -> None:
    page = browser.new_page()

    @given(st.lists(VALUES, min_size=20, max_size=20))
    def check(values: list[str]) -> None:
        script = "const a = 3, b1 = 'x', $c = [1];\nreturn [\n" + ",\n".join(values) + "\n];"
        run = "(script) => JSON.stringify(new Function(script)())"
        assert page.evaluate(run, minified(script)) == page.evaluate(run, script)

    check()
    page.close()


@pytest.mark.slow
def test_the_page_is_still_a_script_of_the_same_words_and_signs(browser: "Browser") -> None:
    script = join_modules(read_modules(PAGE), ENTRY)
    less = minified(script)
    assert "".join(less.split()) == "".join(without_comments(script).split())
    assert len(less) < 0.9 * len(script)
    page = browser.new_page()
    page.evaluate("(script) => { new Function(script); }", less)
    page.close()
