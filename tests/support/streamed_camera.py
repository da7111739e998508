"""The synthetic camera as a stream of motion JPEG on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

from PIL import Image

from edgedigits_runtime.live.preview import Preview
from edgedigits_runtime.sources.synthetic_camera import SyntheticCamera


@contextmanager
def streamed(camera: SyntheticCamera, fps: int) -> Iterator[Preview]:
    """Serve the first 60 frames of a camera again and again, at `fps` of its 30 frames per second."""
    preview, closed = Preview("127.0.0.1", 0), threading.Event()
    numbers = cycle(range(0, 60, 30 // fps))

    def show() -> None:
        while not closed.wait(1 / fps):
            picture = Image.fromarray(camera.picture(next(numbers)))
            preview.show(lambda picture=picture: picture, {})  # type: ignore[misc]

    thread = threading.Thread(target=show)
    thread.start()
    try:
        yield preview
    finally:
        closed.set()
        thread.join()
        preview.close()
