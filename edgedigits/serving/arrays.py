"""Arrays: images of the model's own size from JSON or from .npy, nothing of which is ever unpickled."""

import io
import json

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from edgedigits.serving.problems import Problem, invalid, unsupported
from edgedigits_runtime.errors import first_line

JSON_TYPES = ("application/json",)
NPY_TYPES = ("application/x-npy", "application/octet-stream", "")


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
        array = _of_json(body, shape)
    elif media in NPY_TYPES:
        array = _of_npy(body, shape)
    else:
        raise unsupported(f"expected application/json or application/x-npy; got {media[:80]}")
    images = _as_images(array, shape)
    if len(images) > most:
        raise too_many(len(images), most)
    return images


def too_many(count: int, most: int) -> Problem:
    return Problem(413, "TooManyImages", f"expected at most {most:,} images in a request; got {count:,}")


def _of_json(body: bytes, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"the body is no JSON: {str(error)[:200]}") from None
    if not isinstance(given, dict) or list(given) != ["images"]:
        raise invalid('expected an object {"images": [...]} and nothing else in it')
    try:
        array = np.array(given["images"])
    except (ValueError, OverflowError, TypeError, RecursionError):
        raise invalid(f"the images are not all of {_said(shape)}") from None
    # NumPy takes a truth value among numbers for a number; no text stands here in which these words could be.
    whole = array.dtype.kind in "iu" and b"true" not in body and b"false" not in body
    if not whole or (array.size and not 0 <= array.min() <= array.max() <= 255):
        raise invalid(f"expected whole numbers from 0 to 255, images of {_said(shape)}")
    return array.astype(np.uint8)


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
    count = 1
    for size in sizes:
        count *= size
    held = body[file.tell() :]
    if count != len(held):
        raise invalid(f"the .npy file is cut or too long: its header tells of {count:,} bytes, {len(held):,} follow")
    if len(sizes) > 4 or not count:
        raise invalid(f"expected images of {_said(shape)}; got {list(sizes)[:8]}")
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
