"""Arrays: images of the model's own size from JSON or from .npy, nothing of which is ever unpickled."""

import io
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from edgedigits.serving.problems import Problem, invalid, unsupported
from edgedigits_runtime.errors import first_line

JSON_TYPES = ("application/json",)
NPY_TYPES = ("application/x-npy", "application/octet-stream", "")

BEGIN = re.compile(r'\s*\{\s*"images"\s*:\s*\[\s*', re.ASCII)
COMMA = re.compile(r"\s*,\s*", re.ASCII)
END = re.compile(r"\s*\]\s*\}\s*", re.ASCII)
DECODER = json.JSONDecoder()

LONGEST_NUMBER = 128
"""Characters of a pixel in JSON, with the brackets and the blanks around it where each has lines of its own."""


def arrays_in(body: bytes, content_type: str, shape: tuple[int, int, int], most: int) -> NDArray[np.uint8]:
    """Return the images of a body, uint8 [N, H, W, C].

    Args:
        body: JSON {"images": [[[0, ...], ...], ...]}, one image or a list of them; or a .npy file of uint8.
        content_type: of the body.
        shape: H, W and C of one image.
        most: images.

    Raises:
        Problem: 415 for another type, 413 for too many images, 422 for what is no such array.
    """
    media = content_type.partition(";")[0].strip().lower()
    if not body and media in (*JSON_TYPES, *NPY_TYPES):
        raise invalid(f"the body is empty; expected images of {_said(shape)}")
    if media in JSON_TYPES:
        array = _of_json(body, shape, most)
    elif media in NPY_TYPES:
        array = _of_npy(body, shape)
    else:
        raise unsupported(f"expected application/json or application/x-npy; got {media[:80]}")
    images = _as_images(array, shape)
    if len(images) > most:
        raise too_many(f"{len(images):,}", most)
    return images


def too_many(count: str, most: int) -> Problem:
    return Problem(413, "TooManyImages", f"expected at most {most:,} images in a request; got {count}")


def elements(text: str, longest: int, what: str) -> Iterator[Any]:
    """Yield the elements of the list in {"images": [...]}, each parsed only when it is its turn.

    While json parses a text, and its collector looks at what came of it, no other thread runs; of a long one, for
    seconds.

    Args:
        text: JSON.
        longest: characters of an element.
        what: of which images there should be; for the message.

    Raises:
        Problem: 422 for what is no such object.
    """
    begin = BEGIN.match(text)
    # Of many texts NumPy would give each as much room as the longest takes.
    if begin is None or text.find('"', begin.end()) >= 0:
        raise invalid('expected an object {"images": [...]} and nothing else in it')
    at = begin.end()
    while True:
        try:
            element, length = DECODER.raw_decode(text[at : at + longest])
        except (ValueError, RecursionError):
            raise _no_images(at, what) from None
        yield element
        at += length
        if END.fullmatch(text, at):
            return
        comma = COMMA.match(text, at)
        if comma is None:
            raise _no_images(at, what)
        at = comma.end()


def _no_images(at: int, what: str) -> Problem:
    return invalid(f"the body is no JSON, or not of images of {what}, from character {at:,} on")


def _of_json(body: bytes, shape: tuple[int, int, int], most: int) -> NDArray[np.uint8]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid(f"the body is no JSON: {str(error)[:200]}") from None
    # NumPy takes a truth value among numbers for a number; no text stands here in which these words could be.
    if "true" in text or "false" in text:
        raise _no_pixels(shape)
    arrays: list[NDArray[np.uint8]] = []
    for element in elements(text, math.prod(shape) * LONGEST_NUMBER, _said(shape)):
        # Images, or the rows of one.
        if len(arrays) == max(most, shape[0]):
            raise too_many("more", most)
        arrays.append(_pixels(element, shape))
    try:
        return np.stack(arrays)
    except ValueError:
        raise _no_pixels(shape) from None


def _pixels(element: Any, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    try:
        array = np.array(element)
    except (ValueError, OverflowError, TypeError, RecursionError):
        raise _no_pixels(shape) from None
    if array.dtype.kind not in "iu" or (array.size and not 0 <= array.min() <= array.max() <= 255):
        raise _no_pixels(shape)
    return array.astype(np.uint8)


def _no_pixels(shape: tuple[int, int, int]) -> Problem:
    return invalid(f"expected whole numbers from 0 to 255, images all of {_said(shape)}")


def _of_npy(body: bytes, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    file = io.BytesIO(body)
    try:
        version = npy.read_magic(file)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read_header is None:
            raise invalid(f"expected version 1.0 or 2.0 of the .npy format; got {version}")
        sizes, by_columns, dtype = read_header(file)
    except Problem:
        raise
    except Exception as error:  # noqa: BLE001  # Whatever a broken header makes NumPy say.
        raise invalid(f"the body is no .npy file: {first_line(error)[:200]}") from None
    if dtype != np.uint8:
        raise invalid(f"expected an array of uint8; got {str(dtype)[:80]}")
    told = str(list(sizes))[:80]
    held = body[file.tell() :]
    # NumPy takes negative numbers and truth values for sizes.
    if any(type(size) is not int or size < 0 for size in sizes):
        raise invalid(f"expected images of {_said(shape)}; got {told}")
    if math.prod(sizes) != len(held):
        raise invalid(f"the .npy file is cut or too long: its header tells of {told}, {len(held):,} bytes follow")
    if len(sizes) > 4 or not held:
        raise invalid(f"expected images of {_said(shape)}; got {told}")
    return np.frombuffer(held, np.uint8).reshape(sizes, order="F" if by_columns else "C")


def _as_images(array: NDArray[np.uint8], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return [H, W], [N, H, W] or [N, H, W, C] as the last of these."""
    height, width, channels = shape
    if channels == 1 and array.shape in ((height, width), (0, height, width)):
        array = array[np.newaxis, ..., np.newaxis]
    elif channels == 1 and array.shape[1:] == (height, width):
        array = array[..., np.newaxis]
    elif array.shape == shape:
        array = array[np.newaxis]
    if array.ndim != 4 or array.shape[1:] != shape or not len(array):
        raise invalid(f"expected images of {_said(shape)}; got {list(array.shape)}")
    return np.ascontiguousarray(array)


def _said(shape: tuple[int, int, int]) -> str:
    height, width, channels = shape
    return f"{height}x{width}" if channels == 1 else f"{height}x{width}x{channels}"
