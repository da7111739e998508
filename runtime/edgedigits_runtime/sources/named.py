"""Find the source of frames for a name on the command line."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from edgedigits_runtime.clock import Clock
from edgedigits_runtime.errors import SourceNotFound, SourceUnavailable
from edgedigits_runtime.sources.camera import Camera
from edgedigits_runtime.sources.files import is_pictures_name
from edgedigits_runtime.sources.filling_folder import FillingFolder
from edgedigits_runtime.sources.frame_source import FrameSource
from edgedigits_runtime.sources.picamera import PiCamera, has_camera
from edgedigits_runtime.sources.video import SCHEMES, Stream, VideoFile

EXPECTED = (
    "a camera's number or device (0, /dev/video0, picamera), a video file, an rtsp:// or http:// address,"
    " a folder, or synthetic"
)

MOVING = (".apng", ".avif", ".gif", ".webp")
"""Suffixes of pictures that may be videos."""


def source_named(name: str, clock: Clock | None = None) -> FrameSource:
    """Return the source of frames for a name, not yet opened.

    Args:
        name: a camera's number or device, "picamera" or "picamera:1", a video file, an address, a folder to watch, or
            "synthetic" or "synthetic:SEED".
        clock: clock of the watch.

    Raises:
        SourceNotFound: no source has that name.
        SourceUnavailable: `name` is a single picture.
    """
    clock = clock or Clock()
    path = Path(name)
    if re.fullmatch(r"\d{1,3}", name):
        return PiCamera(int(name)) if has_camera(int(name)) else Camera(int(name))
    if name.startswith("/dev/video"):
        return Camera(name)
    if found := re.fullmatch(r"picamera(?::(\d{1,9}))?", name):
        return PiCamera(int(found[1] or 0))
    if found := re.fullmatch(r"synthetic(?::(\d{1,9}))?", name):
        # Its handwriting is for tests and trials only.
        from edgedigits_runtime.sources.synthetic_camera import SyntheticCamera

        return SyntheticCamera(seed=int(found[1] or 0), clock=clock)
    if "://" in name:
        return _stream(name)
    if path.is_dir():
        return FillingFolder(path, clock)
    if path.exists():
        if is_pictures_name(path.name) and path.suffix.lower() not in MOVING:
            raise SourceUnavailable(f"expected a video, got the picture {name}; run: edgedigits predict {name}")
        return VideoFile(path)
    raise SourceNotFound(f"no source {name!r}; expected {EXPECTED}")


def _stream(address: str) -> Stream:
    try:
        parts = urlsplit(address)
        valid = parts.scheme.lower() in SCHEMES and parts.hostname
    except ValueError:
        valid = None
    if not valid:
        raise SourceNotFound(f"no stream at {address!r}; expected {EXPECTED}")
    return Stream(address)
