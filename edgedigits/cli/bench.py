"""`edgedigits bench`: what a model costs on this machine."""

import json
import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edgedigits.cli import bench_compare, bench_matrix
from edgedigits.cli.model_options import (
    Cores,
    Device,
    Engine,
    Finder,
    Kernels,
    Model,
    Threads,
    engine_options,
    given_options,
)

if TYPE_CHECKING:
    from edgedigits.benchmarking.bench_state import Bench, BenchOptions
    from edgedigits.benchmarking.sections import Failure

app = typer.Typer(
    help="Measure latency, throughput, memory and energy on this machine, with the machine and the method.",
    epilog="Examples: edgedigits bench · edgedigits bench --model nano --out nano.json ·"
    " edgedigits bench --submit-file",
    invoke_without_command=True,
)

MINUTES = 10
IMAGES = 1000
COLD = 5


@app.callback()
def bench(
    ctx: typer.Context,
    model: Model = "base",
    what: Annotated[
        Literal["read", "invoke"], typer.Option(help="Time whole readings, stage by stage, or the engine alone.")
    ] = "read",
    pictures: Annotated[
        str, typer.Option(metavar="photo|small|PATH", help="640x480 photos, framed 28x28 digits, or your own pictures.")
    ] = "photo",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result here as JSON, section by section.")
    ] = None,
    submit_file: Annotated[
        bool, typer.Option("--submit-file", help="Write it to a file to share, named after board, model and engine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, not as tables.")] = False,
    accuracy: Annotated[bool, typer.Option("--accuracy", help="Also measure accuracy on test images.")] = False,
    images: Annotated[
        int | None, typer.Option(min=1, help="Number of test images for --accuracy.", show_default=str(IMAGES))
    ] = None,
    sustained: Annotated[
        bool, typer.Option("--sustained", help="Also measure latency, drift, clock and temperature over minutes.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Minutes for --sustained.", show_default=str(MINUTES))
    ] = None,
    cold: Annotated[
        bool,
        typer.Option(
            "--cold", help="Only measure the first picture of fresh processes, as text for an issue or --json."
        ),
    ] = False,
    iterations: Annotated[int, typer.Option(min=1, help="Calls to measure, at least.")] = 100,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds to measure, at least.")] = 8.0,
    meter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:CHANNEL]",
            help="Energy meter: jetson, ina, pmic, rapl, or battery, which takes seven minutes.",
            show_default="the first available",
        ),
    ] = None,
    finder: Finder = "none",
    engine: Engine = None,
    device: Device = "auto",
    threads: Threads = 1,
    kernels: Kernels = "auto",
    cores: Cores = None,
) -> None:
    """Measure one model on one engine, within a minute."""
    if ctx.invoked_subcommand is not None:
        return
    if cold:
        if others := [option for option in given_options(ctx) if option not in ("--cold", "--json")]:
            raise typer.BadParameter(f"--cold measures `edgedigits predict` as it is; leave out {', '.join(others)}")
        _print_cold(as_json)
        return
    from edgedigits.benchmarking.bench_state import BenchOptions
    from edgedigits.benchmarking.measuring.sampling import Effort

    if out and submit_file:
        raise typer.BadParameter("give either --out FILE or --submit-file, which chooses the name")
    if minutes and not sustained:
        raise typer.BadParameter("--minutes needs --sustained")
    if images and not accuracy:
        raise typer.BadParameter("--images needs --accuracy")
    options = BenchOptions(
        model, engine, device, engine_options(threads, kernels, cores), what, pictures,
        Effort(iterations, seconds),
        accuracy=(images or IMAGES) if accuracy else None,
        sustained=(minutes or MINUTES) if sustained else None,
        meter=meter,
        finder=finder,
    )  # fmt: skip
    result, failures, error, out = _measure(options, out, submit_file)
    _print(result, out, as_json)
    if submit_file:
        typer.echo(_sharing(result, out), err=True)
    if error:
        raise error
    if failures:
        typer.secho("error: some sections could not be measured; see above", err=True, fg=typer.colors.RED)
        raise typer.Exit(1)


