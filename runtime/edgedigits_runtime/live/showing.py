"""Showing: where the drawn answers of a live reading go: a video file, a page in a browser, a window."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from edgedigits_runtime.live.meter import Meter
from edgedigits_runtime.live.overlay import overlaid
from edgedigits_runtime.live.preview import Preview
from edgedigits_runtime.live.recording import Recording, recording
from edgedigits_runtime.live.watching import LiveReading, PixelBox
from edgedigits_runtime.live.window import Window


@dataclass(frozen=True)
class ShowOptions:
    """Where to show a live reading.

    Attributes:
        annotate: a video file, .mp4, .mkv or .avi.
        window: open one.
        preview: host and port of a page.
        roi: the part that is read, which is drawn.
    """

    annotate: Path | None = None
    window: bool = False
    preview: tuple[str, int] | None = None
    roi: PixelBox | None = None


class Show:
    """Opened places to show answers in; made by `showing`."""

    def __init__(self, roi: PixelBox | None) -> None:
        self.recording: Recording | None = None
        self.preview: Preview | None = None
        self.window: Window | None = None
        self._roi = roi

    def note(self, text: str) -> None:
        """Have the page tell what happened, until the next answer."""
        if self.preview:
            self.preview.add_facts({"notice": text})

    def add(self, live: LiveReading, meter: Meter) -> bool:
        """Show an answer; return False when its window was closed."""
        fps, reads = meter.rates()

        @cache
        def drawn() -> Image.Image:
            return overlaid(live, f"{fps:.0f} fps, {live.age:.0f} ms" if fps else "", self._roi)

        if self.recording:
            self.recording.add(drawn(), live.time)
        if self.preview:
            reading = live.reading
            facts = {"source": reading.source, "text": reading.text, "time": live.time, "age": live.age}
            counts = {"fps": fps, "reads": reads, "dropped": meter.dropped, "notice": ""}
            who = {"model": reading.model, "engine": reading.engine, "device": reading.device}
            self.preview.show(drawn, {**facts, **counts, **who})
        return self.window is None or self.window.show(np.asarray(drawn()))


@contextmanager
def showing(options: ShowOptions, fps: float) -> Iterator[Show]:
    """Yield what shows answers; it is closed, and its video complete, when the block is left, however that is.

    Args:
        options: where to show.
        fps: frames a second of the video.

    Raises:
        EdgedigitsError: one of the places cannot be opened; see recording, window and preview.
    """
    with ExitStack() as opened:
        show = Show(options.roi)
        if options.window:
            show.window = Window("edgedigits watch")
            opened.callback(show.window.close)
        if options.preview:
            show.preview = Preview(*options.preview)
            opened.callback(show.preview.close)
        if options.annotate:
            show.recording = opened.enter_context(recording(options.annotate, fps))
        yield show
