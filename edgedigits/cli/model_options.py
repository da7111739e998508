"""Options of every command that runs a model: which and where, how the processor is used, and what is read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from edgedigits_runtime.engine_options import EngineOptions

Model = Annotated[str, typer.Option(help="A shipped name, a run folder, a .keras, .onnx or .tflite file, a C export.")]

Contract = Annotated[Path | None, typer.Option(help="JSON contract for a model file without one.")]

Engine = Annotated[str | None, typer.Option(help="litert, onnxruntime, c or keras; chosen by file type.")]

Device = Annotated[
    str,
    typer.Option(
        help="auto, cpu, or for .onnx files cuda, cuda:1, tensorrt, openvino, coreml, directml, xnnpack;"
        " one that does not start is an error."
    ),
]

Threads = Annotated[int, typer.Option(min=1, help="Threads of one image; small networks are fastest with one.")]

Kernels = Annotated[
    Literal["auto", "xnnpack", "builtin", "reference"], typer.Option(help="Of LiteRT; auto is XNNPACK where it starts.")
]

Cores = Annotated[
    str | None, typer.Option(metavar="N,N", help="Processor cores to stay on.", show_default="the system's choice")
]

Isolate = Annotated[
    bool,
    typer.Option("--isolate", help="Run the engine in a process of its own with limits, for model files of strangers."),
]

# Without the help, which is not the same in predict and evaluate.
Expect = Literal["one", "number", "page", "auto"]

MinConfidence = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Leave out what is read with less.", show_default="the model's own"),
]


def engine_options(threads: int, kernels: str, cores: str | None, isolate: bool = False) -> "EngineOptions":
    """Return the options as the library takes them.

    Raises:
        typer.BadParameter: `cores` is no list of numbers.
    """
    from edgedigits_runtime.engine_options import EngineOptions, Isolation

    try:
        numbers = tuple(int(core) for core in cores.split(",")) if cores else ()
    except ValueError:
        raise typer.BadParameter(f"expected numbers of cores such as 0,1; got {cores!r}") from None
    isolation = Isolation() if isolate else None
    return EngineOptions(threads=threads, kernels=kernels, cores=numbers, isolation=isolation)  # type: ignore[arg-type]  # typer checked it
