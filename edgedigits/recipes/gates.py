"""Gates of an export: how far it may differ from its reference."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from edgedigits_runtime.errors import UnknownName

SMALL_SPLIT = 5_000
"""In smaller splits one flipped decision is always allowed: it is a larger share than the gates are meant for."""


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


def with_demands(gate: Gate, demands: Gate) -> Gate:
    """Return `gate` with the limits that are set in `demands`."""
    return dataclasses.replace(gate, **demands.limits())  # type: ignore[arg-type]


def missed(gate: Gate, *, images: int, flips: int, probability_error: float, accuracy_drop: float) -> tuple[str, ...]:
    """Return a line for each limit that was exceeded; `flips` and `probability_error` are as in Gate.

    `accuracy_drop` is in percentage points, negative if the export is better.
    """
    agreement = (images - flips) / images
    one_flip_is_allowed = images < SMALL_SPLIT and flips <= 1
    lines = []
    if gate.max_flips is not None and flips > gate.max_flips and not one_flip_is_allowed:
        lines.append(f"{flips} flipped decisions, at most {gate.max_flips} allowed")
    if gate.max_probability_error is not None and probability_error > gate.max_probability_error:
        lines.append(f"probability error {probability_error:.2g}, at most {gate.max_probability_error:.2g} allowed")
    if gate.min_agreement is not None and agreement < gate.min_agreement and not one_flip_is_allowed:
        lines.append(f"agreement {agreement:.2%}, at least {gate.min_agreement:.2%} required")
    if gate.max_accuracy_drop is not None and not one_flip_is_allowed and accuracy_drop > gate.max_accuracy_drop + 1e-9:
        lines.append(f"accuracy drop {accuracy_drop:.2f} points, at most {gate.max_accuracy_drop:.2f} allowed")
    return tuple(lines)


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
        f" {limit:.2f} of the gate; use {round(100 / limit):,} or more",
    )
