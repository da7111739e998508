"""The page of all boards: tables made only from the result files of a folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgedigits.benchmarking.results.result_file import Result, read_result
from edgedigits.benchmarking.results.result_text import board_of, count_of, duration, engine_title, size, times_range
from edgedigits_runtime.errors import ResultError

HEAD = """# Boards

Every row is a file that somebody measured and sent in; there is no figure here of a board that was not run. Add
yours with two commands in a clone, and open a pull request with the file:

    pip install .
    edgedigits bench --submit-file

Rows are ordered by what was run, then by latency. They are not all alike: compare two of them with
`edgedigits bench compare A.json B.json`, which says what differs. This page is made by `edgedigits bench index`."""

COLUMNS = ("board", "run", "p50", "p99", "images/s", "memory", "made", "comparable", "file")


def boards_page(folder: Path) -> str:
    """Return the page of all results in a folder, as Markdown. Raises ResultError."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise ResultError(f"no result files (*.json) in {folder}; edgedigits bench --out {folder}/NAME.json makes one")
    results = {path: read_result(path) for path in files}
    singles = sorted((row for path, result in results.items() for row in _single(path, result)), key=lambda row: row[0])
    parts = [HEAD, *([_table(COLUMNS, [cells for _, cells in singles])] if singles else [])]
    parts += [part for path, result in results.items() for part in _several(path, result)]
    return "\n\n".join(parts) + "\n"


def _single(path: Path, result: Result) -> Iterator[tuple[tuple[str, float], list[str]]]:
    """Yield the row of a result of one model, with its sort key."""
    total = (result.get("stages") or {}).get("total")
    if result["kind"] != "bench" or not total:
        return
    workload = result["workload"]
    run = (
        f"{workload['model']['name']} {workload['model']['precision']},"
        f" {engine_title(workload['engine'])} on {workload['device']},"
        f" {count_of(workload['threads'], 'thread')}, {workload['what']} {workload['pictures']['kind']}"
    )
    rate = ((result.get("throughput") or {}).get("knee") or {}).get("images_per_second")
    peak = (result.get("memory") or {}).get("peak_bytes")
    cells = [_board(result), run, duration(total["p50"]), duration(total["p99"]), f"{rate:,.0f}" if rate else "-"]
    cells += [size(peak) if peak else "-", result["made"][:10], _verdict(result), f"[{path.name}]({path.name})"]
    yield (run, total["p50"]), cells


def _several(path: Path, result: Result) -> Iterator[str]:
    """Yield the table of a matrix, or of peers."""
    if result["kind"] == "bench":
        return
    peers = result["kind"] == "peers"
    yield f"## {_board(result)}: {'what people would otherwise use' if peers else 'matrix'}"
    facts = f"[{path.name}]({path.name}), {result['made'][:10]}, comparable: {_verdict(result)}."
    text = (result.get("recommendation") or {}).get("text")
    yield f"{facts} {text[0].upper()}{text[1:]}." if text else facts
    rows = []
    for row in result.get("rows") or []:
        latency, whole = row["latency"], row.get("process")
        times = times_range(row["times_ours" if peers else "times_fastest"])
        cells = [duration(latency["p50"]), duration(latency["p99"]), times] if latency else [row["error"], "-", "-"]
        rows.append([row["name"], *cells, *([duration(whole["p50"]) if whole else "-"] if peers else [])])
    yield _table(["", "p50", "p99", "times as long", *(["whole process"] if peers else [])], rows)


def _verdict(result: Result) -> str:
    found = result.get("comparable") or {"yes": False, "reasons": ["not judged"]}
    if not result["complete"]:
        return "no: ended before it was done"
    return "yes" if found["yes"] else f"no: {'; '.join(found['reasons'])}"


def _board(result: Result) -> str:
    environment = (result.get("fingerprint") or {}).get("environment") or {}
    layer = environment.get("emulator") or environment.get("virtual_machine")
    return f"{board_of(result)} ({layer})" if layer else board_of(result)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
