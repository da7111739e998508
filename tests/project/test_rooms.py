"""A room imports only rooms below it, also inside functions, and no two files import each other."""

from graphlib import TopologicalSorter

from benchmarks.house import imports_of, modules_of
from tests.conftest import REPOSITORY

FLOORS = [  # From the top floor down; rooms on one floor don't import each other.
    "__main__", "cli", "edgedigits", "demonstration", "benchmarking reproduction", "reports diagnosis",
    "importing exporting", "verification bulk serving", "finding", "training predicting", "recipes loading", "scenes",
    "data model_files ray_cluster plotting", "progress machine", "edgedigits_exporters", "edgedigits_runtime",
]  # fmt: skip
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}


def room_of(module: str) -> str:
    package, *rest = module.split(".")
    return rest[0] if package == "edgedigits" and rest else package


def test_imports_go_down_and_never_round() -> None:
    modules = modules_of(REPOSITORY)
    below = {module: imports_of(file, modules) - {module} for module, file in modules.items()}
    assert len(below) > 300 and all(below[module] for module in ("edgedigits.cli", "edgedigits.loading"))
    ways = [(room_of(module), room_of(target)) for module, targets in below.items() for target in targets]
    assert [way for way in ways if way[0] != way[1] and FLOOR_OF[way[0]] >= FLOOR_OF[way[1]]] == []
    TopologicalSorter(below).prepare()
