"""The command `edgedigits`: one module per command; each parses, calls one library function and prints.

A command's module is imported when the command runs, or for the help of all. It imports only Typer at the top, because
every start of the command pays for it.
"""

import errno
import os
import signal
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from edgedigits_runtime.errors import EdgedigitsError

COMMANDS = {
    "predict": "edgedigits.cli.predict:predict",
    "read-bulk": "edgedigits.cli.read_bulk:read_bulk",
    "watch": "edgedigits.cli.watch:watch",
    "serve": "edgedigits.cli.serve:serve",
    "evaluate": "edgedigits.cli.evaluate:evaluate",
    "train": "edgedigits.cli.train:train",
    "distill": "edgedigits.cli.distill:distill",
    "export": "edgedigits.cli.export:export",
    "import": "edgedigits.cli.import_model:import_command",
    "verify": "edgedigits.cli.verify:verify",
    "report": "edgedigits.cli.report:report",
    "reproduce": "edgedigits.cli.reproduce:reproduce",
    "selftest": "edgedigits.cli.selftest:selftest",
    "doctor": "edgedigits.cli.doctor:doctor",
    "demo": "edgedigits.cli.demo:demo",
    "bench": "edgedigits.cli.bench:app",
    "models": "edgedigits.cli.models:app",
    "data": "edgedigits.cli.data:app",
}
"""Commands, or groups of commands, by their names."""

INTERRUPTED = 130
"""Exit code of a command ended by Ctrl-C: 128 + SIGINT."""

SYSTEM_ERRORS = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENAMETOOLONG", "ELOOP")
    if hasattr(errno, name)
)
"""Errors that a user can fix: a permission, space or another path is needed."""


class Commands(TyperGroup):
    """Import commands on use. Print an EdgedigitsError or a system error as one line, and exit with code 1."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # Typer's signature.
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # All for an unknown name: the message suggests one.
        for name in [cmd_name] if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.commands[name] = _command(name)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: Any) -> Any:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            # Set by edgedigits.__main__ for the imports until here.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return super().invoke(ctx)
        except EdgedigitsError as error:
            # The reasons of a failed download are printed by the command that downloads.
            brief = "" if ctx.invoked_subcommand == "data" else getattr(error, "brief", "")
            typer.secho(f"error: {brief or error}", err=True, fg=typer.colors.RED)
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


METAVARS = {"int": "N", "int range": "N", "float": "X", "float range": "X", "str": "TEXT", "path": "PATH"}
"""Shorter than Typer's, to leave room for the help."""


def _command(name: str) -> Any:
    module, _, attribute = COMMANDS[name].partition(":")
    found = import_module(module)
    alone, command = typer.Typer(), getattr(found, attribute)
    if isinstance(command, typer.Typer):
        alone.add_typer(command, name=name)
    else:
        alone.command(name, epilog=found.EXAMPLES)(command)
    made = typer.main.get_group(alone).commands[name]
    for each in (made, *getattr(made, "commands", {}).values()):
        _finish(each)
    return made


def _finish(command: Any) -> None:
    """Print each example on its own line, use short metavars, and let the shell complete paths by itself."""
    if command.epilog:
        title, _, examples = command.epilog.partition(": ")
        command.epilog = "\n\n".join((f"{title}:", *examples.split(" · ")))
    for parameter in command.params:
        kind = parameter.type.name
        if kind == "path" and parameter._custom_shell_complete is None:
            # Typer would offer the word itself, and the shell would take it for the only file.
            parameter.shell_complete = lambda *_: []
        if parameter.param_type_name == "option" and not parameter.is_flag and parameter.metavar is None:
            parameter.metavar = METAVARS.get(kind)


app = typer.Typer(
    cls=Commands,
    help="Train a digit CNN, export it, prove the export, and read real pictures on the device.",
    epilog="Start with: edgedigits predict image.png",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Rich tracebacks print local variables, including whole arrays.
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"edgedigits {installed('edgedigits')}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    # Before NumPy's import, which otherwise starts a thread for each core; nothing here multiplies large matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app(prog_name="edgedigits")
