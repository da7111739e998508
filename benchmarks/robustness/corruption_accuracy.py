"""The accuracy of a model on corrupted images."""

from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.robustness.corruptions import CORRUPTIONS, corrupt
from edgedigits.data.dataset import Samples
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images


@dataclass(frozen=True)
class Robustness:
    """Top-1 accuracy of one model file, 0..1, on clean images and by corruption.

    Attributes:
        images: number of images, clean and in each corruption.
        seed: of the corruptions.
    """

    images: int
    seed: int
    clean: float
    corrupted: dict[str, float]

    @property
    def mean(self) -> float:
        """The mean accuracy over the corruptions."""
        return fmean(self.corrupted.values())

    @property
    def mean_loss(self) -> float:
        """The mean accuracy drop in percentage points."""
        return 100 * (self.clean - self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a card holds them."""
        return {
            "images": self.images,
            "seed": self.seed,
            "clean": self.clean,
            "mean": self.mean,
            "mean_loss_points": round(self.mean_loss, 4),
            "corruptions": self.corrupted,
        }


def measure_robustness(engine: Engine, samples: Samples, seed: int = 0) -> Robustness:
    """Classify at least one sample, uint8 [N, 28, 28, 1] with ink bright on black, clean and in every corruption.

    Raises:
        ArrayError: the images do not have that shape, or do not fit the model.
    """

    def accuracy(images: Images) -> float:
        return float((engine.run(images).argmax(axis=1) == samples.labels).mean())

    corrupted = {name: accuracy(corrupt(name, samples.images, seed)) for name in CORRUPTIONS}
    return Robustness(len(samples), seed, accuracy(samples.images), corrupted)
