"""`edgedigits doctor`: check the installation, the engines and the datasets."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = "Examples: edgedigits doctor · edgedigits doctor --json"


def doctor(
    data_dir: Annotated[Path | None, typer.Option(help="Folder to search for datasets first.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print versions, working engines and available data, and the command that fixes each problem."""
    from edgedigits.diagnosis import diagnose

    findings = diagnose(data_dir)
    if as_json:
        for finding in findings:
            typer.echo(json.dumps(dataclasses.asdict(finding)))
        return
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = typer.style("ok ", fg=typer.colors.GREEN) if finding.fine else typer.style("-- ", fg=typer.colors.YELLOW)
        typer.echo(f"{mark} {finding.subject:{width}}  {finding.state}")
        if finding.mend:
            typer.echo(f"    {'':{width}}  fix: {finding.mend}")
