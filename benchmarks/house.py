"""Measure the size and structure of a checkout: `python -m benchmarks.house [FOLDER]`.

Lines by room, files under 40 lines, circles of imports between rooms and between files, and the modules of ours that
one `edgedigits predict` loads. docs/decisions/0008 has the figures before and after its change.
"""

import argparse
import ast
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
PACKAGES = {"edgedigits": "", "edgedigits_exporters": "exporters", "edgedigits_runtime": "runtime"}
PICTURE = "examples/5-white-on-black-28x28.png"
SMALL = 40


def lines_of(files: list[Path]) -> int:
    return sum(len(file.read_bytes().splitlines()) for file in files)


def room_of(module: str) -> str:
    package, _, rest = module.partition(".")
    return f"{package}.{rest.partition('.')[0]}" if package == "edgedigits" and rest else package


def modules_of(folder: Path) -> dict[str, Path]:
    """Return the Python files of the three packages by module name."""
    return {
        ".".join(file.relative_to(folder / top).with_suffix("").parts).removesuffix(".__init__"): file
        for package, top in PACKAGES.items()
        for file in (folder / top / package).rglob("*.py")
    }


def imports_of(file: Path, modules: dict[str, Path]) -> set[str]:
    """Return the modules of ours that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in names}
    return found & modules.keys()


def circles_of(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other, without single nodes."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    nodes = sorted(graph)
    reached = [[target in graph[node] for target in nodes] for node in nodes]
    _, group_of = connected_components(csr_array(reached), directed=True, connection="strong")
    groups = [[node for node, found in zip(nodes, group_of, strict=True) if found == group] for group in {*group_of}]
    return [group for group in groups if len(group) > 1]


def loaded_by_predict(folder: Path) -> int:
    """Return how many modules of ours one `edgedigits predict` of a small picture loads."""
    code = (
        f"import sys; from edgedigits.cli import app; app(['predict', {PICTURE!r}], standalone_mode=False);"
        "print(sum(name.split('.')[0].startswith('edgedigits') for name in sys.modules))"
    )
    path = os.pathsep.join(str(folder / top) for top in PACKAGES.values())
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env={**os.environ, "PYTHONPATH": path}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return int(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.house", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=REPOSITORY, help="a checkout; this one by default")
    folder = parser.parse_args().folder.resolve()
    modules = modules_of(folder)
    graph = {module: imports_of(file, modules) - {module} for module, file in modules.items()}
    rooms: dict[str, set[str]] = defaultdict(set)
    files: dict[str, list[Path]] = defaultdict(list)
    for module, file in modules.items():
        rooms[room_of(module)] |= {room_of(target) for target in graph[module]} - {room_of(module)}
        files[room_of(module)].append(file)
    for room in sorted(files):
        print(f"{room:32} {lines_of(files[room]):7,} lines in {len(files[room])} files")
    outside = [*modules.values(), *(folder / "benchmarks").rglob("*.py")]
    tests = [*(folder / "tests").rglob("*.py")]
    torture = [*(folder / "torture").rglob("*.py")]
    scripts = [file for file in (folder / "exporters").rglob("*.js") if "node_modules" not in file.parts]
    c_files = [file for top in ("exporters", "benchmarks", "edgedigits") for file in (folder / top).rglob("*.[ch]")]
    print(f"{'Python outside tests':32} {lines_of([*outside, *torture]):7,}")
    print(f"{'Python of tests':32} {lines_of(tests):7,}")
    print(f"{'JavaScript':32} {lines_of(scripts):7,}")
    print(f"{'C':32} {lines_of(c_files):7,}")
    small = sum(lines_of([file]) < SMALL for file in modules.values())
    print(f"{'files under 40 lines':32} {small:7,} of {len(modules)} ({small / len(modules):.0%})")
    for name, found in (("rooms", circles_of(rooms)), ("files", circles_of(graph))):
        print(f"{f'circles of {name}':32} {len(found):7} {'; '.join(', '.join(group) for group in found)}")
    print(f"{'modules that predict loads':32} {loaded_by_predict(folder):7}")


if __name__ == "__main__":
    main()
