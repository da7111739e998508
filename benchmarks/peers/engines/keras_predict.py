"""Keras's `model.predict`, as in tutorials."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image


def load(model: str) -> Callable[[Any], int]:
    import keras

    network = keras.saving.load_model(model, compile=False)

    def classify(picture: Any) -> int:
        return int(network.predict(picture[None, ..., None] / np.float32(255), verbose=0).argmax())

    return classify


if __name__ == "__main__":
    print(load(sys.argv[1])(np.asarray(Image.open(sys.argv[2]).convert("L"))))
