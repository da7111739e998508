"""Images of the model's input size, from JSON or .npy. Nothing is unpickled."""

import io
import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from edgedigits.serving.problems import Problem, invalid, unsupported
from edgedigits_runtime.errors import first_line

JSON_TYPE, NPY_TYPES = "application/json", ("application/x-npy", "application/octet-stream", "")

BEGIN = re.compile(r'\s*\{\s*"images"\s*:\s*\[\s*', re.ASCII)
COMMA = re.compile(r"\s*,\s*", re.ASCII)
END = re.compile(r"\s*\]\s*\}\s*", re.ASCII)
DECODER = json.JSONDecoder()

MAX_NUMBER = 128
"""Characters of a pixel in JSON, with brackets and indentation."""


def images_in(body: bytes, content_type: str, shape: tuple[int, int, int], most: int) -> NDArray[np.uint8]:
    """Return the images of a body, uint8 [N, H, W, C].

    Args:
        body: JSON {"images": [[[0, ...], ...], ...]} with one image or a list; or a .npy file of uint8.
        content_type: of the body.
        shape: H, W and C of one image.
        most: number of images.

    Raises:
        Problem: 415 for another type, 413 for too many images, 422 for anything else.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in (JSON_TYPE, *NPY_TYPES):
        raise unsupported(f"expected application/json or application/x-npy; got {media_type[:80]}")
    if not body:
        raise invalid(f"the body is empty; expected images of {_format(shape)}")
    array = _from_json(body, shape, most) if media_type == JSON_TYPE else _from_npy(body, shape)
    images = _as_images(array, shape)
    if len(images) > most:
        raise _too_many(most)
    return images


def _too_many(most: int) -> Problem:
    return Problem(413, "TooManyImages", f"expected at most {most:,} images in a request; got more")


def elements(text: str, max_length: int, expected: str) -> Iterator[Any]:
    """Yield the elements of the list in {"images": [...]} one by one.

    json.loads on the whole text would hold the interpreter's lock, and so all other requests, for seconds.

    Args:
        text: JSON.
        max_length: characters of an element.
        expected: the size of the images, for the error message.

    Raises:
        Problem: 422 for anything else.
    """
    begin = BEGIN.match(text)
    # No strings: NumPy would give each of them the size of the longest.
    if begin is None or text.find('"', begin.end()) >= 0:
        raise invalid('expected an object {"images": [...]} and nothing else in it')
    position = begin.end()
    while True:
        try:
            element, length = DECODER.raw_decode(text[position : position + max_length])
        except (ValueError, RecursionError):
            raise _no_images(position, expected) from None
        yield element
        position += length
        if END.fullmatch(text, position):
            return
        comma = COMMA.match(text, position)
        if comma is None:
            raise _no_images(position, expected)
        position = comma.end()


def _no_images(position: int, expected: str) -> Problem:
    return invalid(f"expected JSON with images of {expected}; got something else at character {position:,}")


def _from_json(body: bytes, shape: tuple[int, int, int], most: int) -> NDArray[np.uint8]:
    # Invalid bytes become characters that are not JSON.
    text = body.decode("utf-8-sig", "replace")
    # NumPy accepts booleans among integers. There are no strings that could contain these words.
    if "true" in text or "false" in text:
        raise _no_pixels(shape)
    arrays: list[NDArray[np.uint8]] = []
    for element in elements(text, math.prod(shape) * MAX_NUMBER, _format(shape)):
        # The elements are images, or the rows of one image.
        if len(arrays) == max(most, shape[0]):
            raise _too_many(most)
        arrays.append(_pixels(element, shape))
    try:
        return np.stack(arrays)
    except ValueError:
        raise _no_pixels(shape) from None


def _pixels(element: Any, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    with suppress(ValueError, OverflowError, TypeError, RecursionError):
        array = np.array(element)
        if array.dtype.kind in "iu" and (not array.size or 0 <= array.min() <= array.max() <= 255):
            return array.astype(np.uint8)
    raise _no_pixels(shape)


def _no_pixels(shape: tuple[int, int, int]) -> Problem:
    return invalid(f"expected integers from 0 to 255, all images of {_format(shape)}")


def _from_npy(body: bytes, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    file = io.BytesIO(body)
    try:
        version = npy.read_magic(file)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read_header is None:
            raise invalid(f"expected version 1.0 or 2.0 of the .npy format; got {version}")
        sizes, column_major, dtype = read_header(file)
    except Problem:
        raise
    except Exception as error:  # noqa: BLE001  # A broken header can raise many exceptions in NumPy.
        raise invalid(f"the body is not a .npy file: {first_line(error)[:200]}") from None
    if dtype != np.uint8:
        raise invalid(f"expected an array of uint8; got {str(dtype)[:80]}")
    data = body[file.tell() :]
    # NumPy accepts negative numbers and booleans as sizes.
    if any(type(size) is not int or size < 0 for size in sizes) or len(sizes) > 4 or not data:
        raise _wrong_shape(sizes, shape)
    if math.prod(sizes) != len(data):
        raise invalid(f"the .npy file has {len(data):,} bytes of data; its header has shape {str(list(sizes))[:80]}")
    return np.frombuffer(data, np.uint8).reshape(sizes, order="F" if column_major else "C")


def _as_images(array: NDArray[np.uint8], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return an array [H, W], [N, H, W] or [N, H, W, C] as [N, H, W, C]."""
    height, width, channels = shape
    if channels == 1 and array.shape in ((height, width), (0, height, width)):
        array = array[np.newaxis, ..., np.newaxis]
    elif channels == 1 and array.shape[1:] == (height, width):
        array = array[..., np.newaxis]
    elif array.shape == shape:
        array = array[np.newaxis]
    if array.ndim != 4 or array.shape[1:] != shape or not len(array):
        raise _wrong_shape(array.shape, shape)
    return np.ascontiguousarray(array)


def _wrong_shape(sizes: tuple[Any, ...], shape: tuple[int, int, int]) -> Problem:
    return invalid(f"expected images of {_format(shape)}; got {str(list(sizes))[:80]}")


def _format(shape: tuple[int, int, int]) -> str:
    height, width, channels = shape
    return f"{height}x{width}" if channels == 1 else f"{height}x{width}x{channels}"
