"""A Keras model compiled into a graph by `tf.function`."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image


def load(model: str) -> Callable[[Any], int]:
    import keras
    import tensorflow as tf

    network = keras.saving.load_model(model, compile=False)
    graph = tf.function(lambda pictures: network(pictures, training=False))

    def classify(picture: Any) -> int:
        return int(graph(tf.constant(picture[None, ..., None] / np.float32(255))).numpy().argmax())

    return classify


if __name__ == "__main__":
    print(load(sys.argv[1])(np.asarray(Image.open(sys.argv[2]).convert("L"))))
