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
        DeviceUnavailable: `parallel` where the backend sees one device only, or cannot spread a batch.
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


def _over_all_devices() -> keras.distribution.DataParallel:
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        raise DeviceUnavailable(
            f"--parallel needs two devices or more; the {keras.backend.backend()} backend sees {', '.join(devices)}"
        )
    try:
        return keras.distribution.DataParallel(devices=devices)
    except (NotImplementedError, ImportError) as error:
        raise DeviceUnavailable(f"--parallel: the {keras.backend.backend()} backend cannot: {error}") from error
