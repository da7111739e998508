"""Join the page's ES modules into one script, since a page that is opened from disk may load no module.

Each module becomes a function that is called once: what it exports is what that returns, and what it imports are
constants at its beginning, so that modules may use the same names for other things. Modules stand in the order in which
a browser would run them: each behind those that it imports.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgedigits_exporters.web.minifying import without_comments
from edgedigits_runtime.errors import ExportError

IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.{1,2}/[^"]+)";?[ \t]*\n?', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async function\*?|function\*?|class|const) +([\w$]+))", re.MULTILINE)

REFUSED = {
    r"^import\b": 'import as in import {a, b} from "./file.js"',
    r"^export\b": "export by name, before function, class or const",
    r"\bimport\s*\(": "import at the top; a page on disk cannot load modules later",
    r"\bimport\.meta\b": "no import.meta; a joined module has no address",
    r"^await\b": "wait within functions",
    r"</script": "no </script, which would end the script",
    r"<!--": "no <!--, which HTML takes for a comment",
}
"""What is left behind joining, and what to write instead."""


@dataclass(frozen=True)
class _Module:
    """What a module imports by name from which path, what it exports, and its text without either word."""

    imported: dict[str, list[str]]
    exported: list[str]
    text: str


def join_modules(files: Mapping[str, str], entry: str) -> str:
    """Return one script that does what the module `entry` does with all that it imports.

    Args:
        files: text by path, such as "reader/ink.js"; those that are not imported are left out.
        entry: the path of the module that starts the page.

    Raises:
        ExportError: a module or a name that is imported is not there, modules import each other, or one is written
            in a way that cannot be joined; the message names it.
    """
    modules: dict[str, _Module] = {}
    order: list[str] = []

    def visit(path: str, *wanted_by: str) -> None:
        if path in wanted_by:
            raise ExportError(f"{' imports '.join([*wanted_by[wanted_by.index(path) :], path])}: move what both need")
        if path in modules:
            return
        if path not in files:
            raise ExportError(f"{wanted_by[-1] if wanted_by else 'the page'} imports {path}, which is not there")
        module = modules[path] = _parsed(files[path], path)
        for imported, names in module.imported.items():
            visit(imported, *wanted_by, path)
            unknown = [name for name in names if name not in modules[imported].exported]
            if unknown:
                raise ExportError(f"{path} imports {', '.join(unknown)}, which {imported} does not export")
        order.append(path)

    visit(entry)
    return "\n".join(["const modules = {};", *(_as_function(path, modules[path]) for path in order)])


def _parsed(text: str, path: str) -> _Module:
    imported: dict[str, list[str]] = {}
    text = without_comments(text)
    for names, place in IMPORT.findall(text):
        source = posixpath.normpath(posixpath.join(posixpath.dirname(path), place))
        imported.setdefault(source, []).extend(each.strip() for each in names.split(",") if each.strip())
    joined = EXPORT.sub(r"\1", IMPORT.sub("", text))
    for pattern, instead in REFUSED.items():
        met = re.search(pattern, joined, re.MULTILINE)
        if met:
            line = joined[met.start() :].partition("\n")[0]
            raise ExportError(f"{path} cannot be joined at {line!r}: {instead}")
    return _Module(imported, [name for _, name in EXPORT.findall(text)], joined)


def _as_function(path: str, module: _Module) -> str:
    lines = [f'modules["{path}"] = (() => {{']
    lines += [f'const {{ {", ".join(names)} }} = modules["{source}"];' for source, names in module.imported.items()]
    returned = [f"return {{ {', '.join(module.exported)} }};"] if module.exported else []
    return "\n".join([*lines, module.text.strip(), *returned, "})();", ""])
