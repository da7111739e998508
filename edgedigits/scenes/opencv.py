"""OpenCV, which paints the scenes; it comes with the extra `camera`."""

from typing import Any

from edgedigits_runtime.sources.opencv import opencv

# Untyped: its own types call every result an array of any numbers.
cv2: Any = opencv()
