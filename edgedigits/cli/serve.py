"""`edgedigits serve`: the page and an HTTP API."""

from typing import Annotated

import typer

from edgedigits.cli.model_options import (
    Contract,
    Cores,
    Device,
    Engine,
    Isolate,
    Kernels,
    MinConfidence,
    Model,
    Threads,
    engine_options,
)

EXAMPLES = (
    "Examples: edgedigits serve · edgedigits serve --model max --port 9000 · "
    "EDGEDIGITS_TOKEN=... edgedigits serve --host 0.0.0.0 --workers 2"
)


def serve(
    model: Model = "base",
    engine: Engine = None,
    device: Device = "auto",
    threads: Threads = 1,
    kernels: Kernels = "auto",
    cores: Cores = None,
    isolate: Isolate = False,
    contract: Contract = None,
    min_confidence: MinConfidence = None,
    host: Annotated[str, typer.Option(help="Address to listen on; any but loopback needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes, each with the model.")] = 1,
    token: Annotated[
        str,
        typer.Option(
            envvar="EDGEDIGITS_TOKEN",
            show_default=False,
            show_envvar=True,
            help="What requests have to bring; other users of this machine see options, but not the environment.",
        ),
    ] = "",
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Further name to be asked for by, as behind a proxy.")
    ] = None,
    max_body: Annotated[float, typer.Option(min=0.001, metavar="MB", help="Largest body of a request.")] = 16,
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse pictures with more pixels.")] = 25_000_000,
    max_waiting: Annotated[int, typer.Option(min=1, help="Pictures that may wait; others come back later.")] = 512,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="For a request to arrive, and again to be answered.")
    ] = 30,
    batch_ms: Annotated[float, typer.Option(min=0, help="How long a picture waits for others to be read with.")] = 2,
    log_requests: Annotated[bool, typer.Option(help="Write a line of JSON for each request.")] = True,
) -> None:
    """Serve a page to draw on and an HTTP API."""
    from edgedigits.predicting.pictures import ReaderOptions
    from edgedigits.serving.options import Limits, ServeOptions
    from edgedigits.serving.server import serve as serve_until_ended

    reading = ReaderOptions(
        model, engine, device, engine_options(threads, kernels, cores, isolate), contract, min_confidence, max_pixels
    )
    limits = Limits(body_bytes=int(max_body * 1e6), seconds=timeout, waiting=max_waiting)
    serve_until_ended(
        ServeOptions(reading, host, port, workers, token, tuple(allow_host or ()), limits, batch_ms, log_requests)
    )
