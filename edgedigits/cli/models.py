"""`edgedigits models`: shipped models, and the models of local runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgedigits.cli import completion

if TYPE_CHECKING:
    from edgedigits.model_files import ModelEntry

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
    _print_list(entries)


@app.command(epilog="Examples: edgedigits models show nano · edgedigits models show base --contract > contract.json")
def show(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A shipped name, a run folder or a model file.", autocompletion=completion.models
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Print the contract as JSON instead of the card.")
    ] = False,
) -> None:
    """Print the card of a shipped model, a run folder or a model file."""
    from edgedigits.model_files import SHIPPED_FINDER, contract_of, find_model, shipped_names
    from edgedigits.reports.model_card import card_page, local_card, read_card
    from edgedigits_runtime.finder_contract import holds_finder, read_finder_contract

    is_finder = model == "finder" and SHIPPED_FINDER.is_dir()
    card = None
    if not contract and (is_finder or model in shipped_names()):
        card = read_card(model, SHIPPED_FINDER) if is_finder else read_card(model)
    if contract or (card is None and as_json):
        path = SHIPPED_FINDER / "finder.tflite" if is_finder else find_model(model)
        typer.echo((read_finder_contract(path) if holds_finder(path) else contract_of(path)).to_json())
    elif as_json:
        typer.echo(json.dumps(card, indent=1))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        for part in card_page(card) if card else local_card(Path(model)):
            console.print(part, soft_wrap=isinstance(part, str))


@app.command(epilog="Examples: edgedigits models plot · edgedigits models plot --out family.svg")
def plot(
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .png or .svg file.")] = Path("models.png"),
) -> None:
    """Plot accuracy against parameters, size and latency on this machine, with published results."""
    from edgedigits.reports.family_plot import plot_family

    typer.echo(plot_family(out))


def _print_list(entries: "list[ModelEntry]") -> None:
    """Print a table of the shipped files, and one for each run below its folder, so that paths are printed whole."""
    from rich.console import Console

    from edgedigits.model_files import SHIPPED
    from edgedigits.reports.model_card import models_table

    console = Console(highlight=False)
    for shipped, folder in dict.fromkeys((e.path.is_relative_to(SHIPPED), e.path.parent) for e in entries):
        group = [entry for entry in entries if entry.path.parent == folder]
        if not shipped:
            console.print(str(folder), style="bold", markup=False, soft_wrap=True)
        console.print(models_table(group, shipped=shipped))
        for entry in group:
            if entry.problem:
                console.print(entry.problem, style="yellow", markup=False, soft_wrap=True)


def _row(entry: "ModelEntry") -> dict[str, Any]:
    contract = json.loads(entry.contract.to_json()) if entry.contract else None
    return {
        "model": entry.name,
        "path": str(entry.path),
        "bytes": entry.path.stat().st_size,
        "contract": contract,
        "problem": entry.problem or None,
    }
