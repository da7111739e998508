"""Gates of an export: how far it may differ from its reference."""

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from edgedigits_runtime.errors import UnknownName
from edgedigits_runtime.intervals import Share, wilson

SMALL_SPLIT = 5_000
"""In smaller splits one flipped decision is always allowed: it is a larger share than the gates are meant for. More are
allowed as long as the 95% interval reaches the limit."""

FLIPS_PER_ERROR, MOST_FLIPS = 0.25, 0.01
"""Flipped decisions of a foreign model in int8: a share of the errors, and the most, as a share of the images."""

DROP_PER_ERROR, MOST_DROP = 0.1, 0.005
"""The same for the accuracy drop."""


@dataclass(frozen=True)
class Gate:
    """Limits for one precision; None for no limit.

    Args:
        max_flips: number of decisions that may differ.
        max_probability_error: largest difference of any probability.
        min_agreement: smallest share of equal decisions, 0..1.
        max_accuracy_drop: percentage points.
        min_accuracy: fraction 0..1 that both must reach.
    """

    max_flips: int | None = None
    max_probability_error: float | None = None
    min_agreement: float | None = None
    max_accuracy_drop: float | None = None
    min_accuracy: float | None = None

    def limits(self) -> dict[str, float]:
        """Return the limits that are set."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}

    def describe(self) -> str:
        """Return the limits that are set as text."""
        return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in self.limits().items())


EXACT = Gate(max_flips=0, max_probability_error=0.0)
"""For C against its `.tflite`: every value is equal."""

DEFAULT_GATES: Mapping[str, Gate] = {
    "float32": Gate(max_flips=0, max_probability_error=1e-4),
    "float16": Gate(min_agreement=0.9995),
    "int8": Gate(min_agreement=0.998, max_accuracy_drop=0.10),
    "dynamic": Gate(min_agreement=0.998, max_accuracy_drop=0.10),
}

AS_INT8 = ("int16", "uint8")
"""Precisions of foreign files."""


def default_gate(precision: str, recipe_gates: Mapping[str, Gate]) -> Gate:
    """Return the recipe's gate for a precision, or the default."""
    precision = "int8" if precision in AS_INT8 else precision
    if precision not in DEFAULT_GATES:
        raise UnknownName("precision", precision, DEFAULT_GATES)
    return recipe_gates.get(precision, DEFAULT_GATES[precision])


def scaled(gate: Gate, errors: float) -> Gate:
    """Return a gate for an artifact of a foreign model that has this share of errors, 0..1.

    The default gates are meant for networks with fewer than 1% errors; others have more images that are nearly decided
    otherwise. docs/decisions/0011-gates-of-foreign-models.md has the reasons.
    """
    if gate.min_agreement is None or gate.max_accuracy_drop is None:
        return gate
    flips, drop = min(FLIPS_PER_ERROR * errors, MOST_FLIPS), 100 * min(DROP_PER_ERROR * errors, MOST_DROP)
    return dataclasses.replace(
        gate,
        min_agreement=min(gate.min_agreement, round(1 - flips, 4)),
        max_accuracy_drop=max(gate.max_accuracy_drop, round(drop, 2)),
    )


def with_demands(gate: Gate, demands: Gate) -> Gate:
    """Return `gate` with the limits that are set in `demands`."""
    return dataclasses.replace(gate, **demands.limits())  # type: ignore[arg-type]


@dataclass(frozen=True)
class Judgement:
    """A line for each limit that was exceeded.

    Attributes:
        missed: those for which an artifact is refused.
        undecided: those that few images exceed, and may exceed by chance.
    """

    missed: tuple[str, ...]
    undecided: tuple[str, ...]


def judge(
    gate: Gate, *, images: int, flips: int, probability_error: float, drop: Share, strict: Collection[str] = ()
) -> Judgement:
    """Compare figures with the limits of a gate.

    Args:
        gate: the limits.
        images: number of images.
        flips, probability_error: as in Gate.
        drop: accuracy drop with its 95% interval, as fractions; negative if the export is better.
        strict: names of the limits that are exceeded whatever the intervals are.
    """
    small = images < SMALL_SPLIT
    one_flip = small and flips <= 1
    agreement, flipped = (images - flips) / images, wilson(flips, images)
    missed: list[str] = []
    undecided: list[str] = []
    if gate.max_flips is not None and flips > gate.max_flips:
        (undecided if one_flip else missed).append(f"{flips} flipped decisions, at most {gate.max_flips} allowed")
    if gate.max_probability_error is not None and probability_error > gate.max_probability_error:
        missed.append(f"probability error {probability_error:.2g}, at most {gate.max_probability_error:.2g} allowed")
    if gate.min_agreement is not None and agreement < gate.min_agreement:
        may_be = small and "min_agreement" not in strict and 1 - flipped.low >= gate.min_agreement
        (undecided if one_flip or may_be else missed).append(
            f"agreement {agreement:.2%} (95% interval {1 - flipped.high:.2%} to {1 - flipped.low:.2%}), at least"
            f" {gate.min_agreement:.2%} required"
        )
    if gate.max_accuracy_drop is not None and 100 * drop.value > gate.max_accuracy_drop + 1e-9:
        may_be = small and "max_accuracy_drop" not in strict and 100 * drop.low <= gate.max_accuracy_drop
        (undecided if one_flip or may_be else missed).append(
            f"accuracy drop {100 * drop.value:.2f} points (95% interval {100 * drop.low:.2f} to {100 * drop.high:.2f}),"
            f" at most {gate.max_accuracy_drop:.2f} allowed"
        )
    return Judgement(tuple(missed), tuple(undecided))


def few_images(gate: Gate, images: int) -> tuple[str, ...]:
    """Return a note if one flipped decision, which is tolerated, exceeds a limit of the gate; else nothing."""
    limits: list[tuple[float, str]] = []
    if gate.max_accuracy_drop is not None:
        limits.append((gate.max_accuracy_drop, " points of accuracy drop"))
    if gate.min_agreement is not None:
        limits.append((100 * (1 - gate.min_agreement), "% of flipped decisions"))
    limit, unit = min(limits, default=(100.0, ""))
    # No number of images can prove a limit of 0.
    if images >= SMALL_SPLIT or limit <= 0 or 100 / images <= limit + 1e-9:
        return ()
    return (
        f"{images:,} images are few: one flipped decision is tolerated and is {100 / images:.2f}{unit}, more than the"
        f" {limit:.2f} of the gate; use {math.ceil(100 / limit - 1e-9):,} or more",
    )