def _measure(
    options: "BenchOptions", out: Path | None, submit_file: bool
) -> "tuple[dict[str, Any], list[Failure], BaseException | None, Path | None]":
    """Return the result so far, the failed sections, the error or Ctrl-C that ended the run, and the file."""
    from edgedigits.benchmarking.bench_state import open_bench
    from edgedigits.benchmarking.results.result_file import ResultFile
    from edgedigits.benchmarking.sections import run_bench
    from edgedigits.progress import ProgressBar
    from edgedigits_runtime.errors import EdgedigitsError

    # Redrawn only between measurements, so that drawing disturbs none.
    with ProgressBar("loading", 1.0, style="elapsed", automatic=False) as bar:
        bench = open_bench(options)
        # A file to share is written at the end, and only if all was measured.
        file = ResultFile("bench", None if submit_file else out)
        try:
            failures = run_bench(bench, file.put, lambda text, share: bar.update(text, completed=share))
        except (EdgedigitsError, KeyboardInterrupt) as error:
            return file.content, [], error, out
        finally:
            bench.reader.close()
    result = file.content if failures else file.finish()
    if submit_file and not failures:
        from edgedigits.benchmarking.results.result_file import write_result
        from edgedigits.benchmarking.results.submission import as_submission

        result = as_submission(result)
        out = write_result(free_name(_submit_name(bench)), result)
    return result, failures, None, out


def free_name(path: Path) -> Path:
    """Return `path`, or with a number if there is a file of that name: it may be another board's result."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(other for other in numbered if not other.exists())


def _sharing(result: dict[str, Any], out: Path | None) -> str:
    """Return what to do with a result that was measured to be shared."""
    if out is None:
        return "no file was written, because not everything was measured"
    if not (result.get("comparable") or {"yes": False})["yes"]:
        return f"{out} is not comparable for the reasons above; measure again on an idle machine before you share it"
    return f"to share it, add {out} to benchmarks/results/boards/ of the project in a pull request"


def _print(result: dict[str, Any], out: Path | None, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result))
    else:
        from rich.console import Console

        from edgedigits.benchmarking.results.terminal_page import page

        console = Console(highlight=False)
        for part in page(result):
            console.print(part)
    if out:
        state = "" if result["complete"] else ", not complete"
        typer.echo(f"{out}{state}", err=as_json)


def _print_cold(as_json: bool) -> None:
    """Print what a first picture costs here, as a table in Markdown."""
    from edgedigits.machine.fingerprint import describe_machine
    from edgedigits.machine.first_picture import measure_first_picture

    found, machine = measure_first_picture(COLD), describe_machine()
    if as_json:
        typer.echo(json.dumps({"machine": machine, **found._asdict(), "cpu": found.cpu}))
        return
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
    typer.echo(f"The first picture on {place}; medians of {COLD} processes.\n")
    rows = [*found.parts.items(), ("**all**", found.cpu), ('`python -c "import numpy"`', found.numpy)]
    typer.echo("\n".join(["| part | ms of CPU |", "|---|---|", *(f"| {name} | {cpu:,.0f} |" for name, cpu in rows)]))
    typer.echo(f"\n{found.wall:,.0f} ms by the clock, {found.cpu / found.numpy:.2f} times the CPU of NumPy's import.")
    if not found.compiled:
        typer.echo("edgedigits is compiled at each start: `edgedigits doctor` has the command that ends this.")


def _submit_name(bench: "Bench") -> Path:
    from edgedigits.machine.fingerprint import fingerprint

    machine = fingerprint()
    board = machine.board or machine.processor.model or machine.processor.architecture or "unknown"
    contract = bench.reader.classifier.contract
    words = f"{board} {contract.name} {contract.precision} {bench.engine.name} {bench.workload.what}"
    return Path(re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") + ".json")


app.command(epilog=bench_matrix.MATRIX_EXAMPLES)(bench_matrix.matrix)
app.command(epilog=bench_compare.COMPARE_EXAMPLES)(bench_compare.compare)
app.command(epilog=bench_compare.PLOT_EXAMPLES)(bench_compare.plot)
app.command(epilog=bench_compare.INDEX_EXAMPLES)(bench_compare.index)
