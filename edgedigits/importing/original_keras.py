"""The original of a Keras 2 network, in tf-keras. Called in a child process, which never imports Keras 3."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_models: list[Any] = []
"""The network that was loaded last, for the calls that follow."""


def load(config: str, weights: str) -> str:
    """Build the network of a checked config, load its weights from HDF5 or a checkpoint; return tf-keras's version."""
    import tf_keras

    model = tf_keras.models.model_from_json(config)
    status = model.load_weights(weights)
    # Loading a checkpoint leaves a weight that it lacks at its random values.
    if status is not None:
        status.assert_existing_objects_matched()
    _models[:] = [model]
    return str(tf_keras.__version__)


def layer_weights(paths: list[list[str]]) -> list[list[NDArray[Any]]]:
    """Return the weights of the layers that these names lead to."""
    found = []
    for path in paths:
        layer = _models[0]
        for name in path:
            layer = layer.get_layer(name)
        found.append(layer.get_weights())
    return found


def outputs(inputs: NDArray[Any], batch: int) -> NDArray[Any]:
    """Return what the network answers."""
    return np.asarray(_models[0].predict(inputs, batch_size=batch, verbose=0))
