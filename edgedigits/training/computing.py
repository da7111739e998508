"""In which precision, and on how many devices, Keras computes while it trains."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np

from edgedigits_runtime.errors import DeviceUnavailable

MIXED = "mixed_bfloat16"
"""Of the two 16-bit formats the one with float32's range, so that no loss has to be scaled."""


@contextlib.contextmanager
def computing(mixed_precision: bool, parallel: bool) -> Iterator[None]:
    """Set up what is built and trained within, and put back what was set before.

    Raises:
        DeviceUnavailable: `parallel` where the backend sees one device only, or spreads no batch.
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
    """Return on how many devices a batch is spread."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(np.prod(distribution.device_mesh.shape))


def check_shareable(batch_size: int) -> None:
    """Return if the devices can share a batch evenly.

    Raises:
        DeviceUnavailable: they cannot.
    """
    devices = device_count()
    if batch_size % devices:
        raise DeviceUnavailable(
            f"--parallel shares a batch evenly: {batch_size} images cannot be shared by {devices} devices;"
            f" give --batch-size {even_share(batch_size)}"
        )


def even_share(count: int) -> int:
    """Return the number of images next to `count`, below it where there is one, that the devices share evenly."""
    return max(count // device_count(), 1) * device_count()


def _over_all_devices() -> keras.distribution.DataParallel:
    if keras.backend.backend() != "jax":
        # Keras's other backends take a distribution and compute on one device.
        raise DeviceUnavailable(
            f"--parallel needs the JAX backend, Keras computes with {keras.backend.backend()}; set KERAS_BACKEND=jax"
        )
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        raise DeviceUnavailable(f"--parallel needs two devices or more; the jax backend sees {', '.join(devices)}")
    return keras.distribution.DataParallel(devices=devices)
