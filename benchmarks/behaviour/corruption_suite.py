"""How accurate a model stays on corrupted images."""

from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.behaviour.corruptions import CORRUPTIONS, corrupt
from edgedigits.data.dataset import Samples
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images


@dataclass(frozen=True)
class Robustness:
    """Top-1 accuracy of one model file, 0..1.

    Attributes:
        images: how many were read, clean and in each corruption.
        seed: of the corruptions.
        clean: on the images as they are.
        corrupted: by the name of the corruption.
    """

    images: int
    seed: int
    clean: float
    corrupted: dict[str, float]

    @property
    def mean(self) -> float:
        """Mean accuracy over the corruptions, each counting the same."""
        return fmean(self.corrupted.values())

    @property
    def mean_loss(self) -> float:
        """Percentage points that a corruption costs on average."""
        return 100 * (self.clean - self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON objects."""
        return {
            "images": self.images,
            "seed": self.seed,
            "clean": self.clean,
            "mean": self.mean,
            "mean_loss_points": round(self.mean_loss, 4),
            "corruptions": self.corrupted,
        }


def measure_robustness(engine: Engine, samples: Samples, seed: int = 0) -> Robustness:
    """Read the samples as they are and in every corruption.

    Args:
        engine: the model file.
        samples: uint8 [N, 28, 28, 1], ink bright on black, N at least 1.
        seed: of the corruptions; the same gives every model the same pictures.

    Raises:
        ArrayError: the images are not of that shape, or not what the model takes.
    """

    def accuracy(images: Images) -> float:
        return float((engine.run(images).argmax(axis=1) == samples.labels).mean())

    corrupted = {name: accuracy(corrupt(name, samples.images, seed)) for name in CORRUPTIONS}
    return Robustness(len(samples), seed, accuracy(samples.images), corrupted)
