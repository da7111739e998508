"""Cameras: by their number or their device; through Picamera2 where that knows the camera, else through OpenCV."""

import sys
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.errors import SourceNotFound, SourceUnavailable
from edgedigits_runtime.sources.frame_source import Kind
from edgedigits_runtime.sources.opencv import Capture, opencv

WIDTH, HEIGHT = 640, 480
"""What a camera is asked for; it may give something else."""


@dataclass(frozen=True)
class Camera:
    """A camera that the system knows, such as 0 or /dev/video0.

    Attributes:
        device: its number, or the path of its device.
    """

    device: int | str
    kind: Kind = "live"

    @property
    def name(self) -> str:
        return f"camera {self.device}" if isinstance(self.device, int) else self.device

    def connect(self) -> Capture:
        """Open the camera.

        Raises:
            SourceNotFound: there is none.
            SourceUnavailable: another program has it, or this user may not.
            MissingExtra: OpenCV is not installed.
        """
        cv2 = opencv()
        path = Path(f"/dev/video{self.device}" if isinstance(self.device, int) else self.device)
        on_linux = sys.platform == "linux"
        if on_linux and not path.exists():
            found = ", ".join(sorted(map(str, Path("/dev").glob("video*")))) or "none"
            raise SourceNotFound(f"no camera at {path}; there are: {found}; to try without one: synthetic")
        capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2) if on_linux else cv2.VideoCapture(self.device)
        if not capture.isOpened():
            raise SourceUnavailable(
                f"{self.name} cannot be opened: another program may have it, or this user may not open it"
                " (on Linux: sudo usermod -aG video $USER, then log in again)"
            )
        # Uncompressed, most USB cameras reach 640x480 at 30 frames a second only without another device beside them.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        # The driver would hand out old frames first.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return Capture(capture, self.name, is_file=False)
