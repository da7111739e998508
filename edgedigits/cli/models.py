"""`edgedigits models`: the shipped models and those made here."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from edgedigits.model_files import ModelEntry

app = typer.Typer(
    help="Show shipped and local models: size, accuracy, contract.",
    epilog="Examples: edgedigits models · edgedigits models show base",
    invoke_without_command=True,
)


@app.callback()
def list_models(
    ctx: typer.Context,
    runs: Annotated[Path, typer.Option(help="Folder with run folders.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List shipped models and the artifacts of the runs."""
    if ctx.invoked_subcommand is not None:
        return
    from edgedigits.model_files import local_models, shipped_models

    entries = [*shipped_models(), *local_models(runs)]
    if as_json:
        for entry in entries:
            typer.echo(json.dumps(_row(entry)))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("model", "format", "precision", "bytes", "accuracy", "verified", box=box.SIMPLE)
    table.columns[0].overflow = "fold"
    for entry in entries:
        contract = entry.contract
        if contract is None:
            table.add_row(entry.name, "-", "-", f"{entry.path.stat().st_size:,}", "-", entry.problem)
            continue
        accuracy = f"{contract.accuracy['top1']:.2%} {contract.accuracy['dataset']}" if contract.accuracy else "-"
        agreement = f"{contract.verified['agreement']:.2%} equal" if contract.verified else "no"
        size = f"{entry.path.stat().st_size:,}"
        verified = "is Keras" if contract.format == "keras" else agreement
        table.add_row(entry.name, contract.format, contract.precision, size, accuracy, verified)
    Console().print(table)


@app.command(epilog="Example: edgedigits models show base")
def show(model: Annotated[str, typer.Argument(help="A shipped name, a run folder or a model file.")]) -> None:
    """Print a model's contract as JSON."""
    from edgedigits.model_files import find_model
    from edgedigits_runtime.embedded_contract import read_contract

    typer.echo(read_contract(find_model(model)).to_json())


def _row(entry: "ModelEntry") -> dict[str, Any]:
    contract = json.loads(entry.contract.to_json()) if entry.contract else None
    return {
        "model": entry.name,
        "path": str(entry.path),
        "bytes": entry.path.stat().st_size,
        "contract": contract,
        "problem": entry.problem or None,
    }
