"""What the rejection threshold of a model file does: to digits, which should pass, and to what is none."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgedigits.data.dataset import Samples
from edgedigits.verification.intervals import Share, wilson
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.non_digits import KINDS, draw_non_digit

SEED = 70001
"""None that anything is trained or fitted with."""

EACH = 500
"""Marks drawn of each kind."""

DRAWN_SIDE = 64


@dataclass(frozen=True)
class Rejection:
    """Shares that fall below a model file's own threshold, with 95% intervals.

    Attributes:
        threshold: of calibrated confidence, 0..1.
        digits: of the real digits.
        not_digits: of all marks that are none.
        kinds: of those of each kind.
        drawn: how many marks of each kind, and the seed they were drawn with.
    """

    threshold: float
    digits: Share
    not_digits: Share
    kinds: dict[str, Share]
    drawn: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON objects."""
        each, seed = self.drawn
        return {
            "threshold": self.threshold,
            "digits": asdict(self.digits),
            "not_digits": asdict(self.not_digits),
            "kinds": {kind: asdict(share) for kind, share in self.kinds.items()},
            "drawn_of_each_kind": each,
            "seed": seed,
        }


def draw_marks(kind: str, count: int, seed: int) -> Images:
    """Return marks of one kind of edgedigits_runtime.synthetic.non_digits, framed: uint8 [count, 28, 28, 1]."""
    rng = np.random.default_rng([seed, *kind.encode()])
    drawn = [frame_digit(draw_non_digit(rng, kind=kind, size=DRAWN_SIDE)) for _ in range(count)]
    return np.stack(drawn)[..., None]


def measure_rejection(engine: Engine, samples: Samples, each: int = EACH, seed: int = SEED) -> Rejection:
    """Count what falls below the threshold of the engine's contract.

    Args:
        engine: the model file.
        samples: real digits, uint8 [N, 28, 28, 1], N at least 1.
        each: how many marks of each kind are drawn, at least 1.
        seed: of the marks.
    """
    classifier = Classifier(engine)
    threshold = engine.contract.rejection_threshold

    def rejected(images: Images) -> int:
        return int((classifier.confidences(images).max(axis=1) < threshold).sum())

    of_kind = {kind: rejected(draw_marks(kind, each, seed)) for kind in KINDS}
    return Rejection(
        threshold=threshold,
        digits=wilson(rejected(samples.images), len(samples)),
        not_digits=wilson(sum(of_kind.values()), each * len(KINDS)),
        kinds={kind: wilson(count, each) for kind, count in of_kind.items()},
        drawn=(each, seed),
    )
