"""Write docs/reliability.md from benchmarks/results/reliability/*.json: `python -m tests.torture.page`."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.torture.recording import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

Result = dict[str, Any]


def kills(result: Result) -> str:
    """Return the table of kills, a row for each command."""
    rows: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for part in result["parts"].values():
        row = rows[part["counts_as"]]
        for how, count in part["how"].items():
            row[how] += count
        for name in ("kills", "completed", "files_checked", "failed"):
            row[name] += part[name]
    return _table(
        ("command", "kills", "between two changes of files", "just after one", "at any time", "files checked",
         "gone on with to the end", "torn files, other outcomes"),
        [
            (f"`{name}`", row["kills"], row["before"], row["after"], row["time"] + row["fresh"],
             row["files_checked"], row["completed"], row["failed"])
            for name, row in rows.items()
        ],
        result,
    )  # fmt: skip


def faults(result: Result) -> str:
    """Return the table of what surrounds a command and fails it."""
    rows = [
        (name, part.get("runs", "left out: " + part.get("left_out", "")), len(part["broken"]))
        for name, part in result["parts"].items()
    ]
    return _table(("what", "runs", "promises broken"), rows, result)


def endurance(result: Result) -> str:
    """Return the table of long runs, and whether many at once answered alike."""
    rows = []
    for name, title in (("reads", "pictures read"), ("opened", "models opened and closed")):
        if part := result["parts"].get(name):
            rows.append(
                (
                    f"{part[name]:,} {title}",
                    f"{part['after_a_tenth']['megabytes']:.1f} MB",
                    f"{part['at_the_end']['megabytes']:.1f} MB",
                    f"{part['megabytes_grown_in_the_second_half']:+.1f} MB",
                    f"{part['descriptors_grown']:+d}",
                )
            )
    header = ("what", "memory after a tenth", "at the end", "of that in the second half", "open descriptors")
    told = _table(header, rows, result)
    if part := result["parts"].get("together"):
        alike = all(all(part[suffix].values()) for suffix in (".tflite", ".onnx"))
        told += (
            f"\n\n{part['threads']} threads that share a reader, and {part['processes']} processes of as many threads"
            f" at once, read {part['pictures']:,} pictures each in LiteRT and ONNX Runtime:"
            f" {'all as one thread does' if alike else 'not as one thread does'}."
        )
    return told


def pictures(result: Result) -> str:
    """Return what came of damaged pictures."""
    rows = [
        ("files read by the whole reader", f"{result['executions']:,}"),
        ("of them refused by a typed error", f"{sum(result['errors'].values()):,}"),
        ("crashed, hung or took too much memory", f"{len(result['broken']):,}"),
        ("slowest", f"{result['slowest_ms']:,.0f} ms"),
        ("most memory for one", f"{result['most_memory_mb']:,.0f} MB"),
    ]
    if bombs := list(result.get("bombs", {}).values()):
        rows += [
            ("bombs", len(bombs)),
            ("of them gone off", sum(bomb["outcome"].startswith("broken") for bomb in bombs)),
            ("slowest bomb", f"{max(bomb.get('seconds', 0) for bomb in bombs):.1f} s"),
            ("most memory for a bomb", f"{max(bomb.get('memory_mb', 0) for bomb in bombs):,} MB"),
        ]
    return _table(("what", "count"), rows, result)


def models(result: Result) -> str:
    """Return what came of damaged models, a row for each kind of file."""
    rows = [
        (name, f"{part['executions']:,}", f"{part['deaths']:,}", f"{part['untyped']:,}")
        for name, part in result["parts"].items()
        if "executions" in part
    ]
    return _table(("attack", "files opened", "crashed or hung", "errors that were no typed ones"), rows, result)


SECTIONS: dict[str, Callable[[Result], str]] = {
    "pictures": pictures,
    "models": models,
    "kills": kills,
    "faults": faults,
    "endurance": endurance,
}


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]], result: Result) -> str:
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    lines += ["| " + " | ".join(row) + " |" for row in cells]
    machine = result["machine"]
    days = sorted({part["day"] for part in result.get("parts", {}).values() if "day" in part})
    seeds = sorted({part["seed"] for part in [result, *result.get("parts", {}).values()] if "seed" in part})
    unfinished = [name for name, part in result.get("parts", {}).items() if not part.get("finished", True)]
    told = f"On {machine['processor']}, {machine['cores']} cores, Python {machine['python']}"
    told += f", {days[-1]}" if days else ""
    told += f", seed {', '.join(map(str, seeds))}" if seeds else ""
    told += f"; {', '.join(unfinished)} was stopped before its end" if unfinished else ""
    return "\n".join([*lines, "", f"{told}."])


def filled(page: str, results: Path = RESULTS) -> str:
    """Return the page with the section of each kind of attack that has results."""
    for kind, section in SECTIONS.items():
        path = results / f"{kind}.json"
        if not path.is_file():
            continue
        start, end = f"<!-- {kind}: made by make torture -->", f"<!-- end of {kind} -->"
        before, found, rest = page.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found and found_end):
            raise SystemExit(f"{PAGE} has no section between {start} and {end}")
        page = f"{before}{start}\n{section(json.loads(path.read_text()))}\n{end}{after}"
    return page


def main() -> None:
    """Write the page."""
    PAGE.write_text(filled(PAGE.read_text()))


if __name__ == "__main__":
    main()
