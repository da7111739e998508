"""`edgedigits serve`: a page and an HTTP API."""

from typing import Annotated

import typer

from edgedigits.cli import model_options as common

EXAMPLES = (
    "Examples: edgedigits serve · edgedigits serve --model max --port 9000 · "
    "EDGEDIGITS_TOKEN=... edgedigits serve --host 0.0.0.0 --workers 2"
)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; only loopback needs no token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free port.")] = 8000,
    token: Annotated[
        str,
        typer.Option(
            envvar="EDGEDIGITS_TOKEN",
            show_default=False,
            show_envvar=True,
            help="Token required in requests; other users of this machine see options, but not the environment.",
        ),
    ] = "",
    open_page: common.OpenPage = False,
    model: common.Model = "base",
    min_confidence: common.MinConfidence = None,
    finder: common.Finder = "none",
    workers: Annotated[int, typer.Option(min=1, help="Processes, each with the model.")] = 1,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Additional host name, such as that of a proxy."),
    ] = None,
    max_body: Annotated[float, typer.Option(min=0.001, metavar="MB", help="Largest body of a request.")] = 16,
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse pictures with more pixels.")] = 25_000_000,
    max_waiting: Annotated[int, typer.Option(min=1, help="Maximum number of waiting pictures; more get 503.")] = 512,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="Timeout for a request, and again for its response."),
    ] = 30,
    batch_ms: Annotated[
        float, typer.Option(min=0, help="Time that a picture waits to be read with those of other clients.")
    ] = 2,
    log_requests: Annotated[bool, typer.Option(help="Log each request as a line of JSON.")] = True,
    engine: common.Engine = None,
    device: common.Device = "auto",
    threads: common.Threads = 1,
    kernels: common.Kernels = "auto",
    cores: common.Cores = None,
    isolate: common.Isolate = False,
) -> None:
    """Serve a page to draw on and an HTTP API."""
    from edgedigits.predicting.pictures import ReaderOptions
    from edgedigits.serving import server
    from edgedigits.serving.options import Limits, ServeOptions

    processor = common.engine_options(threads, kernels, cores, isolate)
    reading = ReaderOptions(model, engine, device, processor, min_confidence, max_pixels, finder=finder)
    limits = Limits(body_bytes=int(max_body * 1e6), seconds=timeout, waiting=max_waiting)
    server.serve(
        ServeOptions(reading, host, port, workers, token, tuple(allow_host or ()), limits, batch_ms, log_requests),
        common.open_in_browser if open_page else lambda _: None,
    )
