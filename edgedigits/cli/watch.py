"""`edgedigits watch`: read a camera, a video or a stream as it goes."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgedigits.cli.model_options import (
    Contract,
    Cores,
    Device,
    Engine,
    Expect,
    Kernels,
    MinConfidence,
    Model,
    Threads,
    engine_options,
)

if TYPE_CHECKING:
    from edgedigits_runtime.live.watching import LiveReading

EXAMPLES = (
    "Examples: edgedigits watch 0 · edgedigits watch clip.mp4 --annotate out.mp4 · "
    "edgedigits watch rtsp://camera/stream --json · edgedigits watch synthetic --preview 8080"
)


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A camera (0, /dev/video0, picamera), a video file, an rtsp:// or http:// address, a folder that is"
            " being filled, or synthetic.",
        ),
    ],
    model: Model = "base",
    engine: Engine = None,
    device: Device = "auto",
    threads: Threads = 1,
    kernels: Kernels = "auto",
    cores: Cores = None,
    expect: Annotated[
        Expect,
        typer.Option(help="What stands in a picture: one digit, one line of digits, several lines, or find out."),
    ] = "auto",
    length: Annotated[int | None, typer.Option(min=1, help="How many digits there are, where you know it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each frame that is read.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="VIDEO", help="Write what was seen and read here: .mp4, .mkv or .avi.")
    ] = None,
    window: Annotated[
        bool, typer.Option("--window", help="Show it on the display; needs the extra called window.")
    ] = False,
    preview: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT", help="Show it as a page to a browser; on this machine alone unless a host is given."
        ),
    ] = None,
    max_fps: Annotated[
        float | None,
        typer.Option(min=0.01, help="Readings a second at most.", show_default="10 when live, every frame of a video"),
    ] = None,
    roi: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="Read this part of the picture only, in pixels.")
    ] = None,
    duration: Annotated[float | None, typer.Option(min=0.1, help="End after so many seconds.")] = None,
    top_k: Annotated[int, typer.Option(min=1, help="How many labels to list for a digit.")] = 3,
    min_confidence: MinConfidence = None,
    contract: Contract = None,
) -> None:
    """Read numbers live; each is told once, when it has settled. Ctrl-C ends it."""
    from edgedigits.cli.status_line import StatusLine, summary
    from edgedigits.predicting.pictures import ReaderOptions
    from edgedigits_runtime.clock import Clock
    from edgedigits_runtime.live.outputs import OutputOptions, open_outputs
    from edgedigits_runtime.live.watching import Notice, Watch, WatchOptions
    from edgedigits_runtime.sources.named import source_named

    if annotate and annotate.exists() and Path(source).exists() and annotate.samefile(source):
        raise typer.BadParameter(f"--annotate would write over what is read: {annotate}; take another name")
    part = _box(roi)
    options = WatchOptions(max_fps, part, duration, top_k)
    output_options = OutputOptions(annotate, window, _address(preview), part)
    reader = ReaderOptions(
        model, engine, device, engine_options(threads, kernels, cores), contract, min_confidence,
        top_k=top_k, expect=expect, length=length,
    ).open()  # fmt: skip
    clock, failed = Clock(), False
    watching = Watch(reader, source_named(source, clock), options, clock)
    with (
        ended_by_signals(watching.stop) as signals,
        closing(watching.frames),
        open_outputs(output_options, watching.read_fps) as outputs,
        StatusLine() as status,
    ):
        if outputs.preview:
            typer.echo(f"preview: {outputs.preview.address}", err=True)
        try:
            for item in watching:
                if isinstance(item, Notice):
                    failed |= item.failed
                    outputs.add_notice(item.text)
                    status.warn(f"{item.time:.1f} s: {item.text}")
                    if as_json:
                        status.print(json.dumps(item.to_dict()))
                    continue
                if as_json:
                    status.print(json.dumps(item.to_dict()))
                elif item.new or item.frame.file:
                    status.print(_line(item))
                if not outputs.add(item, watching.counters):
                    watching.stop()
                status.update(watching.counters, item.reading.text, clock.now() - watching.counters.began)
        finally:
            seconds = clock.now() - watching.counters.began
            typer.echo(summary(watching.counters, seconds, watching.frames.connections), err=True)
    if annotate and watching.counters.read:
        typer.echo(f"written: {annotate}", err=True)
    if signals:
        raise typer.Exit(128 + signals[0])
    if failed:
        raise typer.Exit(1)


def _line(live: "LiveReading") -> str:
    """Return when, what, and how sure; of a picture with a name its line as `predict` prints it."""
    from edgedigits.predicting.text import alternatives, lowest_confidence, reading_line, single_line

    reading = live.reading
    if live.frame.file:
        return reading_line(reading)
    return f"{live.time:7.1f} s  {single_line(reading.text)}  {lowest_confidence(reading):.1%}{alternatives(reading)}"


def _box(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        x, y, width, height = -1, -1, 0, 0
    if min(x, y) < 0 or min(width, height) < 1:
        raise typer.BadParameter(f"expected a part of the picture such as 100,50,320,240; got {text!r}")
    return x, y, width, height


def _address(text: str | None) -> tuple[str, int] | None:
    from edgedigits_runtime.live.preview import host_and_port

    try:
        return host_and_port(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"expected a port such as 8080, or 0.0.0.0:8080; got {text!r}") from None


@contextmanager
def ended_by_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Call `stop` at the first Ctrl-C or SIGTERM, and yield a list with what came; a second one interrupts at once."""
    came: list[int] = []

    def handle(number: int, _: Any) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
