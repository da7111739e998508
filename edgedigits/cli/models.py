"""`edgedigits models`: shipped models, and the models of local runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from edgedigits.model_files import ModelEntry
    from edgedigits_runtime.contract import Contract
    from edgedigits_runtime.finder_contract import FinderContract

app = typer.Typer(
    help="List shipped and local models: size, accuracy, cards, contracts.",
    epilog="Examples: edgedigits models · edgedigits models show nano · edgedigits models plot",
    invoke_without_command=True,
)


@app.callback()
def list_models(
    ctx: typer.Context,
    runs: Annotated[Path, typer.Option(help="Folder of run folders.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List the shipped models, and the models and artifacts of the runs."""
    if ctx.invoked_subcommand is not None:
        return
    from edgedigits.model_files import local_models, shipped_finders, shipped_models

    entries = [*shipped_models(), *shipped_finders(), *local_models(runs)]
    if as_json:
        for entry in entries:
            typer.echo(json.dumps(_row(entry)))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("model", "format", "precision", "bytes", "accuracy", "agreement", box=box.SIMPLE)
    table.columns[0].overflow = "fold"
    for column in table.columns[1:5]:
        column.no_wrap = True
    for entry in entries:
        contract, size = entry.contract, f"{entry.path.stat().st_size:,}"
        if contract is None:
            table.add_row(entry.name, "-", "-", size, "-", entry.problem)
            continue
        table.add_row(entry.name, contract.format, contract.precision, size, *_measures(contract))
    Console().print(table)


@app.command(epilog="Examples: edgedigits models show nano · edgedigits models show base --contract > contract.json")
def show(
    model: Annotated[str, typer.Argument(help="A shipped name, a run folder or a model file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Print the contract as JSON instead of the card.")
    ] = False,
) -> None:
    """Print a shipped model's card, or the contract of another model."""
    from edgedigits.model_files import SHIPPED_FINDER, contract_of, find_model, shipped_names
    from edgedigits.reports.model_card import card_page, read_card
    from edgedigits_runtime.finder_contract import holds_finder, read_finder_contract

    is_finder = model == "finder" and SHIPPED_FINDER.is_dir()
    card = None
    if not contract and (is_finder or model in shipped_names()):
        card = read_card(model, SHIPPED_FINDER) if is_finder else read_card(model)
    if card is None:
        path = SHIPPED_FINDER / "finder.tflite" if is_finder else find_model(model)
        typer.echo((read_finder_contract(path) if holds_finder(path) else contract_of(path)).to_json())
    elif as_json:
        typer.echo(json.dumps(card, indent=1))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        for part in card_page(card):
            console.print(part)


@app.command(epilog="Examples: edgedigits models plot · edgedigits models plot --out family.svg")
def plot(
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .png or .svg file.")] = Path("models.png"),
) -> None:
    """Plot accuracy against parameters, size and latency on this machine, with published results."""
    from edgedigits.reports.family_plot import plot_family

    typer.echo(plot_family(out))


def _measures(contract: "Contract | FinderContract") -> tuple[str, str]:
    """Return the accuracy, and the agreement with the original; of a finder what it finds, and nothing."""
    from edgedigits_runtime.contract import Contract

    if not isinstance(contract, Contract):
        found = contract.measures
        return (f"finds {found['recall']:.1%}, {found['precision']:.1%} right" if found else "-"), "-"
    accuracy = f"{contract.accuracy['top1']:.2%} {contract.accuracy['dataset']}" if contract.accuracy else "-"
    agreement = f"{contract.verified['agreement']:.2%}" if contract.verified else "not verified"
    return accuracy, "itself" if contract.format == "keras" else agreement


def _row(entry: "ModelEntry") -> dict[str, Any]:
    contract = json.loads(entry.contract.to_json()) if entry.contract else None
    return {
        "model": entry.name,
        "path": str(entry.path),
        "bytes": entry.path.stat().st_size,
        "contract": contract,
        "problem": entry.problem or None,
    }
