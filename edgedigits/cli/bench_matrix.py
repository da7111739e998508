"""`edgedigits bench matrix`: measure models, precisions, engines and threads in turns in one run."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from edgedigits.cli.completion import ENGINES, PRECISIONS, models, one_of, some_of

MATRIX_EXAMPLES = (
    "Examples: edgedigits bench matrix · edgedigits bench matrix --models pico,nano --threads 1,4"
    " · edgedigits bench matrix --models nano --precisions int8,float32 --out matrix.json"
)
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the result here as it grows.")]
Rounds = Annotated[int, typer.Option(min=1, help="Blocks of each row, in a random order each round.")]
Seconds = Annotated[float, typer.Option(min=0.01, help="Measured time of each row over all rounds.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the orders.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Many = "separated by commas"


def matrix(
    models: Annotated[
        str,
        typer.Option(help=f"MODELs, {Many}.", show_default="the shipped ones", autocompletion=some_of(models)),
    ] = "",
    precisions: Annotated[
        str,
        typer.Option(
            help="int8, float32, float16, dynamic; missing files are exported, which needs the train extra.",
            show_default="the existing ones",
            autocompletion=some_of(one_of(*PRECISIONS)),
        ),
    ] = "",
    engines: Annotated[
        str,
        typer.Option(
            help="litert, onnxruntime, keras, c.",
            show_default="the first two",
            autocompletion=some_of(one_of(*ENGINES)),
        ),
    ] = "",
    threads: Annotated[str, typer.Option(help=f"Numbers, {Many}.", show_default="1,2,4 up to all cores")] = "",
    what: Annotated[
        Literal["invoke", "read"], typer.Option(help="Time the engine alone, or whole readings.")
    ] = "invoke",
    pictures: Annotated[str, typer.Option(help="photo, small, or your own file or folder.")] = "photo",
    rounds: Rounds = 20,
    seconds: Seconds = 2.0,
    seed: Seed = 0,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Measure models x precisions x engines x threads in one run, and recommend the fastest here."""
    from edgedigits.benchmarking.side_by_side.interleaving import Plan
    from edgedigits.benchmarking.side_by_side.matrix import MatrixRequest, run_matrix
    from edgedigits.progress import ProgressBar

    request = MatrixRequest(
        _words(models), _words(precisions), _words(engines), _numbers(threads), what, pictures,
        Plan(rounds, seconds, seed),
    )  # fmt: skip
    try:
        with ProgressBar("starting", style="text", automatic=False) as bar:
            found = run_matrix(request, out, bar.update)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; {out} has the finished rounds" if out else "interrupted") from None
    if as_json:
        typer.echo(json.dumps(found))
        return
    from rich.console import Console

    from edgedigits.benchmarking.results.terminal_page import rows_page

    console = Console(highlight=False)
    for part in rows_page(found, ["model", "precision", "engine", "threads", "p50", "p99", "times", "top-1"], _cells):
        console.print(part)
    typer.secho(found["recommendation"]["text"], bold=True)
    for remark in found["recommendation"]["remarks"]:
        if not remark["surprising"]:
            typer.echo(remark["text"])


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in _words(text))
    except ValueError:
        raise typer.BadParameter(f"expected numbers of threads such as 1,2; got {text!r}") from None
    if any(number < 1 for number in numbers):
        raise typer.BadParameter(f"expected numbers of threads of at least 1; got {text!r}")
    return numbers


def _cells(row: dict[str, Any]) -> list[str]:
    from edgedigits.benchmarking.results.result_text import engine_title
    from edgedigits.benchmarking.results.terminal_page import latency_cells

    accuracy = f"{row['accuracy']['top1']:.2%}" if row["accuracy"] else "-"
    settings = [row["model"], row["precision"], engine_title(row["engine"]), str(row["threads"])]
    return [*settings, *latency_cells(row, "times_fastest"), accuracy]
