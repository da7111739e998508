"""A Keras model called directly, as its documentation advises for few pictures."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image


def load(model: str) -> Callable[[Any], int]:
    import keras

    network = keras.saving.load_model(model, compile=False)

    def classify(picture: Any) -> int:
        return int(keras.ops.argmax(network(picture[None, ..., None] / np.float32(255), training=False)))

    return classify


if __name__ == "__main__":
    print(load(sys.argv[1])(np.asarray(Image.open(sys.argv[2]).convert("L"))))
