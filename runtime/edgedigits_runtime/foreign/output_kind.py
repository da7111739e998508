"""The kind of a model's output, found from its values on drawn pictures."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, OutputKind
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ContractInvalid
from edgedigits_runtime.preprocessing import Images, dequantize
from edgedigits_runtime.reading.framed import fitted
from edgedigits_runtime.synthetic.samples import mnist_like

TOLERANCE = 5e-3
"""Of a sum of probabilities: one of float16 values is off by up to 2e-3."""

DIGITS = 9
SEED = 5


def kind_of_values(values: NDArray[np.float32], step: float | None = None) -> OutputKind | None:
    """Return the likeliest kind of a model's real outputs; None if they are not finite, or fit no kind.

    Args:
        values: float32 [N, classes] of different images, [N, 1] of a model with one output.
        step: difference of neighbouring values of a quantized output.
    """
    return next(iter(_possible_kinds(values, step)), None)


def _possible_kinds(values: NDArray[np.float32], step: float | None) -> tuple[OutputKind, ...]:
    """Return the kinds that the values may have, the likeliest first."""
    real = values.reshape(len(values), -1).astype(np.float64)
    # The logarithm of a probability that is rounded to 0 is -infinity.
    if real.size == 0 or np.isnan(real).any() or real.max() == np.inf:
        return ()
    step, classes = step or 0.0, real.shape[1]
    shares = bool(real.min() >= -TOLERANCE - step and real.max() <= 1 + TOLERANCE + step)
    if classes == 1:
        return ("sigmoid",) if shares else ()
    # Each value is rounded by half a step, and the largest, 1, is often not representable.
    if shares and np.abs(real.sum(axis=1) - 1).max() <= TOLERANCE + step * (classes / 2 + 1):
        return "probabilities", "sigmoids"
    # Sums of half a step more or less in each logarithm.
    slack = TOLERANCE + np.expm1(step / 2)
    if real.max() <= TOLERANCE + step and np.abs(np.exp(real).sum(axis=1) - 1).max() <= slack:
        return "log-probabilities", "logits"
    if not np.isfinite(real).all():
        return ()
    # A softmax converts both alike.
    return ("sigmoids", "logits") if shares else ("logits", "log-probabilities")


def check_output_kind(engine: Engine, source: str) -> None:
    """Run drawn pictures, and compare the outputs with the contract's `output_kind`; `source` names the file.

    Raises:
        ContractInvalid: the outputs are of another kind.
    """
    contract = engine.contract
    stored = engine.invoke(engine.feed(drawn_images(contract.image_shape)))
    check_values(dequantize(stored, contract.output), contract, source)


def check_values(values: NDArray[np.float32], contract: Contract, source: str) -> None:
    """Compare real outputs, float32 [N, classes], with the contract; see check_output_kind."""
    kinds = _possible_kinds(values, contract.output.scale)
    if contract.output_kind in kinds:
        return
    found = "of no kind that edgedigits knows"
    if kinds:
        found = "independent sigmoids" if kinds[0] == "sigmoids" else kinds[0]
    sums = values.reshape(len(values), -1).sum(axis=1)
    raise ContractInvalid(
        f"{source}: its contract says output_kind {contract.output_kind}, but its outputs on drawn pictures are {found}"
        f" (values {values.min():.3g} to {values.max():.3g}, sums {sums.min():.3g} to {sums.max():.3g});"
        " import the original file again"
    )


@cache
def drawn_images(shape: tuple[int, int, int]) -> Images:
    """Draw a dozen images uint8 [12, H, W, C]: digits, bright on black, then black, white and noise."""
    digits, _ = mnist_like(DIGITS, SEED)
    noise = np.random.default_rng(SEED).integers(0, 256, digits.shape[1:], np.uint8)
    return fitted(np.concatenate([digits, [np.zeros_like(noise), np.full_like(noise, 255), noise]]), shape)
