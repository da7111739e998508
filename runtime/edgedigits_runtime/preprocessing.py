"""Convert uint8 pixels to a model's input tensor, and its output tensor to probabilities.

Pixels are scaled only here: training, verification and every engine call these functions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Normalisation, OutputKind, Polarity, Scaling, Tensor
from edgedigits_runtime.errors import ArrayError

Images = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


def as_batch(images: NDArray[Any], shape: tuple[int, int, int]) -> Images:
    """Check `images` and return them as [N, H, W, C].

    Args:
        images: uint8 [N, H, W] for one channel, or [N, H, W, C].
        shape: (height, width, channels) of the model's input.

    Raises:
        ArrayError: another dtype or shape, or no image.
    """
    if not isinstance(images, np.ndarray):
        raise ArrayError(f"expected a NumPy array, {_layouts(shape)}; got {type(images).__name__}")
    if images.dtype != np.uint8:
        advice = "scale to 0..255 and convert with astype('uint8')"
        raise ArrayError(f"expected {_layouts(shape)}; got {images.dtype}; {advice}")
    if images.ndim == 3 and shape[2] == 1:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[1:] != shape:
        raise ArrayError(f"expected {_layouts(shape)}; got shape {list(images.shape)}")
    if len(images) == 0:
        raise ArrayError(f"expected at least one image, {_layouts(shape)}; got an empty batch")
    return images


def _layouts(shape: tuple[int, int, int]) -> str:
    height, width, channels = shape
    return f"uint8 [N, {height}, {width}, {channels}]" + (f" or [N, {height}, {width}]" if channels == 1 else "")


def normalise(
    images: Images, normalisation: Normalisation, polarity: Polarity = "bright-on-dark"
) -> NDArray[np.float32]:
    """Scale uint8 [N, H, W, C] to float32 of the same shape, after inverting it for "dark-on-bright".

    "unit" divides by 255, to 0..1. "column-l2" divides each image column (axis 1) by its Euclidean length, as
    `tf.keras.utils.normalize(images, axis=1)` does on [N, 28, 28]; a column of zeros stays zero. A Scaling multiplies
    and adds, see its own docstring.
    """
    if polarity == "dark-on-bright":
        images = ~images
    if normalisation == "unit":
        # In one pass over the pixels.
        return np.divide(images, np.float32(255), dtype=np.float32)
    if isinstance(normalisation, Scaling):
        scale, offset = (np.array(part, np.float32) for part in (normalisation.scale, normalisation.offset))
        moved: NDArray[np.float32] = images * scale + offset
        return moved
    scaled = images.astype(np.float32)
    length = np.sqrt(np.sum(np.square(scaled), axis=1, keepdims=True))
    length[length == 0] = 1
    normalised: NDArray[np.float32] = scaled / length
    return normalised


def pixel_table(contract: Contract) -> bytes | None:
    """Return the byte that the contract's input stores for each pixel value 0..255, for bytes.translate.

    None if the input stores more than a byte, or if the value depends on other pixels or on the channel.
    """
    tensor, normalisation = contract.input, contract.normalisation
    by_channel = isinstance(normalisation, Scaling) and len(normalisation.scale + normalisation.offset) > 2
    if normalisation == "column-l2" or by_channel or tensor.scale is None or np.dtype(tensor.dtype).itemsize != 1:
        return None
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    return quantize(normalise(pixels, normalisation, contract.polarity), tensor).tobytes()


def arrange(tensor: NDArray[Any], layout: str) -> NDArray[Any]:
    """Return a tensor [N, H, W, C] in another of contract.LAYOUTS; the images stay the first axis, even without N."""
    if layout == "NHWC":
        return tensor
    axes = layout.removeprefix("N")
    if axes == "F":
        return tensor.reshape(len(tensor), -1)
    if axes == "CHW":
        return np.ascontiguousarray(tensor.transpose(0, 3, 1, 2))
    return tensor if axes == "HWC" else tensor[..., 0]


def network_input(images: Images, contract: Contract) -> NDArray[np.float32]:
    """Return a float32 model's input tensor in the contract's layout, for uint8 [N, H, W, C]."""
    return arrange(normalise(images, contract.normalisation, contract.polarity), contract.layout)


def probabilities_of(values: NDArray[np.float32], kind: OutputKind, step: float | None = None) -> Probabilities:
    """Convert a model's real outputs, float32 [N, ...], to as many probabilities, float32 [N, outputs].

    Args:
        values: "logits" and "log-probabilities" go through a softmax. "sigmoid" has one value, the probability of the
            second class of two. "sigmoids" are divided by their sum.
        kind: see Contract.
        step: difference of neighbouring values in a quantized output; a stored zero of "sigmoids" counts as half of it.
    """
    flat = values.reshape(len(values), -1)
    if kind == "probabilities":
        return flat
    if kind == "sigmoid":
        return np.concatenate([1 - flat, flat], axis=1)
    if kind == "sigmoids":
        flat = np.maximum(flat, np.float32(0 if step is None else step / 2))
        total = flat.sum(axis=1, keepdims=True)
        shares: Probabilities = np.divide(flat, total, out=np.full_like(flat, 1 / flat.shape[1]), where=total > 0)
        return shares
    powers = np.exp(flat - flat.max(axis=1, keepdims=True))
    probabilities: Probabilities = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def quantize(values: NDArray[np.float32], tensor: Tensor) -> NDArray[Any]:
    """Convert real values to the values that `tensor` stores; float tensors are unchanged."""
    if tensor.scale is None or tensor.zero_point is None:
        return values
    limits = np.iinfo(tensor.dtype)
    stored = np.rint(values / np.float32(tensor.scale)) + tensor.zero_point
    clipped: NDArray[Any] = np.clip(stored, limits.min, limits.max).astype(tensor.dtype)
    return clipped


def dequantize(stored: NDArray[Any], tensor: Tensor) -> NDArray[np.float32]:
    """Convert stored values to real values, float32; float tensors are unchanged."""
    if tensor.scale is None or tensor.zero_point is None:
        return stored.astype(np.float32, copy=False)
    return (stored.astype(np.float32) - np.float32(tensor.zero_point)) * np.float32(tensor.scale)


SMALLEST_PROBABILITY = 1e-7
"""About float32's resolution at 1; a probability of 0 has no logarithm."""


def apply_temperature(probabilities: Probabilities, temperature: float, step: float | None = None) -> Probabilities:
    """Calibrate probabilities by a temperature: softmax(log(p) / temperature).

    Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.

    Args:
        probabilities: float32 [N, outputs].
        temperature: above 0; 1 changes nothing.
        step: difference of neighbouring probabilities in a quantized output; a stored zero counts as half of it.
    """
    floor = np.float32(SMALLEST_PROBABILITY if step is None else step / 2)
    # In float64, so that equal confidences stay equal whatever library computes the logarithm.
    logits = np.log(np.maximum(probabilities, floor).astype(np.float64)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    confidences: Probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return confidences


def calibrated(probabilities: Probabilities, contract: Contract) -> Probabilities:
    """Return the confidences of the labels, float32 [N, classes], from the probabilities of all of a model's outputs.

    A non-digit's output takes part in the softmax, so the confidences of an image that resembles one are low.
    """
    confidences = apply_temperature(probabilities, contract.temperature, contract.probability_step)
    return confidences[:, : len(contract.labels)]
