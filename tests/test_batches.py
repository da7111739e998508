"""Batches: every training image once an epoch, in an order that seed and epoch fix."""

from typing import Any

import numpy as np
import pytest

from edgedigits.data.dataset import Samples

pytestmark = pytest.mark.slow

COUNT = 37
# Each image says its own number.
SAMPLES = Samples(np.arange(COUNT, dtype=np.uint8).reshape(COUNT, 1, 1, 1).repeat(8, 1).repeat(8, 2), np.arange(COUNT))
TARGETS = np.arange(COUNT)


def make(seed: tuple[int, int] = (0, 0), batch_size: int = 8, augment: bool = False) -> Any:
    from edgedigits.training.batches import Batches

    return Batches(SAMPLES, TARGETS, batch_size=batch_size, seed=seed, normalisation="unit", augment=augment)


def epoch(**options: Any) -> list[Any]:
    batches = make(**options)
    return [batches[index] for index in range(len(batches))]


def order(**options: Any) -> list[int]:
    numbers: list[int] = np.concatenate([targets for _, targets in epoch(**options)]).tolist()
    return numbers


@pytest.mark.parametrize("batch_size", [1, 8, 36, 37, 38, 500])
def test_every_image_comes_once_with_its_target(batch_size: int) -> None:
    batches = epoch(batch_size=batch_size)
    assert len(batches) == -(-COUNT // batch_size)
    assert sorted(order(batch_size=batch_size)) == list(range(COUNT))
    for images, targets in batches:
        assert images.dtype == np.float32
        assert images.shape == (len(targets), 8, 8, 1)
        np.testing.assert_allclose(images[:, 0, 0, 0] * 255, targets, atol=1e-4)


def test_the_order_is_fixed_by_seed_and_epoch() -> None:
    assert order(seed=(3, 1)) == order(seed=(3, 1))
    assert len({tuple(order(seed=seed)) for seed in ((3, 1), (3, 2), (4, 1), (1, 3))}) == 4
    assert order() != sorted(order())


def test_augmentation_is_fixed_too_whatever_order_the_batches_are_asked_in() -> None:
    first, again = epoch(augment=True), make(augment=True)
    for index in reversed(range(len(first))):
        np.testing.assert_array_equal(again[index][0], first[index][0])
    assert not np.array_equal(first[0][0], epoch()[0][0])
    assert not np.array_equal(first[0][0], epoch(seed=(0, 1), augment=True)[0][0])
