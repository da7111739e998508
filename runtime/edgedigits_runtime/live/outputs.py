"""Outputs of a live reading: an annotated video file, a preview page in a browser, and a window."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.errors import DeviceUnavailable, MissingExtra
from edgedigits_runtime.live.counters import Counters
from edgedigits_runtime.live.overlay import draw_overlay
from edgedigits_runtime.live.preview import Preview
from edgedigits_runtime.live.tracking import PixelBox
from edgedigits_runtime.live.video_output import VideoOutput, open_video_output
from edgedigits_runtime.live.watching import LiveReading
from edgedigits_runtime.sources.opencv import opencv

ESCAPE = 27


@dataclass(frozen=True)
class OutputOptions:
    """Outputs to open.

    Attributes:
        annotate: path of a video file, .mp4, .mkv or .avi.
        window: open a window.
        preview: host and port of a preview page.
        roi: region of interest to outline.
    """

    annotate: Path | None = None
    window: bool = False
    preview: tuple[str, int] | None = None
    roi: PixelBox | None = None


class Window:
    """A window on the display."""

    def __init__(self, title: str) -> None:
        """Check that a window can be opened; it opens with the first picture.

        Raises:
            MissingExtra: the installed OpenCV is built without windows.
            DeviceUnavailable: there is no display.
        """
        cv2 = opencv()
        gui = [line for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:")]
        if not gui or gui[0].split(":", 1)[1].strip() in ("", "NONE"):
            raise MissingExtra("--window", "window")
        # Without a display, the GUI toolkit would abort the process.
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise DeviceUnavailable("--window needs a display, but DISPLAY is not set; use --preview 8080")
        self._cv2, self._title = cv2, title

    def show(self, pixels: NDArray[np.uint8]) -> bool:
        """Show a picture, RGB uint8 [H, W, 3]; return False if the user closed the window or pressed q or Escape."""
        cv2 = self._cv2
        cv2.imshow(self._title, np.ascontiguousarray(pixels[..., ::-1]))
        key = cv2.waitKey(1) & 0xFF
        return key not in (ESCAPE, ord("q")) and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        self._cv2.destroyAllWindows()


class Outputs:
    """Opened outputs; see open_outputs."""

    def __init__(self, roi: PixelBox | None) -> None:
        self.video: VideoOutput | None = None
        self.preview: Preview | None = None
        self.window: Window | None = None
        self._roi = roi

    def add_notice(self, text: str) -> None:
        """Display a notice on the preview page until the next reading."""
        if self.preview:
            self.preview.add_facts({"notice": text})

    def add(self, live: LiveReading, counters: Counters) -> bool:
        """Send a reading to all outputs; return False if the window was closed."""
        fps, reads = counters.rates()

        @cache
        def picture() -> Image.Image:
            return draw_overlay(live, f"{fps:.0f} fps, {live.age:.0f} ms" if fps else "", self._roi)

        if self.video:
            self.video.add(picture(), live.time)
        if self.preview:
            reading = live.reading
            facts = {
                **{"source": reading.source, "text": reading.text, "time": live.time, "age": live.age},
                **{"fps": fps, "reads": reads, "dropped": counters.dropped, "notice": ""},
                **{"model": reading.model, "engine": reading.engine, "device": reading.device},
            }
            self.preview.show(picture, facts)
        return self.window is None or self.window.show(np.asarray(picture()))


@contextmanager
def open_outputs(options: OutputOptions, fps: float) -> Iterator[Outputs]:
    """Open outputs, a video with `fps`; leaving the block closes them and completes the video, also after an error.

    Raises:
        EdgedigitsError: an output cannot be opened; see open_video_output, Window and Preview.
    """
    with ExitStack() as opened:
        outputs = Outputs(options.roi)
        if options.window:
            outputs.window = Window("edgedigits watch")
            opened.callback(outputs.window.close)
        if options.preview:
            outputs.preview = Preview(*options.preview)
            opened.callback(outputs.preview.close)
        if options.annotate:
            outputs.video = opened.enter_context(open_video_output(options.annotate, fps))
        yield outputs
