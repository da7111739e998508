"""`edgedigits report`: a page about a run."""

from pathlib import Path
from typing import Annotated

import typer

from edgedigits.cli import completion
from edgedigits.cli.model_options import Data, DataDir

EXAMPLES = "Examples: edgedigits report runs/base-20260101-120000 · edgedigits report runs/my-run --data my-digits/"


def report(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="A run folder, finished or not.", autocompletion=completion.runs),
    ],
    data: Data = None,
    data_dir: DataDir = None,
) -> None:
    """Write RUN/report.html, a self-contained page, and its figures in RUN/figures."""
    from edgedigits.training.run_folder import RunFolder
    from edgedigits_exporters.keras_backend import load_keras

    # Before Keras, whose import takes seconds.
    RunFolder(run).read_config()
    load_keras()
    from edgedigits.reports.report import make_report
    from edgedigits.training.data_of_model import DataOptions

    made = make_report(RunFolder(run), data=DataOptions(data, data_dir))
    page = made.write()
    for line in made.missing:
        typer.echo(f"missing: {line}", err=True)
    typer.echo(page)
