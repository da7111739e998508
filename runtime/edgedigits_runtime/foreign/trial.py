"""Try normalisations and polarities on labelled images: which of them does a model expect?"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Normalisation, Scaling
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.foreign.facts import RAW, SYMMETRIC, stored_range
from edgedigits_runtime.intervals import mcnemar
from edgedigits_runtime.preprocessing import (
    SMALLEST_PROBABILITY,
    Images,
    Probabilities,
    dequantize,
    network_input,
    probabilities_of,
    quantize,
)

SIGNIFICANCE = 0.05
"""Largest p-value of McNemar's test at which one normalisation counts as better than another."""

ALIKE = 0.05
"""Share of the range by which two normalisations may differ and still count as one."""

CUT = 0.5
"""Share of a quantized input's range by which a candidate may exceed it: its pixels are cut off there."""

NEAR = 0.02
"""Difference in accuracy within which another candidate must not have a lower loss: a wrong scale that only makes a
network more certain may read a few images more of many."""

CLEARLY_WORSE = 0.001
"""p-value below which a candidate is not tried on more images."""

STAGES = (0, 400, 6_000, 20_000)
"""Numbers of images after which the candidates are compared; the next are used only if several are left."""

MNIST_MEAN, MNIST_DEVIATION = 0.1307, 0.3081
"""Of MNIST's training pixels in 0..1, as PyTorch's MNIST example uses them."""
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels in 0..1, as torchvision's models use them."""


@dataclass(frozen=True)
class Tried:
    """A normalisation with the share of labelled images that the model reads right with it.

    Attributes:
        name: such as "unit" or "raw, inverted".
        contract: the contract with this normalisation.
        accuracy: fraction of the images.
        images: number of images; fewer for candidates that were clearly worse.
        p_value: of McNemar's test against the best one; 1 for the best itself.
        loss: mean cross-entropy of the images, in nats.
    """

    name: str
    contract: Contract
    accuracy: float
    images: int
    p_value: float
    loss: float


def standardised(mean: Sequence[float], deviation: Sequence[float]) -> Scaling:
    """Return (pixel / 255 - mean) / deviation as a Scaling, for each channel."""
    pairs = list(zip(mean, deviation, strict=True))
    return Scaling(tuple(1 / (255 * each) for _, each in pairs), tuple(-middle / each for middle, each in pairs))


def candidates(contract: Contract, images: Images | None = None) -> Iterator[tuple[str, Contract]]:
    """Yield the contract with each normalisation and polarity that people use, with its name.

    Args:
        contract: with any normalisation.
        images: uint8 [N, H, W, C] whose own mean and standard deviation are tried too.
    """
    channels = contract.image_shape[2]
    named: dict[str, Normalisation] = {"unit": "unit", "raw": RAW, "-1..1": SYMMETRIC}
    if channels == 1:
        named["mnist mean"] = standardised((MNIST_MEAN,), (MNIST_DEVIATION,))
        named["column-l2"] = "column-l2"
    else:
        named["imagenet mean"] = standardised(IMAGENET_MEAN, IMAGENET_DEVIATION)
    if images is not None:
        pixels = images.reshape(-1, channels) / 255
        deviation = np.maximum(pixels.std(axis=0), 1 / 255)
        named["mean of the data"] = standardised(pixels.mean(axis=0).tolist(), deviation.tolist())
    span = stored_range(contract.input)
    if span is not None:
        named["input range"] = Scaling(((span[1] - span[0]) / 255,), (span[0],))
    spans: list[NDArray[Any]] = [np.array([[0.0], [1.0]])]
    for name, normalisation in named.items():
        if isinstance(normalisation, Scaling):
            # Two that map pixels to about the same values cannot be distinguished.
            low = np.array(normalisation.offset)
            ends = np.stack([low, low + 255 * np.array(normalisation.scale)])
            if any((abs(ends - other) <= ALIKE * (other[1] - other[0])).all() for other in spans):
                continue
            spans.append(ends)
            if span is not None and max(span[0] - ends.min(), ends.max() - span[1]) > CUT * (span[1] - span[0]):
                continue
        for polarity, more in (("bright-on-dark", ""), ("dark-on-bright", ", inverted")):
            changes: dict[str, Any] = {"normalisation": normalisation, "polarity": polarity}
            yield name + more, dataclasses.replace(contract, **changes)


def answers(engine: Engine, contract: Contract, images: Images) -> Probabilities:
    """Return the probabilities of a model that is fed and read by `contract`, whatever the engine's own one states."""
    stored = engine.invoke(quantize(network_input(images, contract), contract.input))
    return probabilities_of(dequantize(stored, contract.output), contract.output_kind)[:, : len(contract.labels)]


def try_each(
    engine: Engine, tried: Sequence[tuple[str, Contract]], images: Images, labels: NDArray[np.int64]
) -> list[Tried]:
    """Return the candidates, the most accurate first; the images are used in their order, as many as are needed.

    Args:
        engine: of the model, opened with any contract of its tensors.
        tried: names and contracts; see `candidates`.
        images, labels: uint8 [N, H, W, C], and int64 [N] by the contracts' labels.
    """
    right = {name: np.zeros(0, bool) for name, _ in tried}
    loss = {name: np.zeros(0, np.float32) for name, _ in tried}
    contracts = dict(tried)
    left = list(contracts)
    for start, end in pairwise((*STAGES, len(labels))):
        stage = slice(start, end)
        if len(left) == 1 or not len(labels[stage]):
            break
        for name in left:
            found = answers(engine, contracts[name], images[stage])
            right[name] = np.concatenate([right[name], found.argmax(axis=1) == labels[stage]])
            true = np.take_along_axis(found, np.maximum(labels[stage], 0)[:, None], axis=1)[:, 0]
            loss[name] = np.concatenate([loss[name], -np.log(np.maximum(true, SMALLEST_PROBABILITY))])
        best = max((right[name] for name in left), key=np.mean)
        left = [name for name in left if difference(best, right[name]) >= CLEARLY_WORSE]
    best = max((right[name] for name in left), key=np.mean)
    rows = [
        Tried(
            name, contracts[name], float(each.mean()), len(each), difference(best[: len(each)], each),
            float(loss[name].mean()),
        )
        for name, each in right.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.images, row.accuracy), reverse=True)


def winner(rows: Sequence[Tried]) -> Tried | None:
    """Return the best candidate if McNemar's test finds it better than each of the others; else None.

    Those that are nearly as accurate must have a higher loss too.
    """
    best, *others = rows
    if any(other.p_value >= SIGNIFICANCE for other in others):
        return None
    near = [other for other in others if other.accuracy > best.accuracy - NEAR]
    return best if all(other.loss > best.loss for other in near) else None


def difference(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the p-value of McNemar's test, for the images that each gets right."""
    return mcnemar(int((first & ~second).sum()), int((second & ~first).sum()))
