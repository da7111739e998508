"""Write the tables of tests/torture/README.md from benchmarks/results/reliability: `python -m tests.torture.page`."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.torture.runner import RESULTS, read_result

PAGE = Path(__file__).parent / "README.md"

Result = dict[str, Any]


def kills(result: Result) -> str:
    """Return the table of kills, a row for each command."""
    rows: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for part in result["parts"].values():
        for name, count in [*part["how"].items(), *part.items()]:
            if isinstance(count, int):
                rows[part["counts_as"]][name] += count
    header = ("command", "kills", "between two changes of files", "just after one", "at any time", "files checked",
              "resumed to the end", "damaged files, other outcomes")  # fmt: skip
    cells = [
        (f"`{name}`", row["kills"], row["before"], row["after"], row["time"] + row["fresh"],
         row["files_checked"], row["completed"], row["failed"])
        for name, row in rows.items()
    ]  # fmt: skip
    return _table(header, cells, result)


def faults(result: Result) -> str:
    """Return the table of faults of the surroundings."""
    rows = [
        (name, part.get("runs", "left out: " + part.get("left_out", "")), len(part["broken"]))
        for name, part in result["parts"].items()
    ]
    return _table(("fault", "runs", "broken promises"), rows, result)


def endurance(result: Result) -> str:
    """Return the table of long runs, and whether parallel readers agreed."""
    rows = [
        (f"{part[name]:,} {title}", f"{part['after_a_tenth']['megabytes']:.1f} MB",
         f"{part['at_the_end']['megabytes']:.1f} MB", f"{part['megabytes_grown_in_the_second_half']:+.1f} MB",
         f"{part['descriptors_grown']:+d}")
        for name, title in (("reads", "pictures read"), ("opened", "models opened and closed"))
        if (part := result["parts"].get(name))
    ]  # fmt: skip
    header = ("work", "memory after a tenth", "at the end", "growth in the second half", "open descriptors")
    table = _table(header, rows, result)
    if part := result["parts"].get("together"):
        alike = all(all(part[suffix].values()) for suffix in (".tflite", ".onnx"))
        table += (
            f"\n\n{part['threads']} threads that share a reader, and {part['processes']} processes of as many threads,"
            f" read {part['pictures']:,} pictures each in LiteRT and ONNX Runtime:"
            f" their answers {'equal' if alike else 'differ from'} those of one thread."
        )
    return table


def pictures(result: Result) -> str:
    """Return the table of damaged pictures and bombs."""
    rows = [
        ("files given to the reader", result["executions"]),
        ("refused with a typed error", sum(result["errors"].values())),
        ("crashes, hangs, memory above the limit", len(result["broken"])),
        ("longest time for one file", f"{result['slowest_ms']:,.0f} ms"),
        ("most memory for one file", f"{result['most_memory_mb']:,.0f} MB"),
    ]
    if bombs := list(result.get("bombs", {}).values()):
        rows += [
            ("bombs", len(bombs)),
            ("bombs that exceeded a limit", sum(bomb["outcome"].startswith("broken") for bomb in bombs)),
            ("longest time for a bomb", f"{max(bomb.get('seconds', 0) for bomb in bombs):.1f} s"),
            ("most memory for a bomb", f"{max(bomb.get('memory_mb', 0) for bomb in bombs):,} MB"),
        ]
    return _table(("what", "count"), rows, result)


def models(result: Result) -> str:
    """Return the table of damaged models, a row for each attack."""
    parts = result["parts"].items()
    rows = [(name, part["executions"], part["deaths"], part["untyped"]) for name, part in parts if "executions" in part]
    return _table(("attack", "files opened", "crashes or hangs", "untyped errors"), rows, result)


SECTIONS: dict[str, Callable[[Result], str]] = {
    "pictures": pictures, "models": models, "kills": kills, "faults": faults, "endurance": endurance,
}  # fmt: skip


def _table(header: tuple[str, ...], rows: list[Any], result: Result) -> str:
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in [header, *cells]]
    lines.insert(1, "|---" * len(header) + "|")
    machine, parts = result["machine"], result.get("parts", {})
    days = sorted({part["day"] for part in parts.values() if "day" in part})
    seeds = sorted({part["seed"] for part in [result, *parts.values()] if "seed" in part})
    unfinished = [name for name, part in parts.items() if not part.get("finished", True)]
    source = f"On {machine['processor']}, {machine['cores']} cores, Python {machine['python']}"
    source += f", {days[-1]}" if days else ""
    source += f", seed {', '.join(map(str, seeds))}" if seeds else ""
    source += f"; {', '.join(unfinished)} was interrupted" if unfinished else ""
    return "\n".join([*lines, "", f"{source}."])


def filled(page: str, results: Path = RESULTS) -> str:
    """Return the page with a new section for each kind of attack that has results."""
    for kind, section in SECTIONS.items():
        if result := read_result(results / f"{kind}.json"):
            start, end = f"<!-- {kind}: made by make torture -->", f"<!-- end of {kind} -->"
            if page.find(end) < page.find(start) or start not in page:
                raise SystemExit(f"{PAGE} has no section between {start} and {end}")
            before, _, rest = page.partition(start)
            page = f"{before}{start}\n{section(result)}\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
