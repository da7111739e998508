"""Cameras by number or device path, through OpenCV."""

import sys
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.errors import SourceNotFound, SourceUnavailable
from edgedigits_runtime.sources.frame_source import Kind
from edgedigits_runtime.sources.opencv import Capture, opencv

WIDTH, HEIGHT = 640, 480
"""Requested size; a camera may deliver another one."""


@dataclass(frozen=True)
class Camera:
    """A camera of the system, such as 0 or /dev/video0.

    Attributes:
        device: number or device path.
    """

    device: int | str
    kind: Kind = "live"

    @property
    def name(self) -> str:
        return f"camera {self.device}" if isinstance(self.device, int) else self.device

    def connect(self) -> Capture:
        """Open the camera.

        Raises:
            SourceNotFound: there is no such camera.
            SourceUnavailable: the camera is in use, or access is denied.
            MissingExtra: OpenCV is not installed.
        """
        cv2 = opencv()
        path = Path(f"/dev/video{self.device}" if isinstance(self.device, int) else self.device)
        on_linux = sys.platform == "linux"
        if on_linux and not path.exists():
            found = ", ".join(sorted(map(str, Path("/dev").glob("video*")))) or "none"
            raise SourceNotFound(f"no camera at {path}; found: {found}; to try without a camera, use: synthetic")
        capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2) if on_linux else cv2.VideoCapture(self.device)
        if not capture.isOpened():
            raise SourceUnavailable(
                f"{self.name} cannot be opened; close other programs that use it, or allow access"
                " (on Linux: sudo usermod -aG video $USER, then log in again)"
            )
        # Uncompressed, most USB cameras reach 640x480 at 30 frames/s only if no other device shares the bus.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        # Otherwise the driver returns old frames first.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return Capture(capture, self.name, is_file=False)
