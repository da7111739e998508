"""Window: the live picture on a display, where there is one."""

import os
import sys

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import DeviceUnavailable, MissingExtra
from edgedigits_runtime.sources.opencv import opencv

CLOSING_KEYS = (27, ord("q"))
"""Escape and q."""


class Window:
    """A window that shows one picture after the other."""

    def __init__(self, title: str) -> None:
        """Make sure that a window can be opened; it opens with the first picture.

        Raises:
            MissingExtra: the installed OpenCV has no windows.
            DeviceUnavailable: there is no display.
        """
        cv2 = opencv()
        gui = [line for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:")]
        if not gui or gui[0].split(":", 1)[1].strip() in ("", "NONE"):
            raise MissingExtra("--window", "window")
        # Without one the toolkit would end the whole process.
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise DeviceUnavailable("--window needs a display, and there is none; use --preview 8080")
        self._cv2, self._title = cv2, title

    def show(self, pixels: NDArray[np.uint8]) -> bool:
        """Show a picture, RGB uint8 [H, W, 3]; return False when the user closed the window."""
        cv2 = self._cv2
        cv2.imshow(self._title, np.ascontiguousarray(pixels[..., ::-1]))
        key = cv2.waitKey(1) & 0xFF
        return key not in CLOSING_KEYS and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        self._cv2.destroyAllWindows()
