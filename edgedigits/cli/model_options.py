"""Options that several commands share: model, engine, processor, dataset and reading."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgedigits.cli import completion

if TYPE_CHECKING:
    from edgedigits_runtime.engine_options import EngineOptions

ENGINE_PANEL = "Engine"
"""Options that few users need stand below the others in the help."""

Model = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="A shipped model (pico, nano, base or max), a run folder, a .keras, .onnx or .tflite file, a C export.",
        autocompletion=completion.models,
    ),
]

Engine = Annotated[
    str | None,
    typer.Option(
        help="litert, onnxruntime, c or keras.",
        show_default="by file type",
        autocompletion=completion.one_of(*completion.ENGINES),
        rich_help_panel=ENGINE_PANEL,
    ),
]

Device = Annotated[
    str,
    typer.Option(
        rich_help_panel=ENGINE_PANEL,
        help="auto, cpu, or for .onnx files cuda, cuda:1, tensorrt, openvino, coreml, directml, xnnpack;"
        " it is an error if it does not start.",
    ),
]

Threads = Annotated[
    int,
    typer.Option(
        min=1, help="Threads for one image; small networks are fastest with one.", rich_help_panel=ENGINE_PANEL
    ),
]

Kernels = Annotated[
    Literal["auto", "xnnpack", "builtin", "reference"],
    typer.Option(
        metavar="NAME",
        help="LiteRT kernels: xnnpack, builtin or reference; auto is XNNPACK if possible.",
        rich_help_panel=ENGINE_PANEL,
    ),
]

Cores = Annotated[
    str | None,
    typer.Option(
        metavar="N,N",
        help="Processor cores to use.",
        show_default="the system's choice",
        rich_help_panel=ENGINE_PANEL,
    ),
]

Isolate = Annotated[
    bool,
    typer.Option(
        "--isolate",
        help="Run the engine in a separate process with limits, for untrusted model files.",
        rich_help_panel=ENGINE_PANEL,
    ),
]

Expected = Literal["one", "number", "page", "auto"]

Expect = Annotated[
    Expected,
    typer.Option(
        metavar="WHAT",
        help="What a picture holds: one (digit), number (a line of digits), page (lines); auto finds out.",
    ),
]

Length = Annotated[int | None, typer.Option(min=1, help="Number of digits, if you know it.")]

Finder = Annotated[
    str | None,
    typer.Option(
        metavar="FINDER",
        help="Network that finds the digits: a .tflite or .onnx file, or the shipped one; none finds them by rules.",
        callback=lambda value: None if value == "none" else value,
    ),
]

TopK = Annotated[int, typer.Option(min=1, help="Labels listed for each digit.")]

MaxPixels = Annotated[int | None, typer.Option(min=1, help="Refuse pictures with more pixels.")]

MinConfidence = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Ignore digits with a lower confidence.", show_default="the model's own"),
]


OpenPage = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]

Data = Annotated[
    str | None,
    typer.Option(help="Dataset or folder.", show_default="what the model names", autocompletion=completion.datasets),
]

DataDir = Annotated[Path | None, typer.Option(help="Look for the dataset here first.")]

ExpectAccuracy = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Minimum accuracy of both, such as 0.97.", show_default="what was given to import"),
]


def engine_options(threads: int, kernels: str, cores: str | None, isolate: bool = False) -> "EngineOptions":
    """Return engine options for the library.

    Raises:
        typer.BadParameter: `cores` is not a list of numbers.
    """
    from edgedigits_runtime.engine_options import EngineOptions, Isolation

    try:
        numbers = tuple(int(core) for core in cores.split(",")) if cores else ()
    except ValueError:
        raise typer.BadParameter(f"expected numbers of cores such as 0,1; got {cores!r}") from None
    isolation = Isolation() if isolate else None
    return EngineOptions(threads=threads, kernels=kernels, cores=numbers, isolation=isolation)  # type: ignore[arg-type]  # typer checked it


def open_in_browser(address: str) -> None:
    """Open a page; print its address where there is no browser, as on a board without a display."""
    import webbrowser

    if not webbrowser.open(address):
        typer.echo(f"there is no browser here; open {address} in another one", err=True)


def as_typed(ctx: typer.Context) -> str:
    """Return the command line with the options that were given."""
    words = ctx.command_path.split()
    for parameter in ctx.command.params:
        if parameter.opts[0] in given_options(ctx):
            value = ctx.params[parameter.name or ""]
            for each in value if isinstance(value, list | tuple) else [value]:
                words += [parameter.opts[0], str(each)]
    return shlex.join(words)


def given_options(ctx: typer.Context) -> list[str]:
    """Return the options on the command line."""
    sources = {parameter.opts[0]: ctx.get_parameter_source(parameter.name or "") for parameter in ctx.command.params}
    return [option for option, source in sources.items() if source is not None and source.name != "DEFAULT"]
