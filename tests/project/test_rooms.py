"""A room imports only rooms below it, also inside functions, and no two files import each other."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from tests.conftest import REPOSITORY

FLOORS = [  # From the top floor down; rooms on one floor don't import each other.
    "__main__", "cli", "__init__", "demonstration", "benchmarking reproduction", "reports diagnosis",
    "importing exporting", "verification bulk serving", "training predicting", "recipes loading",
    "data model_files ray_cluster plotting", "progress machine", "edgedigits_exporters", "edgedigits_runtime",
]  # fmt: skip
ENDS = ("", ".__init__")
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}
FILES = {
    ".".join(file.relative_to(REPOSITORY / top).with_suffix("").parts): file
    for top, package in (("", "edgedigits"), ("exporters", "edgedigits_exporters"), ("runtime", "edgedigits_runtime"))
    for file in (REPOSITORY / top / package).rglob("*.py")
}


def imports(file: Path) -> set[str]:
    """Return the modules of ours that a file imports anywhere, packages as `package.__init__`."""
    nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [(getattr(node, "module", ""), alias.name) for node in nodes for alias in node.names]
    ways = ((f"{package}.{name}".lstrip("."), package or name) for package, name in names)
    return {module for way in ways for module in [*filter(FILES.get, (f"{n}{end}" for n in way for end in ENDS))][:1]}


def room(module: str) -> str:
    package, room = module.split(".")[:2]
    return room if package == "edgedigits" else package


def test_imports_go_down_and_never_round() -> None:
    below = {module: imports(file) - {module} for module, file in FILES.items()}
    ways = [(room(module), room(target)) for module, targets in below.items() for target in targets]
    assert [way for way in ways if way[0] != way[1] and FLOOR_OF[way[0]] >= FLOOR_OF[way[1]]] == []
    TopologicalSorter(below).prepare()
