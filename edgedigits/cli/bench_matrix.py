"""`edgedigits bench matrix` and `edgedigits bench peers`: several things measured in turn in one run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from edgedigits.progress import ProgressBar

MATRIX_EXAMPLES = (
    "Examples: edgedigits bench matrix · edgedigits bench matrix --models pico,nano --threads 1,4"
    " · edgedigits bench matrix --models nano --precisions int8,float32 --out matrix.json"
)
PEERS_EXAMPLES = "Examples: edgedigits bench peers · edgedigits bench peers --only litert,onnxruntime --processes 10"

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the result there, as it grows.")]
Rounds = Annotated[int, typer.Option(min=1, help="Blocks of each row, in an order drawn anew each round.")]
Seconds = Annotated[float, typer.Option(min=0.01, help="Of measured calls for each row, over all rounds.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the orders.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
Many = "commas between them"


def matrix(
    models: Annotated[str, typer.Option(help=f"MODELs, {Many}.", show_default="the shipped ones")] = "",
    precisions: Annotated[
        str,
        typer.Option(
            help="int8, float32, float16, dynamic; the train extra makes what is not at hand.",
            show_default="those at hand",
        ),
    ] = "",
    engines: Annotated[str, typer.Option(help="litert, onnxruntime, keras, c.", show_default="the first two")] = "",
    threads: Annotated[str, typer.Option(help=f"Numbers, {Many}.", show_default="1,2,4 up to all cores")] = "",
    what: Annotated[
        Literal["invoke", "read"], typer.Option(help="The engine alone, or from a picture's bytes to its digits.")
    ] = "invoke",
    pictures: Annotated[str, typer.Option(help="photo, small, or a file or folder of your own.")] = "photo",
    rounds: Rounds = 20,
    seconds: Seconds = 2.0,
    seed: Seed = 0,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Measure models x precisions x engines x threads in one run, and say what is fastest here."""
    from edgedigits.benchmarking.side_by_side.interleaving import Plan
    from edgedigits.benchmarking.side_by_side.matrix import MatrixRequest, run_matrix

    request = MatrixRequest(
        _words(models), _words(precisions), _words(engines), _numbers(threads), what, pictures,
        Plan(rounds, seconds, seed),
    )  # fmt: skip
    with ProgressBar("starting", style="text", automatic=False) as bar:
        found = run_matrix(request, out, bar.update)
    if as_json:
        typer.echo(json.dumps(found))
        return
    _print(found, ["model", "precision", "engine", "threads", "p50", "p99", "times", "top-1"], _matrix_cells)
    typer.secho(found["recommendation"]["text"], bold=True)
    for remark in found["recommendation"]["remarks"]:
        if not remark["surprising"]:
            typer.echo(remark["text"])


def peers(
    model: Annotated[str, typer.Option(help="A shipped name.")] = "base",
    only: Annotated[str, typer.Option(help=f"Names, {Many}; see docs/bench.md.", show_default="all")] = "",
    rounds: Rounds = 20,
    seconds: Seconds = 2.0,
    processes: Annotated[int, typer.Option(min=0, help="Whole processes of each.")] = 3,
    seed: Seed = 0,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Measure the same digits with what people would otherwise use, as far as it is installed."""
    from benchmarks.peers.run import PeersRequest, run_peers
    from edgedigits.benchmarking.side_by_side.interleaving import Plan

    request = PeersRequest(model, _words(only), Plan(rounds, seconds, seed), processes)
    with ProgressBar("starting", style="text", automatic=False) as bar:
        found = run_peers(request, out, bar.update)
    if as_json:
        typer.echo(json.dumps(found))
        return
    _print(found, ["", "p50", "p99", "times", "process", "same answers"], _peer_cells)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in _words(text))
    except ValueError:
        raise typer.BadParameter(f"expected numbers of threads such as 1,2; got {text!r}") from None
    if any(number < 1 for number in numbers):
        raise typer.BadParameter(f"expected numbers of threads from 1 on; got {text!r}")
    return numbers


def _print(found: dict[str, Any], head: list[str], cells: Callable[[dict[str, Any]], list[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    # Narrow, so that it fits a terminal of 80 columns.
    table = Table(*head, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in table.columns[head.index("p50") :]:
        column.justify = "right"
    for row in sorted((row for row in found["rows"] if row["latency"]), key=lambda row: float(row["latency"]["p50"])):
        table.add_row(*cells(row))
    table.columns[0].no_wrap = True
    table.columns[head.index("times")].no_wrap = True
    console.print(table)
    for row in found["rows"]:
        if row["error"]:
            console.print(f"{row['name']}: {row['error']}", style="yellow", markup=False)
    if not found["comparable"]["yes"]:
        reasons = "; ".join(found["comparable"]["reasons"])
        console.print(f"not comparable: {reasons}", style="yellow", markup=False)


def _matrix_cells(row: dict[str, Any]) -> list[str]:
    from edgedigits.benchmarking.results.names import engine_title

    engine = engine_title(row["engine"])
    accuracy = f"{row['accuracy']['top1']:.2%}" if row["accuracy"] else "-"
    settings = [row["model"], row["precision"], engine, str(row["threads"])]
    return [*settings, *_latency_cells(row, "times_fastest"), accuracy]


def _peer_cells(row: dict[str, Any]) -> list[str]:
    from edgedigits.benchmarking.results.figures import in_words

    whole = in_words(row["process"]["p50"]) if row["process"] else "-"
    agreement = "-" if row["agreement"] is None else f"{row['agreement']:.0%}"
    return [row["name"], *_latency_cells(row, "times_ours"), whole, agreement]


def _latency_cells(row: dict[str, Any], key: str) -> list[str]:
    from edgedigits.benchmarking.results.figures import in_words, times_text

    latency, times, shown = row["latency"], row[key], "-"
    if times:
        shown = times_text(times["value"])
        if times["low"] is not None and times["low"] != times["high"]:
            shown += f" ({times_text(times['low'])}-{times_text(times['high'])})"
    return [in_words(latency["p50"]), in_words(latency["p99"]), shown]
