"""Precision and devices that Keras trains with."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np

from edgedigits_runtime.errors import DeviceUnavailable

MIXED = "mixed_bfloat16"
"""bfloat16 has float32's range, so the loss needs no scaling."""


@contextlib.contextmanager
def computing(mixed_precision: bool, parallel: bool) -> Iterator[None]:
    """Set precision and devices for what is built and trained in the block, then restore them.

    Raises:
        DeviceUnavailable: `parallel` with a single device, or with a backend that cannot split batches.
    """
    policy, distribution = keras.config.dtype_policy(), keras.distribution.distribution()
    keras.distribution.set_distribution(_over_all_devices() if parallel else None)
    keras.config.set_dtype_policy(MIXED if mixed_precision else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        keras.distribution.set_distribution(distribution)


def device_count() -> int:
    """Return the number of devices that share a batch."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(np.prod(distribution.device_mesh.shape))


def check_shareable(batch_size: int) -> None:
    """Raise DeviceUnavailable if the batch size is not a multiple of the number of devices."""
    devices = device_count()
    if batch_size % devices:
        raise DeviceUnavailable(
            f"--parallel shares a batch evenly: {batch_size} images cannot be shared by {devices} devices;"
            f" give --batch-size {even_share(batch_size)}"
        )


def even_share(count: int) -> int:
    """Round `count` down to a multiple of the number of devices, but not to 0."""
    return max(count // device_count(), 1) * device_count()


def _over_all_devices() -> keras.distribution.DataParallel:
    if keras.backend.backend() != "jax":
        # Other backends accept a distribution and still compute on one device.
        raise DeviceUnavailable(
            f"--parallel needs the JAX backend, Keras computes with {keras.backend.backend()}; set KERAS_BACKEND=jax"
        )
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        raise DeviceUnavailable(f"--parallel needs two devices or more; the jax backend sees {', '.join(devices)}")
    return keras.distribution.DataParallel(devices=devices)
