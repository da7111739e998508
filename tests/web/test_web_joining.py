"""Joining the page's modules into one script: what it does, in which order, and what it refuses."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_exporters.web.joining import join_modules
from edgedigits_exporters.web.site import ENTRY, PAGE, read_modules
from edgedigits_runtime.errors import ExportError

FILES = {
    "start.js": 'import { shout } from "./words/loud.js";\nimport {END} from "./words/marks.js";\nshout("a" + END);\n',
    "words/loud.js": 'import {\n  END,\n} from "./marks.js";\nexport function shout(text) {\n  return text + END;\n}\n',
    "words/marks.js": '/** The end.\n * @type {import("../start.js").Mark} */\nexport const END = "!";\n',
    "other.js": "export const unused = 1;\n",
}


def test_modules_stand_behind_what_they_import_and_nothing_else_is_taken() -> None:
    assert (
        join_modules(FILES, "start.js")
        == """const modules = {};
modules["words/marks.js"] = (() => {
const END = "!";
return { END };
})();

modules["words/loud.js"] = (() => {
const { END } = modules["words/marks.js"];
function shout(text) {
  return text + END;
}
return { shout };
})();

modules["start.js"] = (() => {
const { shout } = modules["words/loud.js"];
const { END } = modules["words/marks.js"];
shout("a" + END);
})();
"""
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import { gone } from "./gone.js";', "a.js imports gone.js, which is not there"),
        ('import { missing } from "./b.js";', r"a.js imports missing, which b.js does not export"),
        ('import { b as c } from "./b.js";', "a.js imports b as c, which b.js does not export"),
        ('import { hidden } from "./b.js";', "hidden, which b.js does not export"),
        ('import { a } from "./c.js";', "a.js imports c.js imports a.js: move what both need"),
        ('import { a } from "./a.js";', "a.js imports a.js"),
        ("export let a = 1;", "export by name, before function, class or const"),
        ('import b from "./b.js";', "a.js cannot be joined at 'import b from"),
        ('import * as b from "./b.js";', "cannot be joined"),
        ('import "./b.js";', "cannot be joined"),
        ('import { b } from "library";', "cannot be joined"),
        ("export default 1;", "export by name"),
        ('export { b } from "./b.js";', "export by name"),
        ("const b = await import('./b.js');", "cannot load modules later"),
        ("const place = import.meta.url;", "has no address"),
        ("await start();", "wait within functions"),
        ('const end = "</script>";', "no </script"),
        ('const comment = "<!--";', "no <!--"),
    ],
)
def test_what_cannot_be_joined(text: str, words: str) -> None:
    files = {
        "a.js": text + "\n",
        "b.js": "export const b = 1;\nconst hidden = 2;\n",
        "c.js": 'import { b } from "./a.js";\nexport const a = 1;\n',
    }
    with pytest.raises(ExportError, match=words):
        join_modules(files, "a.js")


def test_a_missing_entry_is_named() -> None:
    with pytest.raises(ExportError, match=r"the page imports start.js"):
        join_modules({}, "start.js")


@given(st.dictionaries(st.integers(0, 8), st.sets(st.integers(0, 8)), min_size=1))
def test_every_module_stands_once_and_in_the_order_of_a_browser(wanted: dict[int, set[int]]) -> None:
    graph = {k: {target for target in wanted.get(k, set()) if target > k} for k in range(9)}
    files = {}
    for k, targets in graph.items():
        imports = "".join(f'import {{ v{target} }} from "./m{target}.js";\n' for target in sorted(targets))
        files[f"m{k}.js"] = f"{imports}export const v{k} = 1;\n"
    first = min(wanted)
    order = [int(name) for name in re.findall(r'^modules\["m(\d)', join_modules(files, f"m{first}.js"), re.MULTILINE)]
    expected: list[int] = []
    seen: set[int] = set()

    def run(k: int) -> None:
        if k not in seen:
            seen.add(k)
            for target in sorted(graph[k]):
                run(target)
            expected.append(k)

    run(first)
    assert order == expected


def test_the_page_itself_can_be_joined() -> None:
    modules = read_modules(PAGE)
    order = re.findall(r'^modules\["(.*?)"\] =', join_modules(modules, ENTRY), re.MULTILINE)
    assert order.index("reader/ink.js") < order.index("reader/reader.js") < order.index("backends/local.js")
    assert order[-1] == ENTRY
    assert "server_page.js" in modules
    assert "server_page.js" not in order
