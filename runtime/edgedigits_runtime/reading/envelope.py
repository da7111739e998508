"""The ground of a photo, which follows the edges of shadows, pages and tables.

A morphological closing (Serra 1982) removes everything dark that is narrower than its window. The window must be wider
than the strokes and narrower than shadows, so the smallest one that holds whole strokes is taken.
"""

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.levels import Grey, contrast, histograms, ink_weights, subtracted

# Window sizes as fractions of the longest side, or of twice the shorter side of a strip.
WINDOWS = (1 / 24, 1 / 12, 1 / 6, 1 / 3, 2 / 3)
SMALL, LARGE = 1 / 12, 1 / 3
# The window must be this many times wider than the strokes, because junctions are wider.
STROKES_IN_WINDOW = 2
MOST_STROKE = 0.2  # Widest stroke, as a fraction of the longest side.
COMPLETE = 1.5  # Strokes fit in a window if the next larger window finds at most this many times as much ink.


def envelope(grey: Grey) -> tuple[Grey, int]:
    """Return the ground under dark ink of a reduced picture, uint8 [h, w], and the size of the window that found it."""
    window, ground = closed_by(grey, WINDOWS[0])
    for part in WINDOWS[1:]:
        ink = subtracted(ground, grey)
        wider = closed_by(grey, part)
        complete = ink_weight(subtracted(wider[1], grey)) <= COMPLETE * ink_weight(ink)
        if complete and window >= STROKES_IN_WINDOW * mean_stroke_width(strong(ink)):
            break
        window, ground = wider
    if mean_stroke_width(strong(subtracted(ground, grey))) > MOST_STROKE * max(grey.shape):
        # No pen writes so broadly: it is a shadow or an object.
        window, ground = closed_by(grey, SMALL)
    # Noise lifts an envelope above the middle of the ground.
    lift = round(float(np.median(ground.astype(np.int16) - grey)))
    return _eroded(np.maximum(ground, lift) - np.uint8(lift), 3), window


def is_thin(grey: Grey) -> bool:
    """Return whether there is dark ink and all of it is in strokes narrower than a small window."""
    small, large = (np.count_nonzero(strong(ink_within(grey, part))) for part in (SMALL, LARGE))
    return bool(0 < large <= 2 * small)


def ink_within(grey: Grey, part: float) -> Grey:
    """Return the dark ink, uint8 [h, w], that is narrower than a window of this fraction of the picture."""
    return subtracted(closed_by(grey, part)[1], grey)


def closed_by(grey: Grey, part: float) -> tuple[int, Grey]:
    """Return a window's size in pixels and the closing with it."""
    window = max(3, int(min(max(grey.shape), 2 * min(grey.shape)) * part) | 1)
    return window, closed(grey, window)


def closed(grey: Grey, window: int) -> Grey:
    """Close dark gaps narrower than `window` pixels, uint8 [h, w]; outermost pixels are repeated beyond the edge."""
    padded = _padded(_padded(grey, window).T, window).T
    return _eroded(_dilated(padded, window), window)[window:-window, window:-window]


def ink_weight(ink: Grey) -> float:
    return float(ink_weights(ink[np.newaxis])[0])


def strong(ink: Grey) -> NDArray[np.bool_]:
    """Return the mask of pixels with at least half of the full contrast."""
    return ink >= max(float(contrast(histograms(ink[np.newaxis]))[0]) / 2, 1)


def mean_stroke_width(mask: NDArray[np.bool_]) -> float:
    """Return the mean width of a mask's strokes in pixels: twice the area divided by the pixels on the outline."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    area = np.count_nonzero(mask)
    outline = area - np.count_nonzero(inner)
    return 2 * area / outline if outline else 0.0


def _eroded(grey: Grey, window: int) -> Grey:
    """Return the darkest pixel of each window x window; `window` is odd."""
    return ~_dilated(~grey, window)


def _dilated(grey: Grey, window: int) -> Grey:
    """Return the lightest pixel of each window x window by doubling spans; `window` is odd."""
    for _ in range(2):
        grey = _padded(grey, window // 2)
        span = 1
        while span < window:
            step = min(span, window - span)
            grey = np.maximum(grey[:-step], grey[step:])
            span += step
        grey = grey.T
    return grey


def _padded(grey: Grey, by: int) -> Grey:
    """Repeat the first and last row of uint8 [h, w]; np.pad would take longer than the closing."""
    height, width = grey.shape
    padded = np.empty((height + 2 * by, width), np.uint8)
    padded[by : by + height] = grey
    padded[:by], padded[by + height :] = grey[0], grey[-1]
    return padded
