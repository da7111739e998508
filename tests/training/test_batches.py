"""Batches: every image once an epoch, in an order fixed by seed and epoch, without waiting after it."""

from typing import Any

import numpy as np
import pytest

from edgedigits.data.dataset import Samples

pytestmark = pytest.mark.slow

COUNT = 37
# Each image holds its own number.
SAMPLES = Samples(np.arange(COUNT, dtype=np.uint8).reshape(COUNT, 1, 1, 1).repeat(8, 1).repeat(8, 2), np.arange(COUNT))
TARGETS = np.arange(COUNT)


def make(seed: tuple[int, int] = (0, 0), batch_size: int = 8, multiple_of: int = 1) -> Any:
    from edgedigits.training.batches import Batches, shuffled

    order = shuffled(COUNT, seed, multiple_of)
    return Batches(SAMPLES, TARGETS, order=order, batch_size=batch_size, normalisation="unit")


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


@pytest.mark.parametrize("devices", [1, 2, 3, 4])
def test_the_last_batch_is_filled_up_for_several_devices(devices: int) -> None:
    batches = epoch(batch_size=12, multiple_of=devices)
    assert all(len(targets) % devices == 0 for _, targets in batches)
    numbers = np.concatenate([targets for _, targets in batches])
    assert set(numbers) == set(range(COUNT))
    assert len(numbers) < COUNT + devices


def test_the_order_is_fixed_by_seed_and_epoch() -> None:
    assert order(seed=(3, 1)) == order(seed=(3, 1))
    assert len({tuple(order(seed=seed)) for seed in ((3, 1), (3, 2), (4, 1), (1, 3))}) == 4
    assert order() != sorted(order())


def test_tensorflow_does_not_wait_for_its_autotuning_after_an_epoch() -> None:
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    adapter = PyDatasetAdapter(make(), shuffle=False)
    adapter.on_epoch_begin()
    assert adapter.get_tf_dataset().options().autotune.enabled is False
    adapter.on_epoch_end()


def test_keras_takes_the_batches_in_their_order() -> None:
    import keras

    images = keras.Input((8, 8, 1))
    network = keras.Model(images, keras.layers.GlobalMaxPooling2D()(images))
    seen = network.predict(make(seed=(3, 1), batch_size=2), verbose=0)[:, 0] * 255
    assert seen.round().astype(int).tolist() == order(seed=(3, 1))
