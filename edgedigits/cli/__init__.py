"""The command `edgedigits`: one module per command; each parses, calls one library function and prints.

These modules import only Typer at the top, because every start of the command pays for it.
"""

import errno
from typing import Any

import typer
from typer.core import TyperGroup

from edgedigits.cli import (
    bench,
    data,
    demo,
    distill,
    doctor,
    evaluate,
    export,
    import_model,
    models,
    predict,
    read_bulk,
    report,
    reproduce,
    selftest,
    serve,
    train,
    verify,
    watch,
)
from edgedigits_runtime.errors import EdgedigitsError

INTERRUPTED = 130
"""Exit code of a command ended by Ctrl-C: 128 + SIGINT."""

SYSTEM_ERRORS = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENAMETOOLONG", "ELOOP")
    if hasattr(errno, name)
)
"""Errors that a user can fix: a permission, space or another path is needed."""


class Commands(TyperGroup):
    """Print an EdgedigitsError or a system error as one line, and exit with code 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EdgedigitsError as error:
            typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno not in SYSTEM_ERRORS:
                raise
            subject = f"cannot use {error.filename}" if error.filename else "the system refused"
            typer.secho(f"error: {subject}: {error.strerror or error}", err=True, fg=typer.colors.RED)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            typer.echo(str(error) or "interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    cls=Commands,
    help="Train a digit CNN, export it, prove the export, and read real pictures on the device.",
    epilog="Start with: edgedigits predict image.png",
    no_args_is_help=True,
    # Rich tracebacks print local variables, including whole arrays.
    pretty_exceptions_enable=False,
)
app.command(epilog=predict.EXAMPLES)(predict.predict)
app.command(epilog=read_bulk.EXAMPLES)(read_bulk.read_bulk)
app.command(epilog=watch.EXAMPLES)(watch.watch)
app.command(epilog=serve.EXAMPLES)(serve.serve)
app.command(epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command(epilog=train.EXAMPLES)(train.train)
app.command(epilog=distill.EXAMPLES)(distill.distill)
app.command(epilog=export.EXAMPLES)(export.export)
app.command("import", epilog=import_model.EXAMPLES)(import_model.import_command)
app.command(epilog=verify.EXAMPLES)(verify.verify)
app.command(epilog=report.EXAMPLES)(report.report)
app.command(epilog=reproduce.EXAMPLES)(reproduce.reproduce)
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.command(epilog=selftest.EXAMPLES)(selftest.selftest)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
app.command(epilog=demo.EXAMPLES)(demo.demo)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"edgedigits {installed('edgedigits')}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app(prog_name="edgedigits")
