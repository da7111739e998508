"""`edgedigits selftest`: replay the golden vectors of a model on this machine."""

import json
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from edgedigits.cli import completion
from edgedigits.cli.model_options import Cores, Device, Engine, Isolate, Kernels, Threads, engine_options

EXAMPLES = "Examples: edgedigits selftest · edgedigits selftest digits.int8.tflite --json"

WIDTH = 8


def selftest(
    artifact: Annotated[
        str,
        typer.Argument(
            metavar="[ARTIFACT]",
            help="A shipped name, or a .tflite or .onnx file.",
            autocompletion=lambda: [*completion.shipped(), *completion.artifacts()],
        ),
    ] = "base",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    golden: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", help="Golden vectors.", show_default="beside the artifact"),
    ] = None,
    engine: Engine = None,
    device: Device = "auto",
    threads: Threads = 1,
    kernels: Kernels = "auto",
    cores: Cores = None,
    isolate: Isolate = False,
) -> None:
    """Replay a model's golden vectors stage by stage; exit with 1 at the first stage that differs."""
    from edgedigits.loading import load
    from edgedigits.model_files import SHIPPED, check_shipped, find_model
    from edgedigits_runtime.errors import ArtifactNotFound
    from edgedigits_runtime.golden import golden_path, read_golden, replay

    path = find_model(artifact, engine=engine, device=device)
    beside = golden_path(path)
    if golden is None and not beside.is_file() and path.parent != SHIPPED:
        raise ArtifactNotFound(
            f"no golden vectors at {beside}; import writes them: edgedigits import {quote(str(path))}"
        )
    vectors = read_golden(golden or check_shipped(beside))
    options = engine_options(threads, kernels, cores, isolate)
    reader = load(str(path), engine=engine, device=device, options=options)
    opened = reader.classifier.engine
    stages: dict[str, str] = {}
    for replayed in replay(vectors, reader):
        stages[replayed.stage] = replayed.detail or "alike"
        if not replayed.alike:
            break
    passed = replayed.alike
    if as_json:
        facts = {"engine": opened.name, "device": opened.device, "providers": opened.providers}
        typer.echo(json.dumps({"artifact": str(path), **facts, "stages": stages, "passed": passed}))
    else:
        typer.echo(f"{path} on {opened.name}, {opened.device} ({', '.join(opened.providers)})")
        for stage, found in stages.items():
            typer.echo(f"  {stage:{WIDTH}} {found}")
        typer.echo(f"passed: {len(vectors['pictures'])} pictures" if passed else f"failed at {replayed.stage}")
    if not passed:
        raise typer.Exit(1)
