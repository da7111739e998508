"""The shares of digits and non-digits that a model file's rejection threshold rejects."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgedigits.data.dataset import Samples
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.non_digits import KINDS, draw_non_digit

SEED = 70001
"""Not used in training or fitting."""

EACH = 500
"""Non-digits drawn of each kind."""

DRAWN_SIDE = 64


@dataclass(frozen=True)
class Rejection:
    """Rejected shares with 95% intervals.

    Attributes:
        threshold: of calibrated confidence, 0..1.
        digits, not_digits: of real digits and of drawn non-digits.
        kinds: of the non-digits of each kind.
        drawn: number of non-digits of each kind, and their seed.
    """

    threshold: float
    digits: Share
    not_digits: Share
    kinds: dict[str, Share]
    drawn: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a card holds them."""
        each, seed = self.drawn
        return {
            "threshold": self.threshold,
            "digits": asdict(self.digits),
            "not_digits": asdict(self.not_digits),
            "kinds": {kind: asdict(share) for kind, share in self.kinds.items()},
            "drawn_of_each_kind": each,
            "seed": seed,
        }


def draw_non_digits(kind: str, count: int, seed: int) -> Images:
    """Return framed non-digits of one kind, uint8 [count, 28, 28, 1]."""
    rng = np.random.default_rng([seed, *kind.encode()])
    drawn = [frame_digit(draw_non_digit(rng, kind=kind, size=DRAWN_SIDE)) for _ in range(count)]
    return np.stack(drawn)[..., None]


def measure_rejection(engine: Engine, samples: Samples, each: int = EACH, seed: int = SEED) -> Rejection:
    """Measure the shares below the threshold of the engine's contract.

    Args:
        samples: real digits, uint8 [N, 28, 28, 1], N at least 1.
        each: number of non-digits drawn of each kind, at least 1.
        seed: of the non-digits.
    """
    classifier = Classifier(engine)
    threshold = engine.contract.rejection_threshold

    def rejected(images: Images) -> int:
        return int((classifier.confidences(images).max(axis=1) < threshold).sum())

    of_kind = {kind: rejected(draw_non_digits(kind, each, seed)) for kind in KINDS}
    return Rejection(
        threshold=threshold,
        digits=wilson(rejected(samples.images), len(samples)),
        not_digits=wilson(sum(of_kind.values()), each * len(KINDS)),
        kinds={kind: wilson(count, each) for kind, count in of_kind.items()},
        drawn=(each, seed),
    )
