"""`edgedigits doctor`: what is installed, what starts, what is missing and how to mend it."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = "Examples: edgedigits doctor · edgedigits doctor --json"


def doctor(
    data_dir: Annotated[Path | None, typer.Option(help="Look for datasets here first.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show versions, engines that start and data at hand, and for what is missing the command that mends it."""
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
            typer.echo(f"    {'':{width}}  mend: {finding.mend}")
