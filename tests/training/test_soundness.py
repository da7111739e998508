"""A network at chance is refused, and a gap between training and validation is explained."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgedigits.data.dataset import Samples
from edgedigits.training.soundness import check_learned, diagnose_gap
from edgedigits_runtime.errors import ModelInaccurate


def answers(labels: list[int], right: int) -> tuple[Any, Samples]:
    """Probabilities for images of which the first `right` are read right."""
    truth = np.array(labels, np.int64)
    read = np.where(np.arange(len(truth)) < right, truth, (truth + 1) % 10)
    return np.eye(10, dtype=np.float32)[read], Samples(np.zeros((len(truth), 1, 1, 1), np.uint8), truth)


@pytest.mark.parametrize(("labels", "right"), [([*range(10)] * 5, 5), ([0] * 40 + [1] * 10, 40), ([1, 2, 3, 4], 1)])
def test_chance_is_refused(labels: list[int], right: int) -> None:
    with pytest.raises(ModelInaccurate, match="because of rain"):
        check_learned(*answers(labels, right), "because of rain")


@pytest.mark.parametrize(("labels", "right"), [([*range(10)] * 5, 25), ([0] * 40 + [1] * 10, 50)])
def test_more_than_chance_is_taken(labels: list[int], right: int) -> None:
    check_learned(*answers(labels, right), "")


BatchNormalization = type("BatchNormalization", (), {})
NORMALISED = SimpleNamespace(layers=[BatchNormalization()])
PLAIN = SimpleNamespace(layers=[object()])


@pytest.mark.parametrize(
    ("network", "seen", "unseen", "steps", "expected"),
    [
        (NORMALISED, 0.99, 0.06, 2, "batch normalisation"),
        (NORMALISED, 0.99, 0.7, 1_000, "by heart"),
        (PLAIN, 0.99, 0.06, 2, "by heart"),
        (NORMALISED, 0.99, 0.95, 2, ""),
        (PLAIN, 0.6, 0.9, 2, ""),
    ],
)
def test_the_gap_is_explained(network: Any, seen: float, unseen: float, steps: int, expected: str) -> None:
    found = diagnose_gap(network, [{"accuracy": seen, "val_accuracy": unseen}] * 40, steps)
    assert expected in found and bool(found) == bool(expected)


def test_no_epoch_has_no_gap() -> None:
    assert diagnose_gap(PLAIN, [], 1) == ""
