"""What reads with a finder needs none of the rules for ink, which docs/finder.md lists."""

import re

from benchmarks.house import imports_of, modules_of
from tests.conftest import REPOSITORY

READING = "edgedigits_runtime.reading"
MODULES = modules_of(REPOSITORY)
SECTION = (REPOSITORY / "docs" / "finder.md").read_text().partition("## Beside the rules")[2]
RULES = {name for each in re.findall(r"`(\w+)`", SECTION) if (name := f"{READING}.{each}") in MODULES}
USERS = {
    # Where there is no finder.
    f"{READING}.reader": {f"{READING}.by_rules"},
    # Labelled pictures and characters, framed and cut out without a network.
    "edgedigits.data.framing": {f"{READING}.one_digit"},
    "edgedigits.data.hands": {f"{READING}.ink", f"{READING}.locate"},
}


PAGE = REPOSITORY / "exporters" / "edgedigits_exporters" / "web" / "source" / "reader"
ONLY_IN_THE_PAGE = {"least_squares", "levels"}


def page_imports(name: str) -> set[str]:
    return set(re.findall(r'^import .* from "\./(\w+)\.js";$', (PAGE / f"{name}.js").read_text(), re.MULTILINE))


def test_the_way_of_a_finder_needs_none_of_the_rules_in_the_page() -> None:
    rules = {name.rpartition(".")[2] for name in RULES if (PAGE / f"{name.rpartition('.')[2]}.js").is_file()}
    reached, new = set[str](), {"reader"}
    while new:
        reached |= new
        new = {target for name in new for target in page_imports(name)} - reached - {"by_rules"}
    assert {"find", "crop", "judge", "frame", "order"} <= reached
    assert reached & (rules | ONLY_IN_THE_PAGE) == set()
    assert reached | rules | ONLY_IN_THE_PAGE == {path.stem for path in PAGE.glob("*.js")}


def test_the_rules_have_few_users() -> None:
    assert len(RULES) == 19
    users = {module: imports_of(file, MODULES) & RULES for module, file in MODULES.items() if module not in RULES}
    assert {module: used for module, used in users.items() if used} == USERS


def test_the_way_of_a_finder_needs_none_of_the_rules() -> None:
    reached, new = set[str](), {"edgedigits.loading", f"{READING}.by_finder", "edgedigits_runtime.live.watching"}
    while new:
        reached |= new
        new = {target for module in new for target in imports_of(MODULES[module], MODULES)} - reached
        new -= USERS[f"{READING}.reader"]
    assert {f"{READING}.{name}" for name in ("find", "crop", "judge", "frame", "order")} <= reached
    assert reached & RULES == set()
