"""`edgedigits watch`: read a camera, a video or a stream live."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgedigits.cli import model_options as common

if TYPE_CHECKING:
    from edgedigits.cli.status_line import StatusLine
    from edgedigits_runtime.clock import Clock
    from edgedigits_runtime.live.outputs import Outputs
    from edgedigits_runtime.live.watching import LiveReading, Watch

EXAMPLES = (
    "Examples: edgedigits watch 0 · edgedigits watch clip.mp4 --annotate out.mp4 · "
    "edgedigits watch rtsp://camera/stream --json · edgedigits watch synthetic --preview 8080"
)


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A camera (0, /dev/video0, picamera), a video file, an rtsp:// or http:// address, a folder to watch,"
            " or synthetic.",
        ),
    ],
    expect: common.Expect = "auto",
    length: common.Length = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each frame that is read.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="VIDEO", help="Write an annotated video: .mp4, .mkv or .avi.")
    ] = None,
    preview: Annotated[
        str | None,
        typer.Option(metavar="[HOST:]PORT", help="Serve a live page; without HOST, on this machine only."),
    ] = None,
    open_page: common.OpenPage = False,
    window: Annotated[
        bool, typer.Option("--window", help="Open a window on the display; needs the [window] extra.")
    ] = False,
    roi: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="Read only this part of the picture, in pixels.")
    ] = None,
    duration: Annotated[float | None, typer.Option(min=0.1, help="Stop after this many seconds.")] = None,
    max_fps: Annotated[
        float | None,
        typer.Option(min=0.01, help="Maximum readings per second.", show_default="10 when live, all frames of a video"),
    ] = None,
    model: common.Model = "base",
    min_confidence: common.MinConfidence = None,
    finder: common.Finder = "none",
    top_k: common.TopK = 3,
    engine: common.Engine = None,
    device: common.Device = "auto",
    threads: common.Threads = 1,
    kernels: common.Kernels = "auto",
    cores: common.Cores = None,
) -> None:
    """Read numbers live, and print each once when its reading has settled. Ctrl-C stops."""
    from edgedigits.cli.status_line import StatusLine, summary
    from edgedigits.predicting.pictures import ReaderOptions
    from edgedigits_runtime.clock import Clock
    from edgedigits_runtime.live.outputs import OutputOptions, open_outputs
    from edgedigits_runtime.live.settling import SURE
    from edgedigits_runtime.live.watching import Watch, WatchOptions
    from edgedigits_runtime.sources.named import source_named

    if annotate and annotate.exists() and Path(source).exists() and annotate.samefile(source):
        raise typer.BadParameter(f"--annotate would overwrite the source {annotate}; choose another path")
    region = _region(roi)
    output_options = OutputOptions(annotate, window, _address(preview or ("0" if open_page else None)), region)
    reader = ReaderOptions(
        model, engine, device, common.engine_options(threads, kernels, cores), min_confidence,
        top_k=top_k, expect=expect, length=length, finder=finder,
    ).open()  # fmt: skip
    least = max(SURE if min_confidence is None else min_confidence, reader.classifier.contract.rejection_threshold)
    options = WatchOptions(max_fps, region, duration, top_k, least)
    clock = Clock()
    watching = Watch(reader, source_named(source, clock), options, clock)
    counters = watching.counters
    with (
        stop_on_signals(watching.stop) as signals,
        closing(watching.frames),
        open_outputs(output_options, watching.read_fps) as outputs,
    ):
        if outputs.preview:
            typer.echo(f"preview: {outputs.preview.address}", err=True)
            if open_page:
                common.open_in_browser(outputs.preview.address)
        try:
            with StatusLine() as status:
                failed = _print_readings(watching, outputs, status, clock, as_json=as_json)
        finally:
            typer.echo(summary(counters, clock.now() - counters.began, watching.frames.connections), err=True)
    if annotate and counters.read:
        typer.echo(f"written: {annotate}", err=True)
    if signals:
        raise typer.Exit(128 + signals[0])
    if failed:
        raise typer.Exit(1)


def _print_readings(
    watching: "Watch", outputs: "Outputs", status: "StatusLine", clock: "Clock", *, as_json: bool
) -> bool:
    """Print and output each reading until the end; return whether a picture could not be read."""
    from edgedigits_runtime.live.watching import Notice

    counters, failed = watching.counters, False
    for item in watching:
        if as_json:
            status.print(json.dumps(item.to_dict()))
        if isinstance(item, Notice):
            failed |= item.failed
            outputs.add_notice(item.text)
            status.warn(f"{item.time:.1f} s: {item.text}")
            continue
        if not as_json and (item.new or item.frame.file):
            status.print(_line(item))
        if not outputs.add(item, counters):
            watching.stop()
        status.update(counters, item.reading.text, clock.now() - counters.began)
    return failed


def _line(live: "LiveReading") -> str:
    """Return time, text and confidence; for a picture file, the same line as `predict`."""
    from edgedigits.predicting.text import alternatives, lowest_confidence, reading_line, single_line

    reading = live.reading
    if live.frame.file:
        return reading_line(reading)
    return f"{live.time:7.1f} s  {single_line(reading.text)}  {lowest_confidence(reading):.1%}{alternatives(reading)}"


def _region(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        x, y, width, height = -1, -1, 0, 0
    if min(x, y) < 0 or min(width, height) < 1:
        raise typer.BadParameter(f"expected X,Y,W,H such as 100,50,320,240 for --roi; got {text!r}")
    return x, y, width, height


def _address(text: str | None) -> tuple[str, int] | None:
    from edgedigits_runtime.live.preview import host_and_port

    try:
        return host_and_port(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"expected a port such as 8080 or 0.0.0.0:8080 for --preview; got {text!r}") from None


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Call `stop` on the first SIGINT or SIGTERM and interrupt on the second; yield the list of received signals."""
    received: list[int] = []

    def handle(number: int, _: Any) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
