"""`edgedigits bench`: what a model costs on this machine."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edgedigits.cli import bench_compare, bench_matrix
from edgedigits.cli.model_options import Contract, Cores, Device, Engine, Kernels, Model, Threads, engine_options
from edgedigits.progress import ProgressBar

if TYPE_CHECKING:
    from edgedigits.benchmarking.run import Bench, BenchOptions, Failure

app = typer.Typer(
    help="Measure latency, throughput, memory and energy here, with what belongs beside them to be believed.",
    epilog="Examples: edgedigits bench · edgedigits bench --model nano --out nano.json ·"
    " edgedigits bench --submit-file",
    invoke_without_command=True,
)

MINUTES = 10
IMAGES = 1000


@app.callback()
def bench(
    ctx: typer.Context,
    model: Model = "base",
    engine: Engine = None,
    device: Device = "auto",
    threads: Threads = 1,
    kernels: Kernels = "auto",
    cores: Cores = None,
    what: Annotated[
        Literal["read", "invoke"], typer.Option(help="Whole readings, stage by stage, or the engine alone.")
    ] = "read",
    pictures: Annotated[
        str, typer.Option(metavar="photo|small|PATH", help="640x480 photos, framed 28x28 digits, or your own.")
    ] = "photo",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result here as JSON, as it comes.")
    ] = None,
    submit_file: Annotated[
        bool, typer.Option("--submit-file", help="Write it to a file named after board, model and engine, to share.")
    ] = False,
    accuracy: Annotated[bool, typer.Option("--accuracy", help="Classify test images too.")] = False,
    images: Annotated[
        int | None, typer.Option(min=1, help="How many of them, with --accuracy.", show_default=str(IMAGES))
    ] = None,
    sustained: Annotated[
        bool, typer.Option("--sustained", help="Then go on for minutes: drift, clock and temperature.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="How many, with --sustained.", show_default=str(MINUTES))
    ] = None,
    iterations: Annotated[int, typer.Option(min=1, help="Calls to measure, at least.")] = 100,
    seconds: Annotated[float, typer.Option(min=0, help="How long to measure them, at least.")] = 8.0,
    meter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:CHANNEL]",
            help="Of energy: jetson, ina, pmic, rapl, or battery, which takes seven minutes.",
            show_default="the first there is",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, not as tables.")] = False,
    contract: Contract = None,
) -> None:
    """Measure one model on one engine, done within a minute."""
    if ctx.invoked_subcommand is not None:
        return
    from edgedigits.benchmarking.measuring.sampling import Effort
    from edgedigits.benchmarking.run import BenchOptions

    if out and submit_file:
        raise typer.BadParameter("give --out FILE, or --submit-file, which chooses the name")
    if minutes and not sustained:
        raise typer.BadParameter("--minutes says how long --sustained goes on; give that too")
    if images and not accuracy:
        raise typer.BadParameter("--images says how many --accuracy takes; give that too")
    options = BenchOptions(
        model, engine, device, engine_options(threads, kernels, cores), contract, what, pictures,
        Effort(iterations, seconds),
        accuracy=(images or IMAGES) if accuracy else None,
        sustained=(minutes or MINUTES) if sustained else None,
        meter=meter,
    )  # fmt: skip
    result, failures, error, out = _measure(options, out, submit_file)
    _print(result, out, as_json)
    if submit_file and not failures and not error:
        if (result.get("comparable") or {"yes": False})["yes"]:
            advice = f"to share it, add {out} to benchmarks/results/boards/ of the project in a pull request"
        else:
            advice = f"{out} is not comparable, as said above; measure again on an idle machine before you share it"
        typer.echo(advice, err=True)
    if error:
        raise error
    if failures:
        typer.secho("error: not everything could be measured; see above", err=True, fg=typer.colors.RED)
        raise typer.Exit(1)


def _measure(
    options: "BenchOptions", out: Path | None, submit_file: bool
) -> "tuple[dict[str, Any], list[Failure], BaseException | None, Path | None]":
    """Return what was measured, also where an error or Ctrl-C ended it, which is returned too; and the file."""
    from edgedigits.benchmarking.results.result import ResultFile
    from edgedigits.benchmarking.run import open_bench, run_bench
    from edgedigits_runtime.errors import EdgedigitsError

    # Redrawn only by show: a bar that draws itself would disturb a measured call.
    with ProgressBar("loading", 1.0, style="elapsed", automatic=False) as bar:

        def show(text: str, share: float) -> None:
            bar.update(text, completed=share)

        bench = open_bench(options)
        if submit_file:
            out = _submit_name(bench)
        file = ResultFile("bench", out)
        try:
            failures = run_bench(bench, file.put, show)
        except (EdgedigitsError, KeyboardInterrupt) as error:
            return file.content, [], error, out
        finally:
            bench.reader.close()
    result = file.content if failures else file.finish()
    return (_to_share(result, out) if submit_file and out else result), failures, None, out


def _to_share(result: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write the result again, with nothing private in it."""
    from edgedigits.benchmarking.results.result import write_result
    from edgedigits.benchmarking.results.submission import as_submission

    shared = as_submission(result)
    write_result(out, shared)
    return shared


def _print(result: dict[str, Any], out: Path | None, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result))
    else:
        from rich.console import Console

        from edgedigits.benchmarking.results.terminal import page

        console = Console(highlight=False)
        for part in page(result):
            console.print(part)
    if out:
        state = "" if result["complete"] else ", not complete"
        typer.echo(f"{out}{state}", err=as_json)


def _submit_name(bench: "Bench") -> Path:
    from edgedigits.benchmarking.fingerprint import fingerprint

    machine = fingerprint()
    board = machine.board or machine.processor.model or machine.processor.architecture or "unknown"
    contract = bench.reader.classifier.contract
    words = f"{board} {contract.name} {contract.precision} {bench.engine.name} {bench.workload.what}"
    return Path(re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") + ".json")


app.command(epilog=bench_matrix.MATRIX_EXAMPLES)(bench_matrix.matrix)
app.command(epilog=bench_compare.COMPARE_EXAMPLES)(bench_compare.compare)
app.command(epilog=bench_compare.PLOT_EXAMPLES)(bench_compare.plot)
app.command(epilog=bench_matrix.PEERS_EXAMPLES)(bench_matrix.peers)
app.command(epilog=bench_compare.INDEX_EXAMPLES)(bench_compare.index)
