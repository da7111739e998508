"""The layout of an image in a model's input, from its shape."""

import math

CHANNELS = (1, 3)

Image = tuple[int, int, int]
"""Height, width and channels."""


def find_layout(shape: tuple[int | None, ...]) -> tuple[str, Image | None] | str:
    """Return an input's layout, and the image's size if the layout has it in one axis; or a sentence why it is unknown.

    Images have one or three channels. Two equal readings of a shape, such as [1, 28, 28] as one row of channels or as a
    batch of one, hold the same bytes; the batch is preferred.
    """
    if not shape or any(size is None for size in shape[1:]):
        return "some of its sizes are free"
    batch, sizes = shape[0], [int(size or 0) for size in shape[1:]]
    if len(shape) == 4:
        if sizes[2] in CHANNELS:
            return "NHWC", None
        if sizes[0] in CHANNELS:
            return "NCHW", None
        return "none of its axes has 1 or 3 channels"
    if len(shape) == 3:
        if batch in (None, 1):
            return "NHW", None
        if sizes[1] in CHANNELS:
            return "HWC", None
        return ("CHW", None) if batch in CHANNELS else ("NHW", None)
    if len(shape) == 2 and batch not in (None, 1) and batch == sizes[0]:
        return "HW", None
    image = square(sizes[0] if len(shape) == 2 else int(batch or 0))
    if len(shape) > 2 or image is None:
        return "it has no square image of 1 or 3 channels"
    return ("NF" if len(shape) == 2 else "F"), image


def square(values: int) -> Image | None:
    """Return the square image with this many values, grey rather than colour; None if there is none."""
    for channels in CHANNELS:
        side = math.isqrt(values // channels)
        if side > 1 and side * side * channels == values:
            return side, side, channels
    return None
