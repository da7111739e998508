"""The page of all boards: a table made of the result files in a folder, and of nothing else."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgedigits.benchmarking.results.figures import in_words, times_text
from edgedigits.benchmarking.results.names import engine_title
from edgedigits.benchmarking.results.plotting import board_of
from edgedigits.benchmarking.results.result import Result, read_result
from edgedigits.benchmarking.results.terminal import size
from edgedigits_runtime.errors import ResultError

HEAD = """# Boards

Every row is a file that somebody measured and sent in; there is no figure here of a board that was not run. Add
yours with two commands, and open a pull request with the file:

    pip install edgedigits
    edgedigits bench --submit-file

Rows are ordered by what was run, then by latency. They are not all alike: compare two of them with
`edgedigits bench compare A.json B.json`, which says what differs. This page is made by `edgedigits bench index`."""


def board_files(folder: Path) -> list[Path]:
    """Return the result files of a folder, by name.

    Raises:
        ResultError: there is none.
    """
    found = sorted(folder.glob("*.json"))
    if not found:
        raise ResultError(f"no result files (*.json) in {folder}; edgedigits bench --out {folder}/NAME.json makes one")
    return found


def boards_page(folder: Path) -> str:
    """Return the page of all results of a folder, as Markdown.

    Raises:
        ResultError: there is none, or one cannot be read.
    """
    results = {path: read_result(path) for path in board_files(folder)}
    singles = sorted((row for path, result in results.items() for row in _single(path, result)), key=lambda row: row[0])
    parts = [HEAD]
    if singles:
        columns = ["board", "run", "p50", "p99", "images/s", "memory", "made", "comparable", "file"]
        parts.append(_table(columns, [cells for _, cells in singles]))
    parts += [part for path, result in results.items() for part in _several(path, result)]
    return "\n\n".join(parts) + "\n"


def _single(path: Path, result: Result) -> Iterator[tuple[tuple[str, float], list[str]]]:
    """Yield the row of a result of one model, with what it is ordered by."""
    total = (result.get("stages") or {}).get("total")
    if result["kind"] != "bench" or not total:
        return
    workload = result["workload"]
    run = (
        f"{workload['model']['name']} {workload['model']['precision']},"
        f" {engine_title(workload['engine'])} on {workload['device']},"
        f" {workload['threads']} thread{'s' if workload['threads'] != 1 else ''}, {workload['what']}"
        f" {workload['pictures']['kind']}"
    )
    knee = (result.get("throughput") or {}).get("knee") or {}
    rate = f"{knee['images_per_second']:,.0f}" if "images_per_second" in knee else "-"
    peak = (result.get("memory") or {}).get("peak_bytes")
    memory = size(peak) if peak else "-"
    cells = [_board(result), run, in_words(total["p50"]), in_words(total["p99"]), rate, memory]
    yield (run, total["p50"]), [*cells, result["made"][:10], comparable_text(result), f"[{path.name}]({path.name})"]


def _several(path: Path, result: Result) -> Iterator[str]:
    """Yield the table of a matrix, or of peers."""
    if result["kind"] == "bench":
        return
    yield f"## {_board(result)}: {'what people would otherwise use' if result['kind'] == 'peers' else 'matrix'}"
    facts = f"[{path.name}]({path.name}), {result['made'][:10]}, comparable: {comparable_text(result)}."
    text = (result.get("recommendation") or {}).get("text")
    yield f"{facts[:-1]}. {text[0].upper()}{text[1:]}." if text else facts
    key, process = ("times_fastest", False) if result["kind"] == "matrix" else ("times_ours", True)
    columns = ["", "p50", "p99", "times as long", *(["whole process"] if process else [])]
    yield _table(columns, [_cells(row, key, process) for row in result.get("rows") or []])


def _cells(row: Result, key: str, process: bool) -> list[str]:
    latency, times, whole = row["latency"], row[key], row.get("process")
    if latency:
        cells = [in_words(latency["p50"]), in_words(latency["p99"]), _ratio(times) if times else "-"]
    else:
        cells = [row["error"], "-", "-"]
    return [row["name"], *cells, *([in_words(whole["p50"]) if whole else "-"] if process else [])]


def _ratio(times: Result) -> str:
    low, high = times["low"], times["high"]
    known = low is not None and high is not None and low != high
    return times_text(times["value"]) + (f" ({times_text(low)} to {times_text(high)})" if known else "")


def comparable_text(result: Result) -> str:
    """Return whether a result may be compared, and why not."""
    found = result.get("comparable") or {"yes": False, "reasons": ["not judged"]}
    if not result["complete"]:
        return "no: ended before it was done"
    return "yes" if found["yes"] else f"no: {'; '.join(found['reasons'])}"


def _board(result: Result) -> str:
    environment = (result.get("fingerprint") or {}).get("environment") or {}
    between = environment.get("emulator") or environment.get("virtual_machine")
    return f"{board_of(result)} ({between})" if between else board_of(result)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
